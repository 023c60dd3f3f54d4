// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_mask_bytes: each bit is that of its pixel, and none stands behind the last pixel.

`include "qun_assert.svh"

`default_nettype none

module prove_mask_bytes #(
    /// Pixels of a frame [1 or more]
    parameter int unsigned Pixels = 9,
    /// Bits of a value [1 to 62]
    parameter int unsigned Bits = 2,
    /// Whether values are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Least value of the foreground [0 or more]
    parameter int unsigned Least = 1,
    /// Whether Least is the greatest value of the foreground instead [0 or 1]
    parameter bit Below = 1'b0,
    localparam int unsigned InBeats = Pixels,
    localparam int unsigned OutBeats = (Pixels + 7) / 8,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [Bits-1:0] s_data,
    input wire logic s_valid,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, watched, due;
  logic [8-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;
  wire s_last = 32'(in_q) == InBeats - 1;
  wire m_last = 32'(out_q) == OutBeats - 1;

  qun_mask_bytes #(
      .Bits(Bits),
      .Signed(Signed),
      .Least(64'(Least)),
      .Below(Below)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_data),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .s_axis_tlast (s_last),
      .m_data,
      .m_valid,
      .m_ready
  );

  proof_frames #(
      .Bits        (8),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(1),
      .ReadyWithin (1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, s_data)

  logic [7:0] bits_q;
  longint value;
  logic foreground;
  assign needs = InPlaceBits'((32'(out_q) * 8 + 8 < Pixels) ? 32'(out_q) * 8 + 8 : Pixels);
  assign value = Signed ? longint'(signed'(s_data)) : longint'(s_data);
  assign foreground = Below ? value <= longint'(Least) : value >= longint'(Least);

  always_ff @(posedge clk) begin
    if (watched && 32'(in_q) / 8 == 32'(place)) begin
      bits_q <= ((32'(in_q) % 8 == 0) ? '0 : bits_q) | (8'(foreground) << (32'(in_q) % 8));
    end
  end

  `PROOF_PROPERTY(right_bits, !due || m_data == bits_q)

endmodule

`default_nettype wire
