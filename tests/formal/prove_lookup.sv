// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_lookup, one lane: each beat is the table's entry of its value. The table is that of proof_cases.py.

`include "qun_assert.svh"

`default_nettype none

module prove_lookup #(
    /// Bits of an input [1 or more]
    parameter int unsigned InBits = 3,
    /// Bits of an output [1 or more]
    parameter int unsigned OutBits = 3
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

  qun_lookup #(
      .InBits(InBits),
      .OutBits(OutBits),
      .TableFile("table.mem")
  ) u_dut (
      `PROOF_PORTS
  );

  // A frame is one beat here, tlast a part of it.
  proof_frames #(
      .Bits        (OutBits),
      .HasLast     (1'b0),
      .Ahead       (7),
      .AnswerWithin(2)
  ) u_frames (
      .*
  );

  `PROOF_WRITER(input, s_valid, s_ready, {s_last, s_data})

  always_ff @(posedge clk) begin
    if (watched) begin
      last_q <= s_last;
    end
  end

  logic [InBits-1:0] value_q;
  logic [31:0] entry;
  assign entry = 32'(value_q) * 32'(value_q) + 32'd5;

  always_ff @(posedge clk) begin
    if (watched) begin
      value_q <= s_data;
    end
  end

  `PROOF_PROPERTY(entry_of_value, !due || m_data == OutBits'(entry))

  `PROOF_PROPERTY(last_with_its_beat, !due || m_last == last_q)

endmodule

`default_nettype wire
