// SPDX-License-Identifier: Apache-2.0
//
// Stalls of a bench: `stall` after the pattern +stalls=<n>; simulation only.
//
// 0, none. 1, random: phases of 64 cycles, each of them free or with a stall in one cycle of four, one of two, or seven of
// eight. 2, bursts: the stream rests for up to +stall_cycles=<n> cycles and then flows freely for up to as many. 3, frozen:
// a sink takes nothing for +stall_cycles=<n> cycles, flows for as many, and so on; sources do not stall.

`default_nettype none

module qun_tb_stall #(
    parameter int unsigned Seed = 1,
    parameter bit Sink = 1'b0
) (
    input  wire logic clk,
    input  wire logic rst_n,
    output logic      stall
);

  int unsigned pattern;
  int unsigned seed;
  int unsigned longest;
  int unsigned state_q;
  int unsigned next;
  int unsigned left_q;  // cycles until the pattern changes
  logic [1:0] phase_q;

  initial begin
    if ($value$plusargs("stalls=%d", pattern) == 0) pattern = 0;
    if ($value$plusargs("seed=%d", seed) == 0) seed = 0;
    if ($value$plusargs("stall_cycles=%d", longest) == 0) longest = 1024;
  end

  always_comb begin
    next = state_q ^ (state_q << 13);
    next = next ^ (next >> 17);
    next = next ^ (next << 5);
  end

  always_ff @(posedge clk) begin
    if (pattern == 0) begin
      stall <= 1'b0;
    end else if (!rst_n) begin
      state_q <= (Seed * 32'h9e3779b1) ^ (seed * 32'h85ebca6b) | 32'd1;
      left_q <= 0;
      phase_q <= 2'd1;
      stall <= 1'b0;
    end else begin
      state_q <= next;
      left_q <= left_q - 1;
      unique case (pattern)
        1: begin
          if (left_q == 0) begin
            left_q <= 63;
            phase_q <= next[9:8];
          end
          unique case (phase_q)
            2'd0: stall <= 1'b0;
            2'd1: stall <= next[17:16] == 2'd0;
            2'd2: stall <= next[16];
            default: stall <= next[18:16] != 3'd0;
          endcase
        end
        2: begin
          if (left_q == 0) begin
            left_q <= next % longest;
            stall <= !stall;
          end
        end
        default: begin
          if (left_q == 0) begin
            left_q <= longest - 1;
            stall <= Sink && !stall;
          end
        end
      endcase
    end
  end

endmodule

`default_nettype wire
