// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_width_adapter: the colours of proof_stream.sv, lane by lane.
//
// tlast stands at the end of a group of lanes whose last lane carries the second colour. A beat of an unfinished group may
// have to wait for the writer; bounds are counted in cycles in which no reader refuses, and no group waits for its writer.

`include "qun_assert.svh"

`default_nettype none

module prove_width_adapter #(
    /// Lanes of an input beat [1 or more]
    parameter int unsigned InLanes = 1,
    /// Lanes of an output beat [1 or more]
    parameter int unsigned OutLanes = 2,
    /// Lanes of a group, the least common multiple [1 or more]
    parameter int unsigned GroupLanes = 2
) (
    input wire logic                 clk,
    input wire logic                 reset,
    input wire logic [2*InLanes-1:0] s_data,
    input wire logic                 s_valid,
    input wire logic                 s_last,
    input wire logic                 m_ready
);

  localparam int unsigned InBeats = GroupLanes / InLanes;
  localparam int unsigned OutBeats = GroupLanes / OutLanes;
  // Two groups and the register slice, a beat of the narrower side a cycle.
  localparam int unsigned AnswerWithin = 2 * OutBeats + InBeats + 2;
  localparam int unsigned ReadyWithin = OutBeats;
  localparam int unsigned InBits = $clog2(InBeats + 1);
  localparam int unsigned OutBits = $clog2(OutBeats + 1);
  localparam int unsigned LateBits = $clog2(AnswerWithin + 2);
  localparam int unsigned RefusedBits = $clog2(ReadyWithin + 2);

  `PROOF_RESET
  logic s_ready, m_valid, m_last;
  logic [2*OutLanes-1:0] m_data;

  qun_width_adapter #(
      .InLanes (InLanes),
      .OutLanes(OutLanes),
      .Bits    (2)
  ) u_dut (
      `PROOF_PORTS
  );

  // Coloured lanes before and after a beat, and whether they came in their order.
  logic [1:0] sent_q, sent, got_q, got;
  logic sent_in_order, got_in_order;

  always_comb begin
    sent = sent_q;
    sent_in_order = 1'b1;
    for (int unsigned lane = 0; lane < InLanes; lane++) begin
      if (s_data[2*lane+:2] != 2'd0) begin
        if (s_data[2*lane+:2] != sent + 2'd1 || sent == 2'd2) begin
          sent_in_order = 1'b0;
        end
        sent = s_data[2*lane+:2];
      end
    end
    got = got_q;
    got_in_order = 1'b1;
    for (int unsigned lane = 0; lane < OutLanes; lane++) begin
      if (m_data[2*lane+:2] != 2'd0) begin
        if (m_data[2*lane+:2] != got + 2'd1 || got == 2'd2) begin
          got_in_order = 1'b0;
        end
        got = m_data[2*lane+:2];
      end
    end
  end

  logic [InBits-1:0] in_q;  // beats of the group that went in
  logic [OutBits-1:0] out_q;  // beats of the group that came out
  logic in_end, out_end;
  logic held_q, waits_q;
  logic [2*InLanes:0] offer_q;
  logic [2*OutLanes:0] shown_q;
  logic willing;
  logic [RefusedBits-1:0] refused_q;
  logic [LateBits-1:0] late_q;

  assign in_end  = 32'(in_q) == InBeats - 1;
  assign out_end = 32'(out_q) == OutBeats - 1;
  assign willing = !m_valid || m_ready;

  always_ff @(posedge clk) begin
    if (s_valid && s_ready) begin
      sent_q <= sent;
      in_q   <= in_end ? '0 : in_q + 1'b1;
    end
    if (m_valid && m_ready) begin
      got_q <= got;
      out_q <= out_end ? '0 : out_q + 1'b1;
    end
    held_q  <= s_valid && !s_ready;
    offer_q <= {s_last, s_data};
    waits_q <= m_valid && !m_ready;
    shown_q <= {m_last, m_data};
    if (s_ready) begin
      refused_q <= '0;
    end else if (willing && 32'(refused_q) <= ReadyWithin) begin
      refused_q <= refused_q + 1'b1;
    end
    if (got_q == sent_q || (m_valid && m_ready && got != got_q)) begin
      late_q <= '0;
    end else if (willing && (s_valid || in_q == '0) && 32'(late_q) <= AnswerWithin) begin
      late_q <= late_q + 1'b1;
    end
    if (!rst_n) begin
      sent_q <= '0;
      in_q <= '0;
      got_q <= '0;
      out_q <= '0;
      held_q <= 1'b0;
      waits_q <= 1'b0;
      refused_q <= '0;
      late_q <= '0;
    end
  end

  always_comb begin
    if (rst_n && s_valid) begin
      assume (sent_in_order);
      assume (s_last == (in_end && s_data[2*InLanes-1-:2] == 2'd2));
    end
    if (rst_n && held_q) begin
      assume (s_valid && {s_last, s_data} == offer_q);
    end
  end

  `PROOF_PROPERTY(lanes_in_order, !m_valid || got_in_order)
  `PROOF_PROPERTY(none_invented, !m_valid || got <= sent_q)
  `PROOF_PROPERTY(last_ends_its_group,
                  !m_valid || m_last == (out_end && m_data[2*OutLanes-1-:2] == 2'd2))
  `PROOF_PROPERTY(offer_held, !waits_q || (m_valid && {m_last, m_data} == shown_q))
  `PROOF_PROPERTY(answer_in_time, 32'(late_q) <= AnswerWithin)
  `PROOF_PROPERTY(ready_in_time, 32'(refused_q) <= ReadyWithin)
  `PROOF_COVER(both_came, got_q == 2'd2)
  `PROOF_COVER(last_came, m_valid && m_last)
  `PROOF_COVER(waited, waits_q)
  `PROOF_COVER(refused, s_valid && !s_ready)

endmodule

`default_nettype wire
