// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_fork. A reader that has its beat need not be ready, so that the bounds hold for readers that wait for tvalid.

`include "qun_assert.svh"

`default_nettype none

module prove_fork #(
    /// Bits of a beat [2 or more]
    parameter int unsigned Bits = 2,
    /// Readers [1 or more]
    parameter int unsigned Outputs = 2
) (
    input wire logic               clk,
    input wire logic               reset,
    input wire logic [   Bits-1:0] s_data,
    input wire logic               s_valid,
    input wire logic               s_last,
    input wire logic [Outputs-1:0] m_ready
);

  `PROOF_RESET
  logic s_ready;
  logic [Outputs*Bits-1:0] m_data;
  logic [Outputs-1:0] m_valid, m_last;

  qun_fork #(
      .Bits   (Bits),
      .Outputs(Outputs)
  ) u_dut (
      `PROOF_PORTS
  );

  proof_stream #(
      .Bits        (Bits),
      .Outputs     (Outputs),
      .AnswerWithin(2),
      .ReadyWithin (1)
  ) u_stream (
      .*
  );

endmodule

`default_nettype wire
