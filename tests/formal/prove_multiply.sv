// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_multiply, one lane: the product of each beat with the one that stands at the second stream.
//
// What it must do whatever it computes stands in proof_join.sv.

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
  logic first_ready, second_ready, m_valid, m_last, taken, watched, due;
  logic [OutBits-1:0] m_data;
  logic [$clog2(Groups + 1)-1:0] group_q;  // beats of the pixel that went in
  logic group_end;
  assign group_end = 32'(group_q) == Groups - 1;

  qun_multiply #(
      .FirstChannels(Groups),
      .SecondChannels(1),
      .FirstBits(FirstBits),
      .FirstSigned(FirstSigned),
      .SecondBits(SecondBits),
      .SecondSigned(SecondSigned),
      .OutBits(OutBits)
  ) u_dut (
      `PROOF_JOIN_PORTS
  );

  proof_join #(
      .FirstBits (FirstBits),
      .SecondBits(SecondBits),
      .OutBits   (OutBits)
  ) u_join (
      .second_goes(group_end),
      .*
  );

  function automatic longint first_number();
    return FirstSigned ? longint'(signed'(first_data)) : longint'(first_data);
  endfunction

  function automatic longint second_number();
    return SecondSigned ? longint'(signed'(second_data)) : longint'(second_data);
  endfunction

  logic [OutBits-1:0] product_q;

  always_ff @(posedge clk) begin
    if (watched) begin
      product_q <= OutBits'(first_number() * second_number());
    end
    if (taken) begin
      group_q <= group_end ? '0 : group_q + 1'b1;
    end
    if (!rst_n) begin
      group_q <= '0;
    end
  end

  `PROOF_PROPERTY(right_product, !due || m_data == product_q)

endmodule

`default_nettype wire
