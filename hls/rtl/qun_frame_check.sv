// SPDX-License-Identifier: Apache-2.0
//
// Frame check of an outer input: frames of another length are cut or filled up to Beats beats and reported.
//
// Latency: 0 cycles, combinational.
// Throughput: one beat a cycle; it waits only while a short frame is filled up, a beat a cycle.
// Lanes: kept as they come.
//
// A frame is what ends with tlast. What comes after Beats beats is dropped, up to and with the beat with tlast; what is
// missing of a frame is made up of beats of zeros; a frame of tlast's beat alone is a last beat that came twice, and is
// dropped. So the next frame begins at its first beat, whatever happened before. `frame_error` rises with the first
// frame of a wrong length and stays until reset.

`include "qun_assert.svh"

`default_nettype none

module qun_frame_check #(
    /// Bits of a beat [1 or more]
    parameter int unsigned Bits = 8,
    /// Beats of a frame [1 or more]
    parameter int unsigned Beats = 2
) (
    input  wire logic            clk,
    input  wire logic            rst_n,
    input  wire logic [Bits-1:0] s_axis_tdata,
    input  wire logic            s_axis_tvalid,
    output logic                 s_axis_tready,
    input  wire logic            s_axis_tlast,
    output logic      [Bits-1:0] m_axis_tdata,
    output logic                 m_axis_tvalid,
    input  wire logic            m_axis_tready,
    output logic                 m_axis_tlast,
    output logic                 frame_error
);

  localparam int unsigned CountBits = (Beats > 1) ? $clog2(Beats) : 1;

  logic [CountBits-1:0] beat_q;  // of the frame that leaves
  logic fill_q;  // the frame is filled up
  logic drop_q;  // the rest of the frame is dropped
  logic error_q;
  logic final_beat, again, move, wrong;

  assign final_beat = beat_q == CountBits'(Beats - 1);
  assign again = s_axis_tlast && beat_q == '0 && !final_beat;
  assign wrong = s_axis_tlast != final_beat;

  assign m_axis_tdata = fill_q ? '0 : s_axis_tdata;
  assign m_axis_tvalid = fill_q || (s_axis_tvalid && !drop_q && !again);
  assign m_axis_tlast = final_beat;
  assign s_axis_tready = !fill_q && (m_axis_tready || drop_q || again);
  assign move = m_axis_tvalid && m_axis_tready;
  assign frame_error = error_q;

  always_ff @(posedge clk) begin
    if (move) begin
      beat_q <= final_beat ? '0 : beat_q + 1'b1;
      fill_q <= !final_beat && (fill_q || s_axis_tlast);
      drop_q <= !fill_q && final_beat && !s_axis_tlast;
    end
    if (drop_q && s_axis_tvalid && s_axis_tlast) begin
      drop_q <= 1'b0;
    end
    if (s_axis_tvalid && s_axis_tready && wrong && !drop_q) begin
      error_q <= 1'b1;
    end
    if (!rst_n) begin
      beat_q  <= '0;
      fill_q  <= 1'b0;
      drop_q  <= 1'b0;
      error_q <= 1'b0;
    end
  end

  `QUN_ASSERT(beat_in_range, 32'(beat_q) < Beats, "the beat counter left its range")
  `QUN_ASSERT(drop_between_frames, !drop_q || (beat_q == '0 && !fill_q && error_q),
              "beats are dropped within a frame, or without a report")
  `QUN_ASSERT(fill_within_frame, !fill_q || (beat_q != '0 && error_q),
              "a frame is filled up from its first beat, or without a report")
  `QUN_ASSERT_STREAM(input_waits, s_axis_tvalid, s_axis_tready, {s_axis_tlast, s_axis_tdata})

endmodule

`default_nettype wire
