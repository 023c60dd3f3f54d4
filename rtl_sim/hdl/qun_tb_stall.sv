// Random stalls of a bench: `stall` from a 32-bit xorshift generator, in phases of 64 cycles; simulation only.
//
// +stalls=1 switches them on. A phase is one of: free, one cycle in four, one in two, seven in eight.
module qun_tb_stall #(
    parameter int unsigned Seed = 1
) (
    input logic clk,
    input logic rst_n,
    output logic stall
);

  int unsigned enabled;
  int unsigned seed;
  int unsigned state_q;
  int unsigned next;
  logic [5:0] count_q;
  logic [1:0] phase_q;

  initial begin
    if ($value$plusargs("stalls=%d", enabled) == 0) enabled = 0;
    if ($value$plusargs("seed=%d", seed) == 0) seed = 0;
  end

  always_comb begin
    next = state_q ^ (state_q << 13);
    next = next ^ (next >> 17);
    next = next ^ (next << 5);
  end

  always_ff @(posedge clk) begin
    if (enabled != 0) begin
      if (!rst_n) begin
        state_q <= (Seed * 32'h9e3779b1) ^ (seed * 32'h85ebca6b) | 32'd1;
        count_q <= '0;
        phase_q <= 2'd1;
        stall <= 1'b0;
      end else begin
        state_q <= next;
        count_q <= count_q + 1'b1;
        if (count_q == '1) phase_q <= next[9:8];
        unique case (phase_q)
          2'd0: stall <= 1'b0;
          2'd1: stall <= next[17:16] == 2'd0;
          2'd2: stall <= next[16];
          default: stall <= next[18:16] != 3'd0;
        endcase
      end
    end else begin
      stall <= 1'b0;
    end
  end

endmodule
