// SPDX-License-Identifier: Apache-2.0
//
// Model of a LUT place of an ECP5 as nextpnr packs it, for simulations of routed netlists: a LUT of four inputs, half a
// carry cell (CCU2), one bit of a 16 x 4 distributed RAM (DPRAM), or a place that a write port takes (RAMW_BLOCK).
//
// Of a carry cell the LUT says whether the carry goes through, and its first four entries, of A and B, which one is made
// otherwise; CCU2_INJECT1 leaves the carry out of the sum. Wide multiplexers (OFX) are not modelled, and have no port.

`default_nettype none

module TRELLIS_COMB #(
    parameter logic [127:0] MODE = "LOGIC",
    parameter logic [15:0] INITVAL = 16'h0000,
    parameter logic [127:0] CCU2_INJECT1 = "YES",
    parameter logic [127:0] WCKMUX = "WCK",
    parameter logic [127:0] WREMUX = "WRE"
) (
    input  wire logic A,
    input  wire logic B,
    input  wire logic C,
    input  wire logic D,
    input  wire logic FCI,
    input  wire logic WCK,
    input  wire logic WRE,
    input  wire logic WD,
    input  wire logic WAD0,
    input  wire logic WAD1,
    input  wire logic WAD2,
    input  wire logic WAD3,
    output logic      F,
    output logic      FCO
);

  localparam logic Carry = MODE == "CCU2";
  localparam logic Ram = MODE == "DPRAM";
  localparam logic Inject = CCU2_INJECT1 == "YES";
  localparam logic FallingClock = WCKMUX == "INV";
  localparam logic InvertedWrite = WREMUX == "INV";

  logic lut;
  logic made;  // the carry that is made where none goes through

  assign F   = lut ^ (Carry && !Inject && FCI);
  assign FCO = Carry && (lut ? FCI : !Inject && made);

  generate
    if (Ram) begin : gen_ram
      logic wck;
      logic words[16];

      assign wck  = WCK ^ FallingClock;
      assign lut  = words[{D, C, B, A}];
      assign made = 1'b0;

      initial begin
        for (int i = 0; i < 16; i++) words[i] = INITVAL[i];
      end

      // The bits of the address stand at the LUT's inputs in another order: 0 at D, 1 at B, 2 at C, 3 at A.
      always_ff @(posedge wck) begin
        if (WRE ^ InvertedWrite) words[{WAD0, WAD2, WAD1, WAD3}] <= WD;
      end
    end else begin : gen_constant
      logic unused;

      assign unused = ^{WCK ^ FallingClock, WRE ^ InvertedWrite, WD, WAD3, WAD2, WAD1, WAD0};
      assign lut = 1'(INITVAL >> {D, C, B, A});
      assign made = 1'(INITVAL >> {B, A});
    end
  endgenerate

endmodule

`default_nettype wire
