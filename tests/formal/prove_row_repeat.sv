// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_row_repeat: the taps come in the stated order, each with the word of its pixel and fold.
//
// One place of the image, any one, carries a word of ones in every frame, and all others carry zeros. The taps of that place, and
// no others, must show it. Counters say which tap is due. The convolution behind takes a fold when it is ready.

`include "qun_assert.svh"

`default_nettype none

module prove_row_repeat #(
    /// Rows of the input image [2 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of an input pixel [1 or more]
    parameter int unsigned InFolds = 1,
    /// Beats of an output pixel [1 or more]
    parameter int unsigned OutFolds = 1,
    localparam int unsigned Beats = Height * Width * InFolds,
    localparam int unsigned BeatBits = $clog2(Beats + 1)
) (
    input wire logic                clk,
    input wire logic                reset,
    input wire logic [BeatBits-1:0] place,
    input wire logic                s_valid,
    input wire logic                fold_ready
);

  localparam int unsigned WeightBits = $clog2(4 * OutFolds * InFolds);
  localparam int unsigned FoldBits = (OutFolds > 1) ? $clog2(OutFolds) : 1;
  localparam int unsigned Taps = 4 * Beats * OutFolds;
  localparam int unsigned TapBits = $clog2(Taps + 1);
  // Taps of a pixel in a row, all of which pass before a place may be free again; then the second reading of a row.
  localparam int unsigned ReadyWithin = 2 * Width * OutFolds * InFolds * 2;
  localparam int unsigned RefusedBits = $clog2(ReadyWithin + 2);

  `PROOF_RESET
  logic s_ready, s_word, tap_valid, tap_first, tap_last, tap_frame_last, word;
  logic [WeightBits-1:0] tap_weight_addr;
  logic [FoldBits-1:0] tap_out_fold;

  qun_row_repeat #(
      .Height  (Height),
      .Width   (Width),
      .InFolds (InFolds),
      .OutFolds(OutFolds),
      .WordBits(1)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_word),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .fold_ready,
      .tap_valid,
      .tap_first,
      .tap_last,
      .tap_frame_last,
      .tap_weight_addr,
      .tap_out_fold,
      .tap_data_q   (word)
  );

  logic [BeatBits-1:0] place_q;
  logic [BeatBits-1:0] in_q;  // beats of the frame that went in
  logic [TapBits-1:0] tap_q;  // taps of the frame that came
  logic [RefusedBits-1:0] refused_q, idle_q;
  logic due_q, word_due_q;

  assign s_word = in_q == place;

  // Which tap is due.
  int unsigned tap, in_fold, out_fold, kx, x, ky, y;
  assign tap = 32'(tap_q);
  assign in_fold = tap % InFolds;
  assign out_fold = (tap / InFolds) % OutFolds;
  assign kx = (tap / (InFolds * OutFolds)) % 2;
  assign x = (tap / (InFolds * OutFolds * 2)) % Width;
  assign ky = (tap / (InFolds * OutFolds * 2 * Width)) % 2;
  assign y = tap / (InFolds * OutFolds * 4 * Width);

  always_ff @(posedge clk) begin
    place_q <= place;
    if (s_valid && s_ready) begin
      in_q <= (32'(in_q) == Beats - 1) ? '0 : in_q + 1'b1;
    end
    if (tap_valid) begin
      tap_q <= (tap == Taps - 1) ? '0 : tap_q + 1'b1;
    end
    due_q <= tap_valid;
    word_due_q <= 32'(place) == (y * Width + x) * InFolds + in_fold;
    if (s_ready) begin
      refused_q <= '0;
    end else if (fold_ready && 32'(refused_q) <= ReadyWithin) begin
      refused_q <= refused_q + 1'b1;
    end
    if (tap_valid) begin
      idle_q <= '0;
    end else if (fold_ready && s_valid && 32'(idle_q) <= InFolds) begin
      idle_q <= idle_q + 1'b1;
    end
    if (!rst_n) begin
      in_q <= '0;
      tap_q <= '0;
      due_q <= 1'b0;
      refused_q <= '0;
      idle_q <= '0;
    end
  end

  always_comb begin
    assume (32'(place) < Beats && (!awake || place == place_q));  // any, and it stays
  end

  `PROOF_PROPERTY(right_word, !due_q || word == word_due_q)
  `PROOF_PROPERTY(first_of_fold, !tap_valid || tap_first == (in_fold == 0))
  `PROOF_PROPERTY(last_of_fold, !tap_valid || tap_last == (in_fold == InFolds - 1))
  `PROOF_PROPERTY(last_ends_frame, !tap_valid || tap_frame_last == (tap == Taps - 1))
  `PROOF_PROPERTY(right_weight, !tap_valid || 32'(tap_weight_addr)
                  == ((ky * 2 + kx) * OutFolds + out_fold) * InFolds + in_fold)
  `PROOF_PROPERTY(right_out_fold, !tap_valid || 32'(tap_out_fold) == out_fold)
  `PROOF_PROPERTY(tap_in_time, 32'(idle_q) <= InFolds)
  `PROOF_PROPERTY(ready_in_time, 32'(refused_q) <= ReadyWithin)
  `PROOF_COVER(word_came, due_q && word)
  `PROOF_COVER(second_reading, tap_valid && ky == 1)
  `PROOF_COVER(frame_came, tap_valid && tap_frame_last)
  `PROOF_COVER(refused, s_valid && !s_ready)

endmodule

`default_nettype wire
