// SPDX-License-Identifier: Apache-2.0
//
// Model of the multiplier of an ECP5 for simulations of netlists: 18 x 18 bits without registers, both operands from the
// ports A and B, as the synthesis uses it. Every other configuration ends the simulation, or its build.

`default_nettype none

module MULT18X18D #(
    parameter string REG_INPUTA_CLK = "NONE",
    parameter string REG_INPUTB_CLK = "NONE",
    parameter string REG_INPUTC_CLK = "NONE",
    parameter string REG_PIPELINE_CLK = "NONE",
    parameter string REG_OUTPUT_CLK = "NONE",
    parameter string MULT_BYPASS = "DISABLED"
) (
    input wire logic
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input wire logic
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input wire logic
        C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input wire logic SIGNEDA,
    input wire logic SIGNEDB,
    input wire logic SOURCEA,
    input wire logic SOURCEB,
    output logic
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
        P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);

  if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE"
      || REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "NONE") begin : gen_registers
    $fatal(1, "MULT18X18D: registers are not modelled");
  end
  if (MULT_BYPASS != "DISABLED") begin : gen_bypass
    $fatal(1, "MULT18X18D: the bypass is not modelled");
  end

  logic [17:0] a, b, c;
  logic [35:0] product;

  assign a = {
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
  };
  assign b = {
    B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
  };
  assign c = {
    C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0
  };
  // Each operand is extended by its own sign; 36 bits hold every product.
  assign product = {{18{SIGNEDA & A17}}, a} * {{18{SIGNEDB & B17}}, b};
  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
    P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = product;

  always_comb begin
    if (SOURCEA || SOURCEB || c != 18'd0) begin
      $fatal(1, "MULT18X18D: operands from the shift chain, and operand C, are not modelled");
    end
  end

endmodule

`default_nettype wire
