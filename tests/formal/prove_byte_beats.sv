// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_byte_beats: each value is made of its own bytes.

`include "qun_assert.svh"

`default_nettype none

module prove_byte_beats #(
    /// Values of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a value [1 or more]
    parameter int unsigned Bits = 9,
    /// Beats of a frame [1 or more]
    parameter int unsigned Beats = 2,
    localparam int unsigned ValueBytes = (Bits + 7) / 8,
    localparam int unsigned BeatBytes = Lanes * ValueBytes,
    localparam int unsigned InBeats = Beats * BeatBytes,
    localparam int unsigned OutBeats = Beats,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [8-1:0] s_data,
    input wire logic s_valid,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, watched, due;
  logic [Lanes * Bits-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;
  wire s_last = 32'(in_q) == InBeats - 1;
  logic m_last;

  qun_byte_beats #(
      .Lanes(Lanes),
      .Bits(Bits),
      .Beats(Beats)
  ) u_dut (
      .clk,
      .rst_n,
      .s_data,
      .s_valid,
      .s_ready,
      .m_axis_tdata (m_data),
      .m_axis_tvalid(m_valid),
      .m_axis_tready(m_ready),
      .m_axis_tlast (m_last)
  );

  proof_frames #(
      .Bits        (Lanes * Bits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(1),
      .ReadyWithin (1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, s_data)

  logic [BeatBytes-1:0][7:0] bytes_q;
  assign needs = InPlaceBits'((32'(out_q) + 1) * BeatBytes);

  always_ff @(posedge clk) begin
    if (watched && 32'(in_q) / BeatBytes == 32'(place)) begin
      bytes_q[32'(in_q)%BeatBytes] <= s_data;
    end
  end

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lane
    `PROOF_PROPERTY(right_value, !due || m_data[lane*Bits+:Bits]
                    == Bits'(bytes_q[lane*ValueBytes+:ValueBytes]))
  end

endmodule

`default_nettype wire
