// SPDX-License-Identifier: Apache-2.0
//
// What the modules of a bench that resets share; simulation only.

`default_nettype none

package qun_tb_reset_pkg;

  // The next one of a run of random numbers, none of them zero (xorshift).
  function automatic int unsigned following(int unsigned random);
    int unsigned value;
    value = random ^ (random << 13);
    value = value ^ (value >> 17);
    return value ^ (value << 5);
  endfunction

endpackage

`default_nettype wire
