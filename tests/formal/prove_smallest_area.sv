// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_smallest_area: a pixel is as it came where its frame has enough of them, and else background.

`include "qun_assert.svh"

`default_nettype none

module prove_smallest_area #(
    /// Pixels of a frame [2 or more]
    parameter int unsigned Pixels = 2,
    /// Pixels of the smallest foreground that is kept [1 to Pixels]
    parameter int unsigned Area = 1,
    localparam int unsigned InBeats = Pixels,
    localparam int unsigned OutBeats = Pixels,
    localparam int unsigned InPlaceBits = $clog2(InBeats + 1),
    localparam int unsigned PlaceBits = $clog2(OutBeats + 1)
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [PlaceBits-1:0] place,
    input wire logic [1-1:0] s_data,
    input wire logic s_valid,
    input wire logic s_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, watched, due;
  logic [1-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;

  qun_smallest_area #(
      .Pixels(Pixels),
      .Area(Area)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (1),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(2),
      .ReadyWithin (Pixels + 2)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  logic pixel_q;
  logic [InPlaceBits-1:0] count_q;
  assign needs = InPlaceBits'(Pixels);

  always_ff @(posedge clk) begin
    if (watched) begin
      count_q <= ((in_q == '0) ? '0 : count_q) + InPlaceBits'(s_data);
      if (in_q == place) begin
        pixel_q <= s_data;
      end
    end
  end

  `PROOF_PROPERTY(kept_if_large, !due || m_data == (pixel_q && 32'(count_q) >= Area))

endmodule

`default_nettype wire
