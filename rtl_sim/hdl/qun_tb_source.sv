// AXI4-Stream source of a bench: plays the lines of a file of hexadecimal beats; simulation only.
//
// The file stands in the working directory, so that another image needs no other build. `first_cycle` is the cycle of the
// first handshake. Stalls once every beat has left.
module qun_tb_source #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Beats = 1,  // in a frame
    parameter string File = "input.hex",
    parameter int unsigned Seed = 1
) (
    input logic clk,
    input logic rst_n,
    input longint unsigned cycle,
    output logic [Bits-1:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input logic m_axis_tready,
    output logic m_axis_tlast,
    output int unsigned beats,
    output longint unsigned first_cycle
);

  int file;
  int unsigned position;
  logic stall;
  logic [Bits-1:0] word;
  logic found;

  qun_tb_stall #(
      .Seed(Seed)
  ) u_stall (
      .clk  (clk),
      .rst_n(rst_n),
      .stall(stall)
  );

  initial begin
    file = $fopen(File, "r");
    if (file == 0) $error("%s cannot be opened", File);
  end

  always @(posedge clk) begin
    if (!rst_n) begin
      m_axis_tvalid <= 1'b0;
      m_axis_tlast <= 1'b0;
      m_axis_tdata <= '0;
      position <= 0;
      beats <= 0;
      first_cycle <= 0;
    end else begin
      if (m_axis_tvalid && m_axis_tready) begin
        if (beats == 0) first_cycle <= cycle;
        beats <= beats + 1;
      end
      if (!m_axis_tvalid || m_axis_tready) begin
        // verilator lint_off BLKSEQ
        found = 1'b0;
        if (!stall) found = $fscanf(file, "%h\n", word) == 1;
        // verilator lint_on BLKSEQ
        m_axis_tvalid <= found;
        m_axis_tlast <= found && position == Beats - 1;
        m_axis_tdata <= found ? word : '0;
        if (found) position <= position == Beats - 1 ? 0 : position + 1;
      end
    end
  end

endmodule
