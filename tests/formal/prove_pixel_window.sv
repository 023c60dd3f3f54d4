// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_pixel_window: each window has the nine pixels around its own, and zero outside the frame.

`include "qun_assert.svh"

`default_nettype none

module prove_pixel_window #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    localparam int unsigned InBeats = Height * Width,
    localparam int unsigned OutBeats = InBeats,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [3:0] element,
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
  logic kept_q;
  logic [8:0] window;
  logic [3:0] element_q;

  qun_pixel_window #(
      .Height(Height),
      .Width(Width),
      .WordBits(1)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_word),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .credit       (reader),
      .take         (m_valid),
      .take_last    (m_last),
      .window_q     (window)
  );

  proof_frames #(
      .Bits        (1),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .Refuses     (1'b0),
      .AnswerWithin(3),
      .ReadyWithin (2 * Width + 4)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, s_word)

  // Rows and columns wrap around outside the frame.
  logic [31:0] pixel, bottom, right, row, column;
  logic outside;
  assign pixel = 32'(out_q);
  assign bottom = (pixel / Width + 1 < Height) ? pixel / Width + 1 : Height - 1;
  assign right = (pixel % Width + 1 < Width) ? pixel % Width + 1 : Width - 1;
  assign needs = InPlaceBits'(bottom * Width + right + 1);
  assign row = 32'(place) / Width + 32'(element) / 3 - 1;
  assign column = 32'(place) % Width + 32'(element) % 3 - 1;
  assign outside = row >= Height || column >= Width;

  always_comb begin
    assume (element < 4'd9 && (!awake || element == element_q));  // any, and it stays
  end

  always_ff @(posedge clk) begin
    element_q <= element;
    due_q <= due;
    if (watched && 32'(in_q) == row * Width + column) begin
      kept_q <= s_word;
    end
    if (!rst_n) begin
      due_q <= 1'b0;
    end
  end

  `PROOF_PROPERTY(right_pixel, !due_q || window[element] == (!outside && kept_q))

endmodule

`default_nettype wire
