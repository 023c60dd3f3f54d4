// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_credit_fifo with a producer that takes a credit and pushes its beat some cycles later, as all do.

`include "qun_assert.svh"

`default_nettype none

module prove_credit_fifo #(
    /// Bits of a beat [2 or more]
    parameter int unsigned Bits = 2,
    /// Beats that it holds [a power of two, 2 or more]
    parameter int unsigned Depth = 4,
    /// Cycles from a credit to its push [1 or more]
    parameter int unsigned Latency = 3
) (
    input wire logic            clk,
    input wire logic            reset,
    input wire logic [Bits-1:0] s_data,
    input wire logic            s_valid,
    input wire logic            s_last,
    input wire logic            m_ready
);

  localparam int unsigned HeldBits = $clog2(Depth + 2);

  `PROOF_RESET
  logic s_ready, m_valid, m_last;
  logic [Bits-1:0] m_data;
  logic take;
  logic [Latency-1:0] underway_q;
  logic [Latency-1:0][Bits:0] beats_q;
  logic [HeldBits-1:0] held_q;  // credits that are out
  assign take = s_valid && s_ready;

  always_ff @(posedge clk) begin
    underway_q <= Latency'({underway_q, take});
    beats_q <= (Latency * (Bits + 1))'({beats_q, s_last, s_data});
    held_q <= held_q + HeldBits'(take) - HeldBits'(m_valid && m_ready);
    if (!rst_n) begin
      underway_q <= '0;
      held_q <= '0;
    end
  end

  qun_credit_fifo #(
      .Bits (Bits),
      .Depth(Depth)
  ) u_dut (
      .clk,
      .rst_n,
      .credit       (s_ready),
      .take,
      .push         (underway_q[Latency-1]),
      .push_data    (beats_q[Latency-1][Bits-1:0]),
      .push_last    (beats_q[Latency-1][Bits]),
      .m_axis_tdata (m_data),
      .m_axis_tvalid(m_valid),
      .m_axis_tready(m_ready),
      .m_axis_tlast (m_last)
  );

  // A pop gives its credit back in the next cycle; with fewer places than a credit is away, all may be on their way.
  proof_stream #(
      .Bits        (Bits),
      .AnswerWithin(Depth + Latency),
      .ReadyWithin (Latency + 1)
  ) u_stream (
      .*
  );

  `PROOF_PROPERTY(no_overflow, 32'(held_q) <= Depth)
  `PROOF_PROPERTY(credit_where_a_place_is_free, s_ready == (32'(held_q) != Depth))
  `PROOF_COVER(all_credits_out, 32'(held_q) == Depth)

endmodule

`default_nettype wire
