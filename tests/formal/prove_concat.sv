// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_concat: both legs carry the colours of proof_stream.sv, each its own, and every pixel is the skip leg's groups and
// then the up leg's.
//
// Bit 2 of a beat says whose it is. The up leg's tlast stands at the end of a pixel whose last group carries the second colour.

`include "qun_assert.svh"

`default_nettype none

module prove_concat #(
    /// Beats of a pixel of the skip leg [1 or more]
    parameter int unsigned SkipGroups = 1,
    /// Beats of a pixel of the up leg [1 or more]
    parameter int unsigned UpGroups = 1
) (
    input wire logic       clk,
    input wire logic       reset,
    input wire logic [1:0] skip_colour,
    input wire logic       skip_valid,
    input wire logic       skip_last,
    input wire logic [1:0] up_colour,
    input wire logic       up_valid,
    input wire logic       up_last,
    input wire logic       m_ready
);

  localparam int unsigned Groups = SkipGroups + UpGroups;
  localparam int unsigned GroupBits = $clog2(Groups);
  localparam int unsigned AnswerWithin = Groups + 2;
  localparam int unsigned LateBits = $clog2(AnswerWithin + 2);

  `PROOF_RESET
  logic skip_ready, up_ready, m_valid, m_last;
  logic [2:0] m_data;

  qun_concat #(
      .SkipChannels(SkipGroups),
      .UpChannels  (UpGroups),
      .Lanes       (1),
      .Bits        (3)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_skip_tdata ({1'b0, skip_colour}),
      .s_axis_skip_tvalid(skip_valid),
      .s_axis_skip_tready(skip_ready),
      .s_axis_skip_tlast (skip_last),
      .s_axis_up_tdata   ({1'b1, up_colour}),
      .s_axis_up_tvalid  (up_valid),
      .s_axis_up_tready  (up_ready),
      .s_axis_up_tlast   (up_last),
      .m_axis_tdata      (m_data),
      .m_axis_tvalid     (m_valid),
      .m_axis_tready     (m_ready),
      .m_axis_tlast      (m_last)
  );

  // Of the skip leg and of the up leg: what went in and came out, and what waits.
  logic [1:0] valid, ready, last, taken, held_q, behind;
  logic [1:0][1:0] colour, sent_q, got_q;
  logic [1:0][2:0] offer_q;
  logic [GroupBits-1:0] up_group_q, group_q;
  logic up_end, up_turn, waits_q, refused_q, both;
  logic [3:0] shown_q;
  logic [LateBits-1:0] late_q;

  assign valid = {up_valid, skip_valid};
  assign ready = {up_ready, skip_ready};
  assign last = {up_last, skip_last};
  assign colour = {up_colour, skip_colour};
  assign taken = valid & ready;
  assign up_end = 32'(up_group_q) == UpGroups - 1;
  assign up_turn = 32'(group_q) >= SkipGroups;
  assign behind = {got_q[1] != sent_q[1], got_q[0] != sent_q[0]};
  assign both = skip_valid && up_valid && (!m_valid || m_ready);

  always_ff @(posedge clk) begin
    for (int unsigned leg = 0; leg < 2; leg++) begin
      if (taken[leg] && colour[leg] != '0) begin
        sent_q[leg] <= sent_q[leg] + 1'b1;
      end
      if (m_valid && m_ready && m_data[2] == 1'(leg) && m_data[1:0] != '0) begin
        got_q[leg] <= got_q[leg] + 1'b1;
      end
      offer_q[leg] <= {last[leg], colour[leg]};
    end
    held_q <= valid & ~ready;
    if (taken[1]) begin
      up_group_q <= up_end ? '0 : up_group_q + 1'b1;
    end
    if (m_valid && m_ready) begin
      group_q <= (32'(group_q) == Groups - 1) ? '0 : group_q + 1'b1;
    end
    waits_q <= m_valid && !m_ready;
    shown_q <= {m_last, m_data};
    refused_q <= both && taken == '0;
    if (behind == '0 || (m_valid && m_ready && m_data[1:0] != '0)) begin
      late_q <= '0;
    end else if (both && 32'(late_q) <= AnswerWithin) begin
      late_q <= late_q + 1'b1;
    end
    if (!rst_n) begin
      sent_q <= '0;
      got_q <= '0;
      held_q <= '0;
      up_group_q <= '0;
      group_q <= '0;
      waits_q <= 1'b0;
      refused_q <= 1'b0;
      late_q <= '0;
    end
  end

  for (genvar leg = 0; leg < 2; leg++) begin : gen_leg
    always_comb begin
      if (rst_n && valid[leg]) begin
        assume (colour[leg] == '0 || (colour[leg] == sent_q[leg] + 2'd1 && sent_q[leg] != 2'd2));
      end
      if (rst_n && held_q[leg]) begin
        assume (valid[leg] && {last[leg], colour[leg]} == offer_q[leg]);
      end
    end
    logic comes;
    assign comes = m_valid && m_data[2] == 1'(leg) && m_data[1:0] != '0;
    `PROOF_PROPERTY(in_order_and_none_lost, !comes || m_data[1:0] == got_q[leg] + 2'd1)
    `PROOF_PROPERTY(none_invented, !comes || m_data[1:0] <= sent_q[leg])
    `PROOF_COVER(both_came, got_q[leg] == 2'd2)
    `PROOF_COVER(refused, valid[leg] && !ready[leg])
  end

  always_comb begin
    if (rst_n && up_valid) begin
      assume (up_last == (up_end && up_colour == 2'd2));
    end
  end

  `PROOF_PROPERTY(legs_in_turn, !m_valid || m_data[2] == up_turn)
  `PROOF_PROPERTY(last_with_its_beat,
                  !m_valid || m_last == (m_data == {1'b1, 2'd2} && 32'(group_q) == Groups - 1))
  `PROOF_PROPERTY(offer_held, !waits_q || (m_valid && {m_last, m_data} == shown_q))
  `PROOF_PROPERTY(answer_in_time, 32'(late_q) <= AnswerWithin)
  `PROOF_PROPERTY(ready_in_time, !refused_q || !both || taken != '0)
  `PROOF_COVER(last_came, m_valid && m_last)
  `PROOF_COVER(waited, waits_q)

endmodule

`default_nettype wire
