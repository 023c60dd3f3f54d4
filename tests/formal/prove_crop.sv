// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_crop: each beat is that of its pixel, and nothing comes of what is dropped.

`include "qun_assert.svh"

`default_nettype none

module prove_crop #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of a pixel [1 or more]
    parameter int unsigned Groups = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 2,
    /// Rows at the top [0 or more]
    parameter int unsigned Top = 1,
    /// Columns at the left [0 or more]
    parameter int unsigned Left = 1,
    /// Rows at the bottom [0 or more]
    parameter int unsigned Bottom = 1,
    /// Columns at the right [0 or more]
    parameter int unsigned Right = 1,
    localparam int unsigned InBeats = Height * Width * Groups,
    localparam int unsigned OutBeats = (Height - Top - Bottom) * (Width - Left - Right) * Groups,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [Bits-1:0] s_data,
    input wire logic s_valid,
    input wire logic s_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, watched, due;
  logic [Bits-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;

  qun_crop #(
      .Height(Height),
      .Width(Width),
      .Channels(Groups),
      .Bits(Bits),
      .Top(Top),
      .Left(Left),
      .Bottom(Bottom),
      .Right(Right)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (Bits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(1),
      .ReadyWithin (1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  localparam int unsigned OutWidth = Width - Left - Right;

  function automatic int unsigned source(int unsigned beat);
    int unsigned row = beat / (OutWidth * Groups) + Top;
    int unsigned column = beat / Groups % OutWidth + Left;
    return (row * Width + column) * Groups + beat % Groups;
  endfunction

  logic [Bits-1:0] kept_q;
  assign needs = InPlaceBits'(source(32'(out_q)) + 1);

  always_ff @(posedge clk) begin
    if (watched && 32'(in_q) == source(32'(place))) begin
      kept_q <= s_data;
    end
  end

  `PROOF_PROPERTY(right_beat, !due || m_data == kept_q)

endmodule

`default_nettype wire
