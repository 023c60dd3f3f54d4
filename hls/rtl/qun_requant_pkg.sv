// SPDX-License-Identifier: Apache-2.0
//
// The one rounding and saturation of the library, used by every module that requantises.
//
// Latency: 0 cycles, combinational.
// Throughput: one value a call, no state.
// Lanes: one value, no lanes.

`default_nettype none

package qun_requant_pkg;

  // clamp(round_half_even(acc / 2**shift)) to an integer of out_bits; the shift may be negative.
  // Pass constants for all but `acc`, and keep the width of `acc` plus max(-shift, 1) below 64.
  function automatic longint round_saturate(longint acc, int shift, int out_bits, bit out_signed);
    int value_bits = out_signed ? out_bits - 1 : out_bits;  // without the sign
    longint most = (64'sd1 << value_bits) - 64'sd1;
    longint quotient;
    longint above;
    bit up = 1'b0;
    if (shift > 0) begin
      // Up from more than half; a tie goes to the even neighbour.
      longint below = acc & ((64'sd1 << (shift - 1)) - 64'sd1);
      quotient = acc >>> shift;
      up = ((acc >>> (shift - 1)) & 64'sd1) != 0 && (below != 0 || (quotient & 64'sd1) != 0);
    end else begin
      quotient = acc <<< -shift;
    end
    // The range is decided before rounding, so that only the result's bits need an adder.
    above = quotient >>> value_bits;
    if (above == 0 || (out_signed && above == -64'sd1)) begin
      return (up && quotient != most) ? quotient + 64'sd1 : quotient;
    end
    return (quotient >= 0) ? most : out_signed ? ~most : 64'sd0;
  endfunction

  // floor(sum / 2**shift), clamped to an integer of out_bits; or its low bits, where the result wraps.
  // Pass constants for all but `sum`.
  function automatic longint shift_limit(longint sum, int shift, int out_bits, bit out_signed,
                                         bit wraps);
    int value_bits = out_signed ? out_bits - 1 : out_bits;  // without the sign
    longint most = (64'sd1 << value_bits) - 64'sd1;
    longint least = out_signed ? ~most : 64'sd0;
    longint quotient = sum >>> shift;
    longint above = quotient >>> value_bits;
    if (wraps || above == 0 || (out_signed && above == -64'sd1)) begin
      return quotient;
    end
    return (quotient < 0) ? least : most;
  endfunction

endpackage

`default_nettype wire
