// SPDX-License-Identifier: Apache-2.0
//
// Beats of a stream from bytes: each value in the fewest whole bytes, the least significant first.
//
// Latency: 1 cycle after a beat's last byte.
// Throughput: one byte a cycle.
// Lanes: the first value of a beat is lane 0, the least significant.
//
// Bits of a byte beyond a value's are left out.

`include "qun_assert.svh"

`default_nettype none

module qun_byte_beats #(
    /// Values of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a value [1 or more]
    parameter int unsigned Bits  = 8,
    /// Beats of a frame [1 or more]
    parameter int unsigned Beats = 4
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [           7:0] s_data,
    input  wire logic                  s_valid,
    output logic                       s_ready,
    output logic      [Lanes*Bits-1:0] m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready,
    output logic                       m_axis_tlast
);

  localparam int unsigned ValueBytes = (Bits + 7) / 8;
  localparam int unsigned BeatBytes = Lanes * ValueBytes;
  localparam int unsigned PlaceBits = (BeatBytes > 1) ? $clog2(BeatBytes) : 1;
  localparam int unsigned CountBits = (Beats > 1) ? $clog2(Beats) : 1;

  logic [8*BeatBytes-1:0] bytes_q;  // the last one highest
  logic [PlaceBits-1:0] place_q;
  logic [CountBits-1:0] beat_q;
  logic whole_q;

  assign s_ready = !whole_q || m_axis_tready;
  assign m_axis_tvalid = whole_q;
  assign m_axis_tlast = beat_q == CountBits'(Beats - 1);
  for (genvar lane = 0; lane < int'(Lanes); lane++) begin : gen_lane
    assign m_axis_tdata[lane*Bits+:Bits] = bytes_q[lane*8*ValueBytes+:Bits];
  end

  if (8 * ValueBytes > Bits) begin : gen_rest
    logic unused_bits;
    assign unused_bits = ^bytes_q;
  end

  always_ff @(posedge clk) begin
    if (whole_q && m_axis_tready) begin
      whole_q <= 1'b0;
      beat_q  <= m_axis_tlast ? '0 : beat_q + 1'b1;
    end
    if (s_valid && s_ready) begin
      bytes_q <= (8 * BeatBytes)'({s_data, bytes_q} >> 8);
      place_q <= (place_q == PlaceBits'(BeatBytes - 1)) ? '0 : place_q + 1'b1;
      whole_q <= place_q == PlaceBits'(BeatBytes - 1);
    end
    if (!rst_n) begin
      place_q <= '0;
      beat_q  <= '0;
      whole_q <= 1'b0;
    end
  end

  `QUN_ASSERT_STREAM(input_waits, s_valid, s_ready, s_data)
  `QUN_ASSERT_STREAM(output_waits, m_axis_tvalid, m_axis_tready, {m_axis_tlast, m_axis_tdata})

endmodule

`default_nettype wire
