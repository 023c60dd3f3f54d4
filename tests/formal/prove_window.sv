// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_window with one phase: the taps come in the stated order, each with the word of its pixel and fold.

`include "qun_assert.svh"

`default_nettype none

module prove_window #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of an input pixel [1 or more]
    parameter int unsigned InFolds = 1,
    /// Beats of an output pixel [1 or more]
    parameter int unsigned OutFolds = 1,
    /// Rows of the kernel [1 or more]
    parameter int unsigned KernelH = 2,
    /// Columns of the kernel [1 or more]
    parameter int unsigned KernelW = 2,
    /// Rows from a window to the next [1 or more]
    parameter int unsigned StrideH = 1,
    /// Columns from a window to the next [1 or more]
    parameter int unsigned StrideW = 1,
    /// Rows from a kernel row to the next [1 or more]
    parameter int unsigned DilationH = 1,
    /// Columns from a kernel column to the next [1 or more]
    parameter int unsigned DilationW = 1,
    /// Pixels that the ring holds [enough for a window]
    parameter int unsigned RingPixels = 4,
    localparam int unsigned FoldTaps = KernelH * KernelW * InFolds,
    localparam int unsigned OutHeight = (Height - (KernelH - 1) * DilationH - 1) / StrideH + 1,
    localparam int unsigned OutWidth = (Width - (KernelW - 1) * DilationW - 1) / StrideW + 1,
    localparam int unsigned InBeats = Height * Width * InFolds,
    localparam int unsigned OutBeats = OutHeight * OutWidth * OutFolds * FoldTaps,
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
  logic tap_first, tap_last, word, kept_q;
  logic [((WeightDepth > 1) ? $clog2(WeightDepth) : 1)-1:0] tap_weight_addr;
  logic [((OutFolds > 1) ? $clog2(OutFolds) : 1)-1:0] tap_out_fold;

  qun_window #(
      .Height(Height),
      .Width(Width),
      .OutHeight(OutHeight),
      .OutWidth(OutWidth),
      .InFolds(InFolds),
      .OutFolds(OutFolds),
      .KernelH(KernelH),
      .KernelW(KernelW),
      .StrideH(StrideH),
      .StrideW(StrideW),
      .DilationH(DilationH),
      .DilationW(DilationW),
      .RingPixels(RingPixels),
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
      .tap_data_q    (word)
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

  // Where the word of a tap stands.
  function automatic int unsigned row(int unsigned tap);
    return tap / (OutWidth * OutFolds * FoldTaps) * StrideH
        + tap / (KernelW * InFolds) % KernelH * DilationH;
  endfunction

  function automatic int unsigned column(int unsigned tap);
    return tap / (OutFolds * FoldTaps) % OutWidth * StrideW + tap / InFolds % KernelW * DilationW;
  endfunction

  // The last pixel of its window.
  logic [31:0] tap, last;
  assign tap = 32'(out_q);
  assign last = tap / (OutFolds * FoldTaps) * OutFolds * FoldTaps + FoldTaps - 1;
  assign needs = InPlaceBits'((row(last) * Width + column(last) + 1) * InFolds);

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

  `PROOF_PROPERTY(right_word, !due_q || word == kept_q)
  `PROOF_PROPERTY(first_of_fold, !m_valid || tap_first == (tap % FoldTaps == 0))
  `PROOF_PROPERTY(last_of_fold, !m_valid || tap_last == (tap % FoldTaps == FoldTaps - 1))
  `PROOF_PROPERTY(right_out_fold, !m_valid || 32'(tap_out_fold) == tap / FoldTaps % OutFolds)
  `PROOF_PROPERTY(right_weight, !m_valid || 32'(tap_weight_addr) == tap % WeightDepth)

endmodule

`default_nettype wire
