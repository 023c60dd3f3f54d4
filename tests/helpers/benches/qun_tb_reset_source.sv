// SPDX-License-Identifier: Apache-2.0
//
// AXI4-Stream source of a bench that resets: frames of a file, from any of them on, one right after the other;
// simulation only.
//
// While `rst_n` is low it takes up frame `first`; then `count` frames leave, the first one again behind the last one.
// Between beats, tdata and tlast are not those of any beat. `sent` is high once all have left.

`default_nettype none

module qun_tb_reset_source #(
    parameter int unsigned Bits = 8,
    parameter int unsigned Beats = 1,  // in a frame
    parameter int unsigned Frames = 1,  // in the file
    parameter string File = "frames.mem",
    parameter int unsigned Seed = 1
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input var int unsigned first,
    input var int unsigned count,
    input  wire logic stalls,
    output logic      [Bits-1:0] m_axis_tdata,
    output logic      m_axis_tvalid,
    input  wire logic m_axis_tready,
    output logic      m_axis_tlast,
    output logic      sent
);

  localparam int unsigned Words = Beats * Frames;

  logic [Bits-1:0] words[Words];
  int unsigned word;
  int unsigned position;  // of the beat in its frame
  int unsigned left;  // frames
  int unsigned random;
  logic stall;

  initial begin
    $readmemh(File, words);
    random = Seed * 32'h9e3779b1 | 32'd1;
  end

  assign stall = stalls && random[16];
  assign sent  = left == 0 && !m_axis_tvalid;

  always_ff @(posedge clk) begin
    random <= qun_tb_reset_pkg::following(random);
    if (!rst_n) begin
      m_axis_tvalid <= 1'b0;
      m_axis_tlast <= 1'b1;
      m_axis_tdata <= '1;
      word <= first * Beats;
      position <= 0;
      left <= count;
    end else if (!m_axis_tvalid || m_axis_tready) begin
      if (left == 0 || stall) begin
        m_axis_tvalid <= 1'b0;
        m_axis_tlast <= random[17];
        m_axis_tdata <= ~m_axis_tdata;
      end else begin
        m_axis_tvalid <= 1'b1;
        m_axis_tlast <= position == Beats - 1;
        m_axis_tdata <= words[word];
        word <= word == Words - 1 ? 0 : word + 1;
        position <= position == Beats - 1 ? 0 : position + 1;
        if (position == Beats - 1) left <= left - 1;
      end
    end
  end

endmodule

`default_nettype wire
