// SPDX-License-Identifier: Apache-2.0
//
// Walk through the beats of a frame that says which of them lie in a rectangle.
//
// Latency: none, flags are registers that stand for the present beat.
// Throughput: one beat a cycle.
// Lanes: none, it counts beats.

`include "qun_assert.svh"

`default_nettype none

module qun_rectangle #(
    /// Rows of the frame [1 or more]
    parameter int unsigned Rows = 4,
    /// Beats of a row [1 or more]
    parameter int unsigned RowBeats = 4,
    /// Rows above the rectangle [0 or more]
    parameter int unsigned FirstRow = 1,
    /// Rows of the rectangle [1 or more]
    parameter int unsigned InnerRows = 2,
    /// Beats of a row before the rectangle [0 or more]
    parameter int unsigned FirstBeat = 1,
    /// Beats of a row in the rectangle [1 or more]
    parameter int unsigned InnerBeats = 2
) (
    input  wire logic clk,
    input  wire logic rst_n,
    input  wire logic step,
    output logic      inside_q,
    output logic      inside_last,
    output logic      frame_last
);

  localparam int unsigned RowBits = (Rows > 1) ? $clog2(Rows) : 1;
  localparam int unsigned BeatBits = (RowBeats > 1) ? $clog2(RowBeats) : 1;
  // The place before the rectangle, which is the last one of the row or frame before where nothing is left of it.
  localparam int unsigned RowBefore = (FirstRow > 0) ? FirstRow - 1 : Rows - 1;
  localparam int unsigned BeatBefore = (FirstBeat > 0) ? FirstBeat - 1 : RowBeats - 1;
  localparam int unsigned LastRow = FirstRow + InnerRows - 1;
  localparam int unsigned LastBeat = FirstBeat + InnerBeats - 1;

  if (LastRow >= Rows || LastBeat >= RowBeats) begin : gen_outside
    $error("the rectangle must lie in the frame");
  end

  logic [RowBits-1:0] row_q;
  logic [BeatBits-1:0] beat_q;
  logic row_inside_q, row_inside_d, beat_inside_d;
  logic row_end;

  assign row_end = beat_q == BeatBits'(RowBeats - 1);
  assign frame_last = row_end && row_q == RowBits'(Rows - 1);
  assign inside_last = row_q == RowBits'(LastRow) && beat_q == BeatBits'(LastBeat);

  // What holds for the next beat.
  logic beat_inside_q;
  always_comb begin
    row_inside_d  = row_inside_q;
    beat_inside_d = beat_inside_q;
    if (beat_q == BeatBits'(BeatBefore)) begin
      beat_inside_d = 1'b1;
    end else if (beat_q == BeatBits'(LastBeat)) begin
      beat_inside_d = 1'b0;
    end
    if (row_end) begin
      if (row_q == RowBits'(RowBefore)) begin
        row_inside_d = 1'b1;
      end else if (row_q == RowBits'(LastRow)) begin
        row_inside_d = 1'b0;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (step) begin
      beat_q <= row_end ? '0 : beat_q + 1'b1;
      if (row_end) begin
        row_q <= frame_last ? '0 : row_q + 1'b1;
      end
      row_inside_q  <= row_inside_d;
      beat_inside_q <= beat_inside_d;
      inside_q <= row_inside_d && beat_inside_d;
    end
    if (!rst_n) begin
      row_q <= '0;
      beat_q <= '0;
      row_inside_q <= FirstRow == 0;
      beat_inside_q <= FirstBeat == 0;
      inside_q <= FirstRow == 0 && FirstBeat == 0;
    end
  end

  `QUN_ASSERT(counters_in_range, 32'(row_q) < Rows && 32'(beat_q) < RowBeats,
              "a counter left its range")
  `QUN_ASSERT(flags_fit_counters, inside_q == (32'(row_q) + 1 > FirstRow && 32'(row_q) <= LastRow
              && 32'(beat_q) + 1 > FirstBeat && 32'(beat_q) <= LastBeat),
              "the flag says otherwise than the counters")

endmodule

`default_nettype wire
