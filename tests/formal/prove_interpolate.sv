// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_interpolate: each beat is three times the nearer item and once the farther one.

`include "qun_assert.svh"

`default_nettype none

module prove_interpolate #(
    /// Lines of a frame [1 or more]
    parameter int unsigned Lines = 1,
    /// Items of a line [1 or more]
    parameter int unsigned Items = 2,
    /// Beats of an item [1 or more]
    parameter int unsigned Beats = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned Bits = 1,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    localparam int unsigned InBeats = Lines * Items * Beats,
    localparam int unsigned OutBeats = 2 * InBeats,
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
  logic [(Bits + 2)-1:0] m_data;
  logic [InPlaceBits-1:0] in_q, needs;
  logic [PlaceBits-1:0] out_q;
  wire reader = 1'b1;

  qun_interpolate #(
      .Lines(Lines),
      .Items(Items),
      .Beats(Beats),
      .Bits(Bits),
      .Signed(Signed)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_frames #(
      .Bits        ((Bits + 2)),
      .InBeats     (InBeats),
      .OutBeats    (OutBeats),
      .AnswerWithin(4),
      .ReadyWithin (4 * Beats + 4)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  localparam int unsigned OutBits = Bits + 2;

  // How much of an item of an axis is in one of twice as many, in quarters; edges are repeated.
  function automatic int unsigned share(int unsigned items, int unsigned twice, int unsigned item);
    int unsigned near = twice / 2;
    int unsigned far = (twice % 2 == 0) ? ((near == 0) ? 0 : near - 1)
        : ((near == items - 1) ? near : near + 1);
    return 3 * 32'(item == near) + 32'(item == far);
  endfunction

  function automatic int unsigned weight(int unsigned to, int unsigned from);
    if (to / (2 * Items * Beats) != from / (Items * Beats) || to % Beats != from % Beats) begin
      return 0;
    end
    return share(Items, to / Beats % (2 * Items), from / Beats % Items);
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
