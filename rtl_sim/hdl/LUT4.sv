// SPDX-License-Identifier: Apache-2.0
//
// Model of a LUT of an ECP5 for simulations of netlists: a table. Yosys' own model, a tree of multiplexers, computes the
// same and simulates several times slower.

`default_nettype none

module LUT4 #(
    parameter logic [15:0] INIT = 16'h0000
) (
    input  wire logic A,
    input  wire logic B,
    input  wire logic C,
    input  wire logic D,
    output logic      Z
);

  assign Z = 1'(INIT >> {D, C, B, A});

endmodule

`default_nettype wire
