// SPDX-License-Identifier: Apache-2.0
//
// Model of the write port of a distributed RAM of an ECP5 as nextpnr packs it, for simulations of routed netlists: the
// inputs of two LUT places that lead to the storage of four others.

`default_nettype none

module TRELLIS_RAMW (
    input  wire logic A0,
    input  wire logic A1,
    input  wire logic B0,
    input  wire logic B1,
    input  wire logic C0,
    input  wire logic C1,
    input  wire logic D0,
    input  wire logic D1,
    output logic      WDO0,
    output logic      WDO1,
    output logic      WDO2,
    output logic      WDO3,
    output logic      WADO0,
    output logic      WADO1,
    output logic      WADO2,
    output logic      WADO3
);

  assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
  assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};

endmodule

`default_nettype wire
