// SPDX-License-Identifier: Apache-2.0
//
// What the library takes of a device, and depths of its small buffers: an ECP5's.
//
// Latency: 0 cycles, constants.
// Throughput: no data.
// Lanes: none.
//
// Made by `python -m quantunet.hls.generate.rtl_index` of the constants in Python; edit those.

`default_nettype none

package qun_device_pkg;

  // verilator lint_off UNUSEDPARAM
  // LUTs that a block RAM is worth
  localparam int unsigned BlockLuts = 400;
  // Bits of the widest word of a block RAM
  localparam int unsigned BlockWidth = 36;
  // Bits of a table of constants that take as many LUTs as a block RAM
  localparam int unsigned TableBits = 3000;
  // Words of a distributed RAM
  localparam int unsigned DistributedDepth = 16;
  // Bits of a word of a distributed RAM
  localparam int unsigned DistributedWidth = 4;
  // LUTs that a distributed RAM takes
  localparam int unsigned DistributedLuts = 6;
  // Bits of a column of a block RAM
  localparam int unsigned Column = 9;
  // Words beyond which the bits beside whole columns are a memory of their own
  localparam int unsigned SplitDepth = 2048;
  // Most such bits
  localparam int unsigned SplitBits = 4;
  // Words beyond which a table of weights has a register behind it
  localparam int unsigned DeepTable = 1024;
  // Beats up to which a FIFO is asynchronous and passes a beat on after one cycle
  localparam int unsigned FifoShallow = 16;
  // Beats of the output FIFO of a convolution, at least
  localparam int unsigned Credits = 16;
  // verilator lint_on UNUSEDPARAM

endpackage

`default_nettype wire
