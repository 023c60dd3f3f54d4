// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_maximum, one lane: the greater of the two beats that stand together.
//
// A frame of proof_frames.sv is one beat here, tlast a part of it: that of both streams, which end together.

`include "qun_assert.svh"

`default_nettype none

module prove_maximum #(
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 3,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [Bits-1:0] first_data,
    input wire logic first_valid,
    input wire logic first_last,
    input wire logic [Bits-1:0] second_data,
    input wire logic second_valid,
    input wire logic second_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic first_ready, second_ready, s_valid, s_ready, m_valid, m_last, watched, due, last_q;
  logic [Bits-1:0] m_data;
  logic in_q, out_q;
  wire place = 1'b0;
  wire needs = 1'b1;
  wire reader = 1'b1;
  wire s_last = first_last;

  qun_maximum #(
      .Bits(Bits),
      .Signed(Signed)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_first_tdata  (first_data),
      .s_axis_first_tvalid (first_valid),
      .s_axis_first_tready (first_ready),
      .s_axis_first_tlast  (first_last),
      .s_axis_second_tdata (second_data),
      .s_axis_second_tvalid(second_valid),
      .s_axis_second_tready(second_ready),
      .s_axis_second_tlast (second_last),
      .m_axis_tdata        (m_data),
      .m_axis_tvalid       (m_valid),
      .m_axis_tready       (m_ready),
      .m_axis_tlast        (m_last)
  );

  // A beat of the first stream goes in with the one that stands at the second.
  assign s_valid = first_valid && second_valid;
  assign s_ready = first_ready || !s_valid;

  proof_frames #(
      .Bits        (Bits),
      .HasLast     (1'b0),
      .AnswerWithin(1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(first, first_valid, first_ready, {first_last, first_data})
  `PROOF_WRITER(second, second_valid, second_ready, {second_last, second_data})

  logic [Bits-1:0] greater_q;
  logic second_greater;
  assign second_greater = Signed ? signed'(second_data) > signed'(first_data)
      : second_data > first_data;

  always_ff @(posedge clk) begin
    if (watched) begin
      greater_q <= second_greater ? second_data : first_data;
    end
  end

  always_comb begin
    if (rst_n && s_valid) begin
      assume (first_last == second_last);
    end
  end

  `PROOF_PROPERTY(taken_together, (first_valid && first_ready) == (second_valid && second_ready))

  always_ff @(posedge clk) begin
    if (watched) begin
      last_q <= first_last;
    end
  end

  `PROOF_PROPERTY(greater_of_both, !due || m_data == greater_q)
  `PROOF_PROPERTY(last_with_its_beat, !due || m_last == last_q)

endmodule

`default_nettype wire
