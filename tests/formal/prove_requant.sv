// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_requant, one lane: every value that went in comes out in its turn, requantised by the definition.
//
// The values that are underway are kept as they came in; what comes out is held against them by what rounding means, an error
// of at most half a step and ties to even, and not by another way to round.

`include "qun_assert.svh"

`default_nettype none

module prove_requant #(
    /// Bits of an input [1 to 24]
    parameter int unsigned InBits = 8,
    /// Whether inputs are signed [0 or 1]
    parameter bit InSigned = 1'b1,
    /// Binary places that are dropped; below 0, that are added [-16 to 24]
    parameter int Shift = 3,
    /// Bits of an output [1 to 16]
    parameter int unsigned OutBits = 4,
    /// Whether outputs are signed [0 or 1]
    parameter bit OutSigned = 1'b1
) (
    input wire logic              clk,
    input wire logic              reset,
    input wire logic [InBits-1:0] s_data,
    input wire logic              s_valid,
    input wire logic              s_last,
    input wire logic              m_ready
);

  logic awake = 1'b0;  // after the first cycle, which is a reset
  logic rst_n;
  logic s_ready, m_valid, m_last;
  logic [OutBits-1:0] m_data;

  always_ff @(posedge clk) awake <= 1'b1;
  assign rst_n = awake && !reset;

  qun_requant #(
      .InBits   (InBits),
      .InSigned (InSigned),
      .Shift    (Shift),
      .OutBits  (OutBits),
      .OutSigned(OutSigned)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_data),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .s_axis_tlast (s_last),
      .m_axis_tdata (m_data),
      .m_axis_tvalid(m_valid),
      .m_axis_tready(m_ready),
      .m_axis_tlast (m_last)
  );

  // Oldest first; two places, as many as the slice has.
  logic [InBits:0] first_q, second_q;
  logic [1:0] held_q;
  logic push, pop;
  logic offered_q;
  logic [InBits:0] offer_q;
  logic waits_q;
  logic [OutBits:0] shown_q;
  logic refused_q;

  assign push = s_valid && s_ready;
  assign pop  = m_valid && m_ready;

  always_ff @(posedge clk) begin
    if (pop) begin
      first_q <= second_q;
    end
    if (push) begin
      if (held_q == 2'(pop)) begin
        first_q <= {s_last, s_data};
      end else begin
        second_q <= {s_last, s_data};
      end
    end
    held_q <= held_q + 2'(push) - 2'(pop);
    offered_q <= s_valid && !s_ready;
    offer_q <= {s_last, s_data};
    waits_q <= m_valid && !m_ready;
    shown_q <= {m_last, m_data};
    refused_q <= !s_ready && (!m_valid || m_ready);
    if (!rst_n) begin
      held_q <= '0;
      offered_q <= 1'b0;
      waits_q <= 1'b0;
      refused_q <= 1'b0;
    end
  end

  always_comb begin
    if (rst_n && offered_q) begin
      assume (s_valid && {s_last, s_data} == offer_q);
    end
  end

  localparam longint Most = (64'sd1 << (OutSigned ? OutBits - 1 : OutBits)) - 64'sd1;
  localparam longint Least = OutSigned ? -Most - 64'sd1 : 64'sd0;
  localparam longint InStep = 64'sd1 << ((Shift < 0) ? -Shift : 0);
  localparam longint OutStep = 64'sd1 << ((Shift > 0) ? Shift : 0);

  longint value, result, twice;  // twice the error, in units of the finer step
  logic tie, low, high;

  assign value = InSigned ? longint'(signed'(first_q[InBits-1:0])) : longint'(first_q[InBits-1:0]);
  assign result = OutSigned ? longint'(signed'(m_data)) : longint'(m_data);
  assign twice = 64'sd2 * (value * InStep - result * OutStep);
  // Too low and too high by more than half a step, or by half a step from an even neighbour.
  assign tie = Shift > 0 && (twice == OutStep || twice == -OutStep);
  assign low = twice > OutStep || (tie && twice > 0 && result[0]);
  assign high = twice < -OutStep || (tie && twice < 0 && result[0]);

  // Not too low unless it is the most, not too high unless it is the least: that is one number.
  `PROOF_PROPERTY(not_too_low, !m_valid || result == Most || !low)
  `PROOF_PROPERTY(not_too_high, !m_valid || result == Least || !high)
  `PROOF_PROPERTY(exact_without_dropped_places,
                  !m_valid || Shift > 0 || result == Most || result == Least || twice == 0)
  `PROOF_PROPERTY(last_with_its_beat, !m_valid || m_last == first_q[InBits])
  `PROOF_PROPERTY(none_lost_or_invented, m_valid == (held_q != '0) && held_q != 2'd3)
  `PROOF_PROPERTY(offer_held, !waits_q || (m_valid && {m_last, m_data} == shown_q))
  `PROOF_PROPERTY(ready_in_time, !refused_q || s_ready)
  `PROOF_COVER(at_most, m_valid && result == Most)
  `PROOF_COVER(two_held, held_q == 2'd2 && s_valid)
  `PROOF_COVER(waited, waits_q)
  if (Shift > 0) begin : gen_tie
    `PROOF_COVER(tie_came, m_valid && tie)
  end
  if (InSigned || !OutSigned) begin : gen_least
    `PROOF_COVER(at_least, m_valid && result == Least)
  end

endmodule

`default_nettype wire
