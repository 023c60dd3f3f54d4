// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_multiply, one lane: the product of each beat with the one that stands at the second stream.
//
// A frame of proof_frames.sv is one beat here, tlast a part of it: that of both streams, which end together.

`include "qun_assert.svh"

`default_nettype none

module prove_multiply #(
    /// Beats of the first stream for each of the second, if that is a gate [1 or more]
    parameter int unsigned Groups = 1,
    /// Bits of the first stream [1 to 16]
    parameter int unsigned FirstBits = 3,
    /// Whether the first stream is signed [0 or 1]
    parameter bit FirstSigned = 1'b0,
    /// Bits of the second stream [1 to 16]
    parameter int unsigned SecondBits = 3,
    /// Whether the second stream is signed [0 or 1]
    parameter bit SecondSigned = 1'b0,
    /// Bits of an output [enough for every product]
    parameter int unsigned OutBits = 6
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [FirstBits-1:0] first_data,
    input wire logic first_valid,
    input wire logic first_last,
    input wire logic [SecondBits-1:0] second_data,
    input wire logic second_valid,
    input wire logic second_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic first_ready, second_ready, s_valid, s_ready, m_valid, m_last, watched, due, last_q;
  logic [OutBits-1:0] m_data;
  logic in_q, out_q;
  wire place = 1'b0;
  wire needs = 1'b1;
  wire reader = 1'b1;
  wire s_last = first_last;

  qun_multiply #(
      .FirstChannels(Groups),
      .SecondChannels(1),
      .FirstBits(FirstBits),
      .FirstSigned(FirstSigned),
      .SecondBits(SecondBits),
      .SecondSigned(SecondSigned),
      .OutBits(OutBits)
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
      .Bits        (OutBits),
      .HasLast     (1'b0),
      .AnswerWithin(1)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(first, first_valid, first_ready, {first_last, first_data})
  `PROOF_WRITER(second, second_valid, second_ready, {second_last, second_data})

  function automatic longint first_number();
    return FirstSigned ? longint'(signed'(first_data)) : longint'(first_data);
  endfunction

  function automatic longint second_number();
    return SecondSigned ? longint'(signed'(second_data)) : longint'(second_data);
  endfunction

  logic [OutBits-1:0] product_q;
  logic [$clog2(Groups + 1)-1:0] group_q;  // beats of the pixel that went in
  logic group_end;
  assign group_end = 32'(group_q) == Groups - 1;

  always_ff @(posedge clk) begin
    if (watched) begin
      product_q <= OutBits'(first_number() * second_number());
    end
    if (s_valid && s_ready) begin
      group_q <= group_end ? '0 : group_q + 1'b1;
    end
    if (!rst_n) begin
      group_q <= '0;
    end
  end

  always_comb begin
    if (rst_n && s_valid) begin
      assume (first_last == (second_last && group_end));
    end
  end

  `PROOF_PROPERTY(gate_taken_with_last_group,
                  (second_valid && second_ready) == (first_valid && first_ready && group_end))

  always_ff @(posedge clk) begin
    if (watched) begin
      last_q <= first_last;
    end
  end

  `PROOF_PROPERTY(right_product, !due || m_data == product_q)
  `PROOF_PROPERTY(last_with_its_beat, !due || m_last == last_q)

endmodule

`default_nettype wire
