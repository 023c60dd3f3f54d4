// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_affine, one lane, one set of constants for each channel group, rounded half to even: each beat is
// value * multiplier + offset of its group, requantised by the definition. The constants are those of proof_cases.py.

`include "qun_assert.svh"

`default_nettype none

module prove_affine #(
    /// Words of the constants [1 or more]
    parameter int unsigned Groups = 2,
    /// Bits of an input [1 or more]
    parameter int unsigned InBits = 3,
    /// Whether inputs are signed [0 or 1]
    parameter bit InSigned = 1'b1,
    /// Binary places of the sum that are dropped [1 or more]
    parameter int unsigned Shift = 1,
    /// Bits of an output [1 or more]
    parameter int unsigned OutBits = 3,
    /// Whether outputs are signed [0 or 1]
    parameter bit OutSigned = 1'b1
) (
    input wire logic clk,
    input wire logic reset,
    input wire logic watch,
    input wire logic [InBits-1:0] s_data,
    input wire logic s_valid,
    input wire logic s_last,
    input wire logic m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last, watched, due, last_q;
  logic [OutBits-1:0] m_data;
  logic in_q, out_q;
  wire place = 1'b0;
  wire needs = 1'b1;
  wire reader = 1'b1;

  qun_affine #(
      .Groups(Groups),
      .InBits(InBits),
      .InSigned(InSigned),
      .MultiplierBits(4),
      .OffsetBits(4),
      .SumBits(12),
      .Shift(Shift),
      .Even(1'b1),
      .LimitBits(OutBits),
      .LimitSigned(OutSigned),
      .OutBits(OutBits),
      .ConstantFile("constants.mem")
  ) u_dut (
      `PROOF_PORTS
  );

  // A frame is one beat here, tlast a part of it.
  proof_frames #(
      .Bits        (OutBits),
      .HasLast     (1'b0),
      .Ahead       (7),
      .AnswerWithin(4)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  always_ff @(posedge clk) begin
    if (watched) begin
      last_q <= s_last;
    end
  end

  // Of group g: 3 - 2 * g and g - 2.
  logic [$clog2(Groups + 1)-1:0] group_q;
  longint number;
  logic signed [63:0] value;
  logic signed [15:0] sum_q;
  assign number = InSigned ? longint'(signed'(s_data)) : longint'(s_data);
  assign value = longint'(sum_q);

  always_ff @(posedge clk) begin
    if (s_valid && s_ready) begin
      group_q <= (32'(group_q) == Groups - 1) ? '0 : group_q + 1'b1;
    end
    if (watched) begin
      sum_q <= 16'(number * (64'sd3 - 64'sd2 * longint'(group_q)) + longint'(group_q) - 64'sd2);
    end
    if (!rst_n) begin
      group_q <= '0;
    end
  end

  always_comb begin
    if (rst_n && s_valid) begin
      assume (!s_last || 32'(group_q) == Groups - 1);
    end
  end

  proof_rounded #(
      .Shift    (int'(Shift)),
      .OutBits  (OutBits),
      .OutSigned(OutSigned)
  ) u_rounded (
      .rst_n,
      .valid(due),
      .value,
      .data (m_data)
  );

  `PROOF_PROPERTY(last_with_its_beat, !due || m_last == last_q)

endmodule

`default_nettype wire
