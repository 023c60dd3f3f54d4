// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_sliding_window: the taps come in the stated order, each with the word of its pixel and fold, or zero.

`include "qun_assert.svh"

`default_nettype none

module prove_sliding_window #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of an input pixel [1 or more]
    parameter int unsigned InFolds = 1,
    /// Beats of an output pixel [1 or more]
    parameter int unsigned OutFolds = 1,
    /// Rows and columns of the kernel [1 or 3]
    parameter int unsigned Kernel = 3,
    localparam int unsigned FoldTaps = Kernel * Kernel * InFolds,
    localparam int unsigned InBeats = Height * Width * InFolds,
    localparam int unsigned OutBeats = Height * Width * OutFolds * FoldTaps,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic s_word,
    input wire logic s_valid,
    input wire logic reader
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, watched, due, due_q;
  wire m_ready = 1'b1;
  wire m_data = 1'b0;  // it comes a cycle later
  logic [InPlaceBits-1:0] in_q, needs;
  wire s_last = 32'(in_q) == InBeats - 1;
  logic [PlaceBits-1:0] out_q;
  localparam int unsigned WeightDepth = OutFolds * FoldTaps;
  logic zero;
  logic tap_first, tap_last, word, kept_q;
  logic [((WeightDepth > 1) ? $clog2(WeightDepth) : 1)-1:0] tap_weight_addr;
  logic [((OutFolds > 1) ? $clog2(OutFolds) : 1)-1:0] tap_out_fold;

  qun_sliding_window #(
      .Height(Height),
      .Width(Width),
      .InFolds(InFolds),
      .OutFolds(OutFolds),
      .Kernel(Kernel),
      .WordBits(1)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata  (s_word),
      .s_axis_tvalid (s_valid),
      .s_axis_tready (s_ready),
      .fold_ready    (reader),
      .tap_valid     (m_valid),
      .tap_first,
      .tap_last,
      .tap_frame_last(m_last),
      .tap_weight_addr,
      .tap_out_fold,
      .tap_data_q    (word),
      .tap_zero_q    (zero)
  );

  proof_frames #(
      .Bits        (1),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .Refuses     (1'b0),
      .AnswerWithin(2),
      .ReadyWithin (2 * OutFolds * FoldTaps)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, s_word)

  // Of a tap: where it stands, and the beat of its word; rows and columns wrap around outside the frame.
  function automatic int unsigned row(int unsigned tap);
    return tap / (Width * OutFolds * FoldTaps) + tap / (Kernel * InFolds) % Kernel - Kernel / 2;
  endfunction

  function automatic int unsigned column(int unsigned tap);
    return tap / (OutFolds * FoldTaps) % Width + tap / InFolds % Kernel - Kernel / 2;
  endfunction

  function automatic logic outside(int unsigned tap);
    return row(tap) >= Height || column(tap) >= Width;
  endfunction

  // Pixels that stand before the window's end: up to its last one in the frame.
  logic [31:0] pixel, bottom, right, tap;
  assign tap = 32'(out_q);
  assign pixel = tap / (OutFolds * FoldTaps);
  assign bottom = (pixel / Width + Kernel / 2 < Height) ? pixel / Width + Kernel / 2 : Height - 1;
  assign right = (pixel % Width + Kernel / 2 < Width) ? pixel % Width + Kernel / 2 : Width - 1;
  assign needs = InPlaceBits'((bottom * Width + right + 1) * InFolds);

  always_ff @(posedge clk) begin
    due_q <= due;
    if (watched && 32'(in_q)
        == (row(32'(place)) * Width + column(32'(place))) * InFolds + 32'(place) % InFolds) begin
      kept_q <= s_word;
    end
    if (!rst_n) begin
      due_q <= 1'b0;
    end
  end

  `PROOF_PROPERTY(zero_outside, !due_q || zero == outside(32'(place)))
  `PROOF_PROPERTY(right_word, !due_q || outside(32'(place)) || word == kept_q)
  `PROOF_PROPERTY(first_of_fold, !m_valid || tap_first == (tap % FoldTaps == 0))
  `PROOF_PROPERTY(last_of_fold, !m_valid || tap_last == (tap % FoldTaps == FoldTaps - 1))
  `PROOF_PROPERTY(right_out_fold, !m_valid || 32'(tap_out_fold) == tap / FoldTaps % OutFolds)
  `PROOF_PROPERTY(right_weight, !m_valid || 32'(tap_weight_addr) == tap % WeightDepth)

endmodule

`default_nettype wire
