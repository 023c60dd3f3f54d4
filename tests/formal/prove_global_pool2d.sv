// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_global_pool2d: each beat is the greatest of its channel in the image, or the sum.

`include "qun_assert.svh"

`default_nettype none

module prove_global_pool2d #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of a pixel [1 or more]
    parameter int unsigned Groups = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned InBits = 1,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Whether pixels are added; else their maximum is taken [0 or 1]
    parameter bit Sum = 1'b0,
    /// Bits of an output channel [InBits; of a sum enough for the largest]
    parameter int unsigned OutBits = 1,
    localparam int unsigned InBeats = Height * Width * Groups,
    localparam int unsigned OutBeats = Groups,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [InBits-1:0] s_data,
    input wire logic s_valid,
    input wire logic s_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, watched, due;
  logic [OutBits-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;

  qun_global_pool2d #(
      .Height(Height),
      .Width(Width),
      .Channels(Groups),
      .InBits(InBits),
      .Signed(Signed),
      .Sum(Sum),
      .OutBits(OutBits)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (OutBits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .Ahead       (4),
      .AnswerWithin(4),
      .ReadyWithin (1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  logic first, of_window;
  logic signed [OutBits:0] result_q;
  assign needs = InPlaceBits'((Height * Width - 1) * Groups + 32'(out_q) + 1);
  assign of_window = 32'(in_q) % Groups == 32'(place);
  assign first = 32'(in_q) < Groups;

  function automatic logic signed [OutBits:0] number(logic [InBits-1:0] raw);
    return Signed ? (OutBits + 1)'(signed'(raw)) : (OutBits + 1)'(raw);
  endfunction

  always_ff @(posedge clk) begin
    if (watched && of_window) begin
      if (first) begin
        result_q <= number(s_data);
      end else if (Sum) begin
        result_q <= result_q + number(s_data);
      end else if (number(s_data) > result_q) begin
        result_q <= number(s_data);
      end
    end
  end

  `PROOF_PROPERTY(sum_or_greatest_of_window, !due || m_data == OutBits'(result_q))

endmodule

`default_nettype wire
