// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_fork. A reader that has its beat need not be ready, so that the bounds hold for readers that wait for tvalid.

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

  logic awake = 1'b0;  // after the first cycle, which is a reset
  logic rst_n;
  logic s_ready;
  logic [Outputs*Bits-1:0] m_data;
  logic [Outputs-1:0] m_valid, m_last;

  always_ff @(posedge clk) awake <= 1'b1;
  assign rst_n = awake && !reset;

  qun_fork #(
      .Bits   (Bits),
      .Outputs(Outputs)
  ) u_dut (
      .clk,
      .rst_n,
      .s_axis_tdata (s_data),
      .s_axis_tvalid(s_valid),
      .s_axis_tready(s_ready),
      .s_axis_tlast (s_last),
      .m_axis_tdata (m_data),
      .m_axis_tvalid(m_valid),
      .m_axis_tready(m_ready),
      .m_axis_tlast (m_last)
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
