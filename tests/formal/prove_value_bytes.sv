// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_value_bytes: each byte is that of its value, extended by its sign.

`include "qun_assert.svh"

`default_nettype none

module prove_value_bytes #(
    /// Values of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a value [1 or more]
    parameter int unsigned Bits = 9,
    /// Whether values are signed [0 or 1]
    parameter bit Signed = 1'b0,
    localparam int unsigned ValueBytes = (Bits + 7) / 8,
    localparam int unsigned InBeats = 1,
    localparam int unsigned OutBeats = Lanes * ValueBytes,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [Lanes * Bits-1:0] s_data,
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

  qun_value_bytes #(
      .Lanes(Lanes),
      .Bits(Bits),
      .Signed(Signed)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_data),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .m_data,
      .m_valid,
      .m_ready
  );

  proof_frames #(
      .Bits        (8),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(1),
      .ReadyWithin (OutBeats)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, s_data)

  logic [Lanes*Bits-1:0] beat_q;
  logic [Bits-1:0] value;
  logic [8*ValueBytes-1:0] wide;
  assign needs = 1'b1;
  assign value = beat_q[32'(place)/ValueBytes*Bits+:Bits];
  assign wide = Signed ? (8 * ValueBytes)'(signed'(value)) : (8 * ValueBytes)'(value);

  always_ff @(posedge clk) begin
    if (watched) begin
      beat_q <= s_data;
    end
  end

  `PROOF_PROPERTY(right_byte, !due || m_data == wide[32'(place)%ValueBytes*8+:8])

endmodule

`default_nettype wire
