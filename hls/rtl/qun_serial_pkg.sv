// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the serial protocol of a board: kinds of frames and errors; docs/serial.md.
//
// Latency: 0 cycles, constants.
// Throughput: no data.
// Lanes: none.

`default_nettype none

package qun_serial_pkg;

  // verilator lint_off UNUSEDPARAM
  localparam logic [7:0] Version = 8'd1;

  // The first byte of a frame.
  localparam logic [7:0] KindInfo = 8'h49;  // I, both ways
  localparam logic [7:0] KindBlock = 8'h50;  // P, to the device
  localparam logic [7:0] KindTaken = 8'h41;  // A, from the device
  localparam logic [7:0] KindResult = 8'h52;  // R, from the device
  localparam logic [7:0] KindError = 8'h45;  // E, from the device

  // What an error reply says.
  localparam logic [7:0] ErrorDamaged = 8'd1;
  localparam logic [7:0] ErrorKind = 8'd2;
  localparam logic [7:0] ErrorLength = 8'd3;
  localparam logic [7:0] ErrorOrder = 8'd4;
  localparam logic [7:0] ErrorFull = 8'd5;
  localparam logic [7:0] ErrorSilence = 8'd6;
  // verilator lint_on UNUSEDPARAM

endpackage

`default_nettype wire
