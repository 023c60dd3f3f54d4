// SPDX-License-Identifier: Apache-2.0
//
// Proof of qun_add, one lane: the weighted sum of the two beats that stand together, requantised by the definition.
//
// What it must do whatever it computes stands in proof_join.sv.

`include "qun_assert.svh"

`default_nettype none

module prove_add #(
    /// Bits of the first stream [1 to 16]
    parameter int unsigned FirstBits = 3,
    /// Whether the first stream is signed [0 or 1]
    parameter bit FirstSigned = 1'b0,
    /// Bits of the second stream [1 to 16]
    parameter int unsigned SecondBits = 3,
    /// Whether the second stream is signed [0 or 1]
    parameter bit SecondSigned = 1'b0,
    /// Binary places that are added to the first stream [0 to 8]
    parameter int unsigned FirstShift = 0,
    /// Binary places that are added to the second stream [0 to 8]
    parameter int unsigned SecondShift = 0,
    /// What the first stream is multiplied by [other than 0]
    parameter int FirstGain = 1,
    /// What the second stream is multiplied by [other than 0]
    parameter int SecondGain = 1,
    /// Binary places of the sum that are dropped; below 0, that are added [-8 to 16]
    parameter int Shift = 0,
    /// Bits of an output [1 to 16]
    parameter int unsigned OutBits = 4,
    /// Whether outputs are signed [0 or 1]
    parameter bit OutSigned = 1'b0,
    /// Whether the least output is reached [0 or 1]
    parameter bit Below = 1'b1
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
  logic first_ready, second_ready, m_valid, m_last, watched, due;
  logic [OutBits-1:0] m_data;

  qun_add #(
      .FirstBits(FirstBits),
      .FirstSigned(FirstSigned),
      .FirstShift(FirstShift),
      .SecondBits(SecondBits),
      .SecondSigned(SecondSigned),
      .SecondShift(SecondShift),
      .FirstGain(FirstGain),
      .SecondGain(SecondGain),
      .Shift(Shift),
      .OutBits(OutBits),
      .OutSigned(OutSigned)
  ) u_dut (
      `PROOF_JOIN_PORTS
  );

  proof_join #(
      .FirstBits (FirstBits),
      .SecondBits(SecondBits),
      .OutBits   (OutBits)
  ) u_join (
      .second_goes(1'b1),
      .taken(),
      .*
  );

  function automatic longint first_number();
    return FirstSigned ? longint'(signed'(first_data)) : longint'(first_data);
  endfunction

  function automatic longint second_number();
    return SecondSigned ? longint'(signed'(second_data)) : longint'(second_data);
  endfunction

  logic signed [63:0] value;
  logic signed [31:0] sum_q;
  assign value = longint'(sum_q);

  always_ff @(posedge clk) begin
    if (watched) begin
      sum_q <= 32'(first_number() * FirstGain * (1 << FirstShift)
          + second_number() * SecondGain * (1 << SecondShift));
    end
  end

  proof_rounded #(
      .Shift    (Shift),
      .OutBits  (OutBits),
      .OutSigned(OutSigned),
      .Below    (Below)
  ) u_rounded (
      .rst_n,
      .valid(due),
      .value,
      .data (m_data)
  );

endmodule

`default_nettype wire
