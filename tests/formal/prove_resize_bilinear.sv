// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_resize_bilinear: each beat is the sum of its pixels by the weights of the two axes.

`include "qun_assert.svh"

`default_nettype none

module prove_resize_bilinear #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of a pixel [1 or more]
    parameter int unsigned Groups = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned Bits = 1,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Rows that a row becomes [1 or 2]
    parameter int unsigned RowFactor = 2,
    /// Columns that a column becomes [1 or 2]
    parameter int unsigned ColumnFactor = 2,
    /// Bits of an output channel [two more for each axis]
    parameter int unsigned OutBits = 5,
    localparam int unsigned InBeats = Height * Width * Groups,
    localparam int unsigned OutBeats = InBeats * RowFactor * ColumnFactor,
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

  qun_resize_bilinear #(
      .Height(Height),
      .Width(Width),
      .Channels(Groups),
      .Bits(Bits),
      .Signed(Signed),
      .RowFactor(RowFactor),
      .ColumnFactor(ColumnFactor)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        (OutBits),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(4 * Width * Groups + 10),
      .ReadyWithin (8 * Width * Groups + 8)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  // How much of an item of an axis is in one of twice as many, in quarters; edges are repeated.
  function automatic int unsigned share(int unsigned items, int unsigned twice, int unsigned item);
    int unsigned near = twice / 2;
    int unsigned far = (twice % 2 == 0) ? ((near == 0) ? 0 : near - 1)
        : ((near == items - 1) ? near : near + 1);
    return 3 * 32'(item == near) + 32'(item == far);
  endfunction

  function automatic int unsigned weight(int unsigned to, int unsigned from);
    int unsigned row = to / (Width * ColumnFactor * Groups);
    int unsigned column = to / Groups % (Width * ColumnFactor);
    int unsigned from_row = from / (Width * Groups);
    int unsigned from_column = from / Groups % Width;
    if (to % Groups != from % Groups) begin
      return 0;
    end
    return ((RowFactor == 2) ? share(Height, row, from_row) : 32'(row == from_row))
        * ((ColumnFactor == 2) ? share(Width, column, from_column) : 32'(column == from_column));
  endfunction

  // The last beat that it is made of.
  function automatic int unsigned last_of(int unsigned to);
    last_of = 0;
    for (int unsigned from = 0; from < InBeats; from++) begin
      if (weight(to, from) != 0) begin
        last_of = from;
      end
    end
  endfunction

  logic [OutBits-1:0] sum_q;
  assign needs = InPlaceBits'(last_of(32'(out_q)) + 1);

  always_ff @(posedge clk) begin
    if (watched) begin
      sum_q <= ((in_q == '0) ? '0 : sum_q) + (OutBits)'(weight(32'(place), 32'(in_q)))
          * (Signed ? OutBits'(signed'(s_data)) : OutBits'(s_data));
    end
  end

  `PROOF_PROPERTY(right_sum, !due || m_data == sum_q)

endmodule

`default_nettype wire
