// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_argmax, one lane a beat: the channel of the greatest value, the first of equals.

`include "qun_assert.svh"

`default_nettype none

module prove_argmax #(
    /// Input channels [2 or more]
    parameter int unsigned Channels = 2,
    /// Bits of an input channel [1 or more]
    parameter int unsigned Bits = 2,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Bits of the output [enough for Channels - 1]
    parameter int unsigned OutBits = 2,
    /// Pixels of a frame [1 or more]
    parameter int unsigned Pixels = 2,
    localparam int unsigned InBeats = Pixels * Channels,
    localparam int unsigned OutBeats = Pixels,
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
  logic [OutBits-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;

  qun_argmax #(
      .Channels(Channels),
      .InBits(Bits),
      .InSigned(Signed),
      .OutBits(OutBits)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (OutBits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(1),
      .ReadyWithin (1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  logic [Bits-1:0] greatest_q;
  logic [OutBits-1:0] channel_q;
  assign needs = InPlaceBits'((32'(out_q) + 1) * Channels);

  function automatic logic greater(logic [Bits-1:0] a, logic [Bits-1:0] b);
    return Signed ? signed'(a) > signed'(b) : a > b;
  endfunction

  always_ff @(posedge clk) begin
    if (watched && 32'(in_q) / Channels == 32'(place)
        && (32'(in_q) % Channels == 0 || greater(s_data, greatest_q))) begin
      greatest_q <= s_data;
      channel_q <= OutBits'(32'(in_q) % Channels);
    end
  end

  `PROOF_PROPERTY(first_of_greatest, !due || m_data == channel_q)

endmodule

`default_nettype wire
