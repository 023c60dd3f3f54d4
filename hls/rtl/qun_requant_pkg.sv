// The one rounding and saturation of the library: combinational, no state, used by every module
// that requantises.
package qun_requant_pkg;

  // clamp(round_half_even(acc / 2**shift)) to an integer of out_bits; the shift may be negative.
  // Pass constants for all but `acc`, and keep the width of `acc` plus max(-shift, 1) below 64.
  function automatic longint round_saturate(longint acc, int shift, int out_bits, bit out_signed);
    longint rounded;
    longint above;
    if (shift > 0) begin
      // Half, less one where the quotient is even: a tie then goes to the even neighbour. One
      // adder.
      longint half = 64'sd1 << (shift - 1);
      rounded = (acc + ((((acc >>> shift) & 64'sd1) != 0) ? half : half - 64'sd1)) >>> shift;
    end else begin
      rounded = acc <<< -shift;
    end
    if (out_signed) begin
      above = rounded >>> (out_bits - 1);
      if (rounded < 0) begin
        return (above == -64'sd1) ? rounded : -(64'sd1 << (out_bits - 1));
      end
      return (above == 0) ? rounded : (64'sd1 << (out_bits - 1)) - 64'sd1;
    end
    above = rounded >>> out_bits;
    if (rounded < 0) begin
      return 64'sd0;
    end
    return (above == 0) ? rounded : (64'sd1 << out_bits) - 64'sd1;
  endfunction

endpackage
