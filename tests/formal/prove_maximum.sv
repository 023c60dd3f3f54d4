// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_maximum, one lane: the greater of the two beats that stand together.
//
// What it must do whatever it computes stands in proof_join.sv.

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
  logic first_ready, second_ready, m_valid, m_last, watched, due;
  logic [Bits-1:0] m_data;

  qun_maximum #(
      .Bits(Bits),
      .Signed(Signed)
  ) u_dut (
      `PROOF_JOIN_PORTS
  );

  proof_join #(
      .FirstBits (Bits),
      .SecondBits(Bits),
      .OutBits   (Bits)
  ) u_join (
      .second_goes(1'b1),
      .taken(),
      .*
  );

  logic [Bits-1:0] greater_q;
  logic second_greater;
  assign second_greater = Signed ? signed'(second_data) > signed'(first_data)
      : second_data > first_data;

  always_ff @(posedge clk) begin
    if (watched) begin
      greater_q <= second_greater ? second_data : first_data;
    end
  end

  `PROOF_PROPERTY(greater_of_both, !due || m_data == greater_q)

endmodule

`default_nettype wire
