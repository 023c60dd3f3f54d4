// SPDX-License-Identifier: Apache-2.0
//
// What a module must do that passes beats on unchanged, to one reader or to several.
//
// Wolper's colouring: in any stream of beats, two are chosen, and carry 1 and 2 where all others carry 0. A module that does
// not look at its data and loses, doubles, swaps, damages or invents any beat does it to these two in some run. tlast
// stands at the second one. The writer keeps AXI4-Stream's rule; the readers do as they like.
//
// A cycle is willing if no reader refuses a beat that is on offer; bounds are counted in willing cycles.

`include "qun_assert.svh"

`default_nettype none

module proof_stream #(
    /// Bits of a beat [2 or more]
    parameter int unsigned Bits = 2,
    /// Readers [1 or more]
    parameter int unsigned Outputs = 1,
    /// Whether tlast travels with its beat [0 or 1]
    parameter bit HasLast = 1'b1,
    /// Willing cycles after which a beat that went in has come out [1 or more]
    parameter int unsigned AnswerWithin = 2,
    /// Willing cycles in a row in which a beat may be refused [0 or more]
    parameter int unsigned ReadyWithin = 1
) (
    input wire logic                    clk,
    input wire logic                    rst_n,
    input wire logic [        Bits-1:0] s_data,
    input wire logic                    s_valid,
    input wire logic                    s_ready,
    input wire logic                    s_last,
    input wire logic [Outputs*Bits-1:0] m_data,
    input wire logic [     Outputs-1:0] m_valid,
    input wire logic [     Outputs-1:0] m_ready,
    input wire logic [     Outputs-1:0] m_last
);

  localparam int unsigned LateBits = $clog2(AnswerWithin + 2);
  localparam int unsigned RefusedBits = $clog2(ReadyWithin + 2);

  // A colour in every bit of a beat.
  function automatic logic [Bits-1:0] beat(logic [1:0] colour);
    for (int unsigned bit_of = 0; bit_of < Bits; bit_of++) begin
      beat[bit_of] = colour[bit_of%2];
    end
  endfunction

  logic [1:0] sent_q;  // coloured beats that went in
  logic held_q;
  logic [Bits:0] offer_q;
  logic willing;
  logic [RefusedBits-1:0] refused_q;

  assign willing = (m_valid & ~m_ready) == '0;

  always_ff @(posedge clk) begin
    if (s_valid && s_ready && s_data != '0) begin
      sent_q <= sent_q + 1'b1;
    end
    held_q <= s_valid && !s_ready;
    offer_q <= {s_last, s_data};
    if (s_ready) begin
      refused_q <= '0;
    end else if (willing && 32'(refused_q) <= ReadyWithin) begin
      refused_q <= refused_q + 1'b1;
    end
    if (!rst_n) begin
      sent_q <= '0;
      held_q <= 1'b0;
      refused_q <= '0;
    end
  end

  always_comb begin
    if (rst_n && s_valid) begin
      assume (s_data == '0 || s_data == beat(sent_q + 2'd1));
      assume (s_data == '0 || sent_q != 2'd2);
      assume (!HasLast || s_last == (s_data == beat(2'd2)));
    end
    if (rst_n && held_q) begin
      assume (s_valid && {s_last, s_data} == offer_q);
    end
  end

  `PROOF_PROPERTY(ready_in_time, 32'(refused_q) <= ReadyWithin)
  `PROOF_COVER(refused, s_valid && !s_ready)

  for (genvar i = 0; i < Outputs; i++) begin : gen_output
    logic [Bits-1:0] data;
    logic valid, ready, last;
    logic [1:0] got_q;  // coloured beats that came out
    logic waits_q;
    logic [Bits:0] shown_q;
    logic [LateBits-1:0] late_q;

    assign data  = m_data[i*Bits+:Bits];
    assign valid = m_valid[i];
    assign ready = m_ready[i];
    assign last  = m_last[i];

    always_ff @(posedge clk) begin
      if (valid && ready && data != '0) begin
        got_q <= got_q + 1'b1;
      end
      waits_q <= valid && !ready;
      shown_q <= {last, data};
      if (got_q != sent_q && willing && 32'(late_q) <= AnswerWithin) begin
        late_q <= late_q + 1'b1;
      end
      if (valid && ready && data != '0) begin
        late_q <= '0;
      end
      if (!rst_n) begin
        got_q   <= '0;
        waits_q <= 1'b0;
        late_q  <= '0;
      end
    end

    `PROOF_PROPERTY(whole, !valid || data == '0 || data == beat(2'd1) || data == beat(2'd2))
    `PROOF_PROPERTY(none_invented, !valid || data == '0 || got_q != sent_q)
    `PROOF_PROPERTY(none_doubled, !valid || data == '0 || data[1:0] > got_q)
    `PROOF_PROPERTY(none_lost_or_overtaken, !valid || data == '0 || data[1:0] <= got_q + 2'd1)
    `PROOF_PROPERTY(offer_held, !waits_q || (valid && data == shown_q[Bits-1:0]))
    `PROOF_PROPERTY(answer_in_time, 32'(late_q) <= AnswerWithin)
    if (HasLast) begin : gen_last
      `PROOF_PROPERTY(last_with_its_beat, !valid || last == (data == beat(2'd2)))
      `PROOF_PROPERTY(last_held, !waits_q || last == shown_q[Bits])
    end
    `PROOF_COVER(both_came, got_q == 2'd2)
    `PROOF_COVER(waited, waits_q)
  end

endmodule

`default_nettype wire
