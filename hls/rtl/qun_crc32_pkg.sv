// SPDX-License-Identifier: Apache-2.0
//
// The CRC-32 of serial frames: that of Ethernet, of zlib and of PPP's 32-bit frame check (RFC 1662).
//
// Latency: 0 cycles, combinational.
// Throughput: a byte a call, no state.
// Lanes: none, a byte.
//
// The check of some bytes is the complement of the state after the last of them; it is sent with its least significant
// byte first. The state after bytes and check is then Residue.

`default_nettype none

package qun_crc32_pkg;

  // verilator lint_off UNUSEDPARAM
  localparam logic [31:0] Start = 32'hFFFF_FFFF;
  localparam logic [31:0] Residue = 32'hDEBB_20E3;
  // verilator lint_on UNUSEDPARAM

  // The state after one more byte.
  function automatic logic [31:0] crc32(logic [31:0] state, logic [7:0] data);
    logic [31:0] next = state ^ 32'(data);
    for (int place = 0; place < 8; place++) begin
      next = next[0] ? (next >> 1) ^ 32'hEDB8_8320 : next >> 1;
    end
    return next;
  endfunction

endpackage

`default_nettype wire
