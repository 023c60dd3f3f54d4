// SPDX-License-Identifier: Apache-2.0
//
// A mask of eight pixels a byte from a network's only channel: 1 is the foreground, the first pixel lowest.
//
// Latency: 1 cycle after a byte's last pixel.
// Throughput: one pixel a cycle.
// Lanes: one value a beat; pixel 8*n + i of a frame is bit i of byte n.
//
// A pixel is foreground where its value is Least or more, or, with Below, where it is Least or less. A frame whose pixels
// do not fill its last byte ends with bits of 0.

`include "qun_assert.svh"

`default_nettype none

module qun_mask_bytes #(
    /// Bits of a value [1 to 62]
    parameter int unsigned Bits = 8,
    /// Whether values are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Least value of the foreground [64 bits]
    parameter longint Least = 64'sd1,
    /// Whether Least is the greatest value of the foreground instead [0 or 1]
    parameter bit Below = 1'b0
) (
    input  wire logic            clk,
    input  wire logic            rst_n,
    input  wire logic [Bits-1:0] s_axis_tdata,
    input  wire logic            s_axis_tvalid,
    output logic                 s_axis_tready,
    input  wire logic            s_axis_tlast,
    output logic      [     7:0] m_data,
    output logic                 m_valid,
    input  wire logic            m_ready
);

  logic signed [63:0] value;
  logic pixel;
  logic [7:0] bits_q;
  logic [2:0] place_q;
  logic whole_q;

  assign value = Signed ? 64'($signed(s_axis_tdata)) : 64'(s_axis_tdata);
  assign pixel = Below ? value <= Least : value >= Least;
  assign s_axis_tready = !whole_q || m_ready;
  assign m_data = bits_q;
  assign m_valid = whole_q;

  always_ff @(posedge clk) begin
    if (m_ready) begin
      whole_q <= 1'b0;
    end
    if (s_axis_tvalid && s_axis_tready) begin
      bits_q <= ((place_q == '0) ? 8'd0 : bits_q) | (8'(pixel) << place_q);
      place_q <= s_axis_tlast ? '0 : place_q + 1'b1;
      whole_q <= s_axis_tlast || place_q == 3'd7;
    end
    if (!rst_n) begin
      place_q <= '0;
      whole_q <= 1'b0;
    end
  end

  `QUN_ASSERT_STREAM(input_waits, s_axis_tvalid, s_axis_tready, {s_axis_tlast, s_axis_tdata})
  `QUN_ASSERT_STREAM(output_waits, m_valid, m_ready, m_data)

endmodule

`default_nettype wire
