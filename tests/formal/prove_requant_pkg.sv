// SPDX-License-Identifier: Apache-2.0
//
// Proof of the functions of qun_requant_pkg on every value of a width, against what rounding and flooring mean.
//
// Nothing here shifts the value. In range, not too low unless it is the most, not too high unless it is the least: that is one
// number. Where a result wraps, the caller takes its low bits, and what is proven is that it is the floor.

`include "qun_assert.svh"

`default_nettype none

module prove_requant_pkg #(
    /// Bits of the value [2 to 48]
    parameter int unsigned Width = 20,
    /// Binary places that are dropped; below 0, that are added [-15 to 40]
    parameter int Shift = 5,
    /// Bits of a result [1 to 16]
    parameter int unsigned OutBits = 6,
    /// Whether results are signed [0 or 1]
    parameter bit OutSigned = 1'b1
) (
    input wire logic             clk,
    input wire logic [Width-1:0] value
);

  localparam longint Most = (64'sd1 << (OutSigned ? OutBits - 1 : OutBits)) - 64'sd1;
  localparam longint Least = OutSigned ? -Most - 64'sd1 : 64'sd0;
  localparam longint InStep = 64'sd1 << ((Shift < 0) ? -Shift : 0);
  localparam longint OutStep = 64'sd1 << ((Shift > 0) ? Shift : 0);

  logic rst_n;  // no state, so that there is nothing to reset
  longint wide, rounded, twice;

  assign rst_n = 1'b1;
  assign wide = longint'(signed'(value));
  assign rounded = qun_requant_pkg::round_saturate(wide, Shift, int'(OutBits), OutSigned);
  assign twice = 64'sd2 * (wide * InStep - rounded * OutStep);

  // Too high and too low by more than half a step, or by half a step to an odd neighbour.
  logic high, low;
  assign high = twice < -OutStep || (Shift > 0 && twice == -OutStep && rounded[0]);
  assign low = twice > OutStep || (Shift > 0 && twice == OutStep && rounded[0]);

  `PROOF_PROPERTY(rounded_in_range, rounded >= Least && rounded <= Most)
  `PROOF_PROPERTY(rounded_not_too_low, rounded == Most || !low)
  `PROOF_PROPERTY(rounded_not_too_high, rounded == Least || !high)
  `PROOF_PROPERTY(exact_without_dropped_places,
                  Shift > 0 || rounded == Most || rounded == Least || twice == 0)
  `PROOF_COVER(clamped_above, rounded == Most && low)
  `PROOF_COVER(clamped_below, rounded == Least && high)

  if (Shift >= 0) begin : gen_floor
    longint floored, wrapped, rest, wrapped_rest;

    assign floored = qun_requant_pkg::shift_limit(wide, Shift, int'(OutBits), OutSigned, 1'b0);
    assign wrapped = qun_requant_pkg::shift_limit(wide, Shift, int'(OutBits), OutSigned, 1'b1);
    assign rest = wide - floored * OutStep;
    assign wrapped_rest = wide - wrapped * OutStep;

    `PROOF_PROPERTY(floored_in_range, floored >= Least && floored <= Most)
    `PROOF_PROPERTY(floored_not_too_low, floored == Most || rest < OutStep)
    `PROOF_PROPERTY(floored_not_too_high, floored == Least || rest >= 0)
    `PROOF_PROPERTY(wrapped_is_floor, wrapped_rest >= 0 && wrapped_rest < OutStep)
    `PROOF_COVER(floored_above, floored == Most && rest >= OutStep)
    `PROOF_COVER(floored_below, floored == Least && rest < 0)
  end

endmodule

`default_nettype wire
