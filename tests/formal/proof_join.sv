// SPDX-License-Identifier: Apache-2.0
//
// What a module must do that makes a beat of the two that stand together at its streams, whatever it computes of them.
//
// A frame of proof_frames.sv is one beat here, tlast a part of it: that of both streams, which end together.

`include "qun_assert.svh"

`default_nettype none

module proof_join #(
    /// Bits of a beat of the first stream [1 or more]
    parameter int unsigned FirstBits = 2,
    /// Bits of a beat of the second stream [1 or more]
    parameter int unsigned SecondBits = 2,
    /// Bits of a beat that comes out [1 or more]
    parameter int unsigned OutBits = 2
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic                  awake,
    input  wire logic                  watch,         // free: a beat that goes in is the one
    input  wire logic                  second_goes,   // the second's beat goes in; else it stays
    input  wire logic [ FirstBits-1:0] first_data,
    input  wire logic                  first_valid,
    input  wire logic                  first_ready,
    input  wire logic                  first_last,
    input  wire logic [SecondBits-1:0] second_data,
    input  wire logic                  second_valid,
    input  wire logic                  second_ready,
    input  wire logic                  second_last,
    input  wire logic [   OutBits-1:0] m_data,
    input  wire logic                  m_valid,
    input  wire logic                  m_ready,
    input  wire logic                  m_last,
    output logic                       taken,         // a beat of the first goes in
    output logic                       watched,       // and it is the one
    output logic                       due            // what is on offer was made of it
);

  logic s_valid, s_ready, last_q;
  logic in_q, out_q;
  wire place = 1'b0;
  wire needs = 1'b1;
  wire reader = 1'b1;
  wire s_last = first_last;

  assign s_valid = first_valid && second_valid;
  assign s_ready = first_ready || !s_valid;
  assign taken = s_valid && s_ready;

  proof_frames #(
      .Bits        (OutBits),
      .HasLast     (1'b0),
      .AnswerWithin(1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(first, first_valid, first_ready, {first_last, first_data})
  `PROOF_WRITER(second, second_valid, second_ready, {second_last, second_data})

  always_ff @(posedge clk) begin
    if (watched) begin
      last_q <= first_last;
    end
  end

  always_comb begin
    if (rst_n && s_valid) begin
      assume (first_last == (second_last && second_goes));
    end
  end

  `PROOF_PROPERTY(taken_together,
                  (second_valid && second_ready) == (first_valid && first_ready && second_goes))
  `PROOF_PROPERTY(last_with_its_beat, !due || m_last == last_q)

endmodule

`default_nettype wire
