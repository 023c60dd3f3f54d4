// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_register_slice.

`include "qun_assert.svh"

`default_nettype none

module prove_register_slice #(
    /// Bits of a beat [2 or more]
    parameter int unsigned Bits = 2
) (
    input wire logic            clk,
    input wire logic            reset,
    input wire logic [Bits-1:0] s_data,
    input wire logic            s_valid,
    input wire logic            s_last,
    input wire logic            m_ready
);

  `PROOF_RESET
  logic s_ready, m_valid, m_last;
  logic [Bits-1:0] m_data;

  qun_register_slice #(
      .Bits(Bits + 1)
  ) u_dut (
      .s_data({s_last, s_data}),
      .m_data({m_last, m_data}),
      .*
  );

  proof_stream #(
      .Bits        (Bits),
      .AnswerWithin(2),
      .ReadyWithin (1)
  ) u_stream (
      .*
  );

endmodule

`default_nettype wire
