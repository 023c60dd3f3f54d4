// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_pad: each beat is that of its pixel, or the constant.

`include "qun_assert.svh"

`default_nettype none

module prove_pad #(
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
    /// The bits of each channel around the image [below 2**Bits]
    parameter int unsigned Value = 1,
    localparam int unsigned InBeats = Height * Width * Groups,
    localparam int unsigned OutBeats = (Top + Height + Bottom) * (Left + Width + Right) * Groups,
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

  qun_pad #(
      .Height(Height),
      .Width(Width),
      .Channels(Groups),
      .Bits(Bits),
      .Top(Top),
      .Left(Left),
      .Bottom(Bottom),
      .Right(Right),
      .Value(Value)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (Bits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(1),
      .ReadyWithin (OutBeats)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  localparam int unsigned OutWidth = Left + Width + Right;

  // Rows and columns wrap around where there is no pixel.
  function automatic int unsigned row(int unsigned beat);
    return beat / (OutWidth * Groups) - Top;
  endfunction

  function automatic int unsigned column(int unsigned beat);
    return beat / Groups % OutWidth - Left;
  endfunction

  function automatic logic of_image(int unsigned beat);
    return row(beat) < Height && column(beat) < Width;
  endfunction

  function automatic int unsigned source(int unsigned beat);
    return (row(beat) * Width + column(beat)) * Groups + beat % Groups;
  endfunction

  // Beats of the image before a beat, and the beat itself; the first of them begins the frame.
  function automatic int unsigned come_by(int unsigned beat);
    come_by = 1;
    for (int unsigned each = 0; each < OutBeats; each++) begin
      if (each <= beat && of_image(each)) begin
        come_by = source(each) + 1;
      end
    end
  endfunction

  logic [Bits-1:0] kept_q;
  assign needs = InPlaceBits'(come_by(32'(out_q)));

  always_ff @(posedge clk) begin
    if (watched && 32'(in_q) == source(32'(place))) begin
      kept_q <= s_data;
    end
  end

  `PROOF_PROPERTY(right_beat, !due || m_data == (of_image(32'(place)) ? kept_q : Bits'(Value)))

endmodule

`default_nettype wire
