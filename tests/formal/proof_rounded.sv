// SPDX-License-Identifier: Apache-2.0
//
// What a requantised value is: the nearest of value / 2**Shift, ties to even, clamped to a type.
//
// It is held against what rounding means, an error of at most half a step and ties to even, and not against another way
// to round.

`include "qun_assert.svh"

`default_nettype none

module proof_rounded #(
    /// Binary places that are dropped; below 0, that are added [-16 to 24]
    parameter int Shift = 3,
    /// Bits of the result [1 to 16]
    parameter int unsigned OutBits = 4,
    /// Whether the result is signed [0 or 1]
    parameter bit OutSigned = 1'b1,
    /// Whether some value lies below the type [0 or 1]
    parameter bit Below = 1'b1,
    /// Whether some value is a tie [0 or 1]
    parameter bit Ties = Shift > 0
) (
    input wire logic                rst_n,
    input wire logic                valid,
    input wire logic signed [ 63:0] value,
    input wire logic [OutBits-1:0]  data
);

  localparam longint Most = (64'sd1 << (OutSigned ? OutBits - 1 : OutBits)) - 64'sd1;
  localparam longint Least = OutSigned ? -Most - 64'sd1 : 64'sd0;
  localparam longint InStep = 64'sd1 << ((Shift < 0) ? -Shift : 0);
  localparam longint OutStep = 64'sd1 << ((Shift > 0) ? Shift : 0);

  longint result, twice;  // twice the error, in units of the finer step
  logic tie, low, high;

  assign result = OutSigned ? longint'(signed'(data)) : longint'(data);
  assign twice = 64'sd2 * (value * InStep - result * OutStep);
  // Too low and too high by more than half a step, or by half a step from an even neighbour.
  assign tie = Shift > 0 && (twice == OutStep || twice == -OutStep);
  assign low = twice > OutStep || (tie && twice > 0 && result[0]);
  assign high = twice < -OutStep || (tie && twice < 0 && result[0]);

  // Not too low unless it is the most, not too high unless it is the least: that is one number.
  `PROOF_PROPERTY(not_too_low, !valid || result == Most || !low)
  `PROOF_PROPERTY(not_too_high, !valid || result == Least || !high)
  `PROOF_PROPERTY(exact_without_dropped_places,
                  !valid || Shift > 0 || result == Most || result == Least || twice == 0)
  `PROOF_COVER(at_most, valid && result == Most)
  if (Ties) begin : gen_tie
    `PROOF_COVER(tie_came, valid && tie)
  end
  if (Below) begin : gen_least
    `PROOF_COVER(at_least, valid && result == Least)
  end

endmodule

`default_nettype wire
