// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_maxpool2d: each beat is the greatest of the four that its window has.

`include "qun_assert.svh"

`default_nettype none

module prove_maxpool2d #(
    /// Rows of the input image [even]
    parameter int unsigned Height = 2,
    /// Columns of the input image [even]
    parameter int unsigned Width = 2,
    /// Beats of a pixel [1 or more]
    parameter int unsigned Groups = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 2,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    localparam int unsigned InBeats = Height * Width * Groups,
    localparam int unsigned OutBeats = InBeats / 4,
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic                 clk,
    input wire logic                 reset,
    input wire logic                 watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [     Bits-1:0] s_data,
    input wire logic                 s_valid,
    input wire logic                 s_last,
    input wire logic                 m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, watched, due;
  logic [Bits-1:0] m_data, greatest_q;
  logic [$clog2(InBeats + 1)-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;

  qun_maxpool2d #(
      .Height  (Height),
      .Width   (Width),
      .Channels(Groups),
      .Bits    (Bits),
      .Signed  (Signed)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (Bits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(5),
      .ReadyWithin (1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  // Where in the input the first pixel of a window stands.
  function automatic int unsigned corner(int unsigned beat);
    int unsigned row = beat / (Width / 2 * Groups);
    int unsigned column = beat / Groups % (Width / 2);
    return (2 * row * Width + 2 * column) * Groups + beat % Groups;
  endfunction

  logic [31:0] from;  // from the window's first beat on
  logic first, of_window;
  assign needs = $bits(needs)'(corner(32'(out_q)) + (Width + 1) * Groups + 1);
  assign from = 32'(in_q) - corner(32'(place));
  assign first = from == 0;
  assign of_window = first || from == Groups || from == Width * Groups
      || from == (Width + 1) * Groups;

  function automatic logic greater(logic [Bits-1:0] a, logic [Bits-1:0] b);
    return Signed ? signed'(a) > signed'(b) : a > b;
  endfunction

  always_ff @(posedge clk) begin
    if (watched && of_window && (first || greater(s_data, greatest_q))) begin
      greatest_q <= s_data;
    end
  end

  `PROOF_PROPERTY(greatest_of_window, !due || m_data == greatest_q)

endmodule

`default_nettype wire
