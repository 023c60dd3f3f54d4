// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_depth_to_space: each beat is that of its place in its block.

`include "qun_assert.svh"

`default_nettype none

module prove_depth_to_space #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of an output pixel [1 or more]
    parameter int unsigned OutGroups = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 2,
    /// Rows of a block [1 or more]
    parameter int unsigned BlockRows = 2,
    /// Columns of a block [1 or more]
    parameter int unsigned BlockColumns = 2,
    localparam int unsigned InBeats = Height * Width * BlockRows * BlockColumns * OutGroups,
    localparam int unsigned OutBeats = InBeats,
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

  qun_depth_to_space #(
      .Height(Height),
      .Width(Width),
      .OutChannels(OutGroups),
      .Bits(Bits),
      .BlockRows(BlockRows),
      .BlockColumns(BlockColumns)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (Bits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(2),
      .ReadyWithin (BlockColumns * OutGroups + 2)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  localparam int unsigned Words = BlockColumns * OutGroups;  // of a row of a block

  function automatic int unsigned source(int unsigned beat);
    int unsigned row = beat / (Width * Words);  // of the output
    int unsigned column = beat / Words % Width;  // of the input
    int unsigned block = row / BlockRows * Width + column;
    return (block * BlockRows + row % BlockRows) * Words + beat % Words;
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
