// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_requant, one lane: every value that went in comes out in its turn, requantised by the definition.
//
// The values that are underway are kept as they came in, and what comes out is held against them by proof_rounded.sv.

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

  `PROOF_RESET
  logic s_ready, m_valid, m_last;
  logic [OutBits-1:0] m_data;

  qun_requant #(
      .InBits   (InBits),
      .InSigned (InSigned),
      .Shift    (Shift),
      .OutBits  (OutBits),
      .OutSigned(OutSigned)
  ) u_dut (
      `PROOF_PORTS
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

  logic signed [63:0] value;
  assign value = InSigned ? longint'(signed'(first_q[InBits-1:0])) : longint'(first_q[InBits-1:0]);

  proof_rounded #(
      .Shift    (Shift),
      .OutBits  (OutBits),
      .OutSigned(OutSigned),
      .Below    (InSigned || !OutSigned)
  ) u_rounded (
      .rst_n,
      .valid(m_valid),
      .value,
      .data (m_data)
  );

  `PROOF_PROPERTY(last_with_its_beat, !m_valid || m_last == first_q[InBits])
  `PROOF_PROPERTY(none_lost_or_invented, m_valid == (held_q != '0) && held_q != 2'd3)
  `PROOF_PROPERTY(offer_held, !waits_q || (m_valid && {m_last, m_data} == shown_q))
  `PROOF_PROPERTY(ready_in_time, !refused_q || s_ready)
  `PROOF_COVER(two_held, held_q == 2'd2 && s_valid)
  `PROOF_COVER(waited, waits_q)

endmodule

`default_nettype wire
