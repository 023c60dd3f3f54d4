// SPDX-License-Identifier: Apache-2.0
//
// Simple dual-port memory, one write and one read port.
//
// Latency: 1 cycle from `read` to its word.
// Throughput: one word a cycle on each port.
// Lanes: kept as they come.
//
// Reading and writing one address in the same cycle gives an undefined word: the users never use one, and assert it. A
// simulation with assertions gives every bit of that word wrong, or X where the simulator has one.
//
// Where distributed RAM, with the multiplexer that joins its pieces in depth, takes no more LUTs than block RAM is worth,
// it is taken. Block RAM has columns: few bits beyond them are a memory of their own, which goes twice or more as deep.

`include "qun_assert.svh"

`default_nettype none

module qun_ram #(
    /// Bits of a word [1 or more]
    parameter int unsigned Bits = 8,
    /// Words [1 or more]
    parameter int unsigned Depth = 2,
    localparam int unsigned AddrBits = (Depth > 1) ? $clog2(Depth) : 1
) (
    input  wire logic                clk,
    input  wire logic                write,
    input  wire logic [AddrBits-1:0] write_addr,
    input  wire logic [Bits-1:0]     write_data,
    input  wire logic                read,
    input  wire logic [AddrBits-1:0] read_addr,
    output logic      [Bits-1:0]     read_data_q
);

  import qun_device_pkg::*;

  localparam int unsigned Slices = (Depth + DistributedDepth - 1) / DistributedDepth;
  localparam int unsigned Pieces = Slices * ((Bits + DistributedWidth - 1) / DistributedWidth);
  localparam int unsigned Luts = Pieces * DistributedLuts + (Slices - 1) * Bits;
  localparam int unsigned Blocks = (Bits + BlockWidth - 1) / BlockWidth;
  localparam bit Distributed = Depth > DistributedDepth && Luts <= BlockLuts * Blocks;
  // verilator lint_off UNUSEDPARAM
  localparam string Style = Distributed ? "distributed" : "auto";
  // verilator lint_on UNUSEDPARAM

  localparam int unsigned Beside = Bits % Column;
  localparam bit Split = Depth > SplitDepth && Bits > Column && Beside <= SplitBits;
  localparam int unsigned Rest = Split ? Beside : 0;
  localparam int unsigned Whole = Bits - Rest;

  (* no_rw_check, ram_style = Style *)
  logic [Whole-1:0] words[Depth];
  logic [Whole-1:0] word_q;

  always_ff @(posedge clk) begin
    if (write) begin
      words[write_addr] <= write_data[Whole-1:0];
    end
    if (read) begin
      word_q <= words[read_addr];
    end
  end

  logic [Bits-1:0] stored;

  if (Rest == 0) begin : gen_whole
    assign stored = word_q;
  end else begin : gen_rest
    (* no_rw_check *)
    logic [Rest-1:0] rests[Depth];
    logic [Rest-1:0] rest_q;

    always_ff @(posedge clk) begin
      if (write) begin
        rests[write_addr] <= write_data[Bits-1:Whole];
      end
      if (read) begin
        rest_q <= rests[read_addr];
      end
    end

    assign stored = {rest_q, word_q};
  end

`ifdef QUN_ASSERT_ACTIVE
  logic collided_q;

  always_ff @(posedge clk) begin
    if (read) begin
      collided_q <= write && write_addr == read_addr;
    end
  end

`ifdef VERILATOR
  assign read_data_q = stored ^ {Bits{collided_q}};  // it has no X
`else
  assign read_data_q = collided_q ? 'x : stored;
`endif
`else
  assign read_data_q = stored;
`endif

  `QUN_ASSERT_ALWAYS(access_in_range, (!write || 32'(write_addr) < Depth)
                     && (!read || 32'(read_addr) < Depth),
                     "an address is beyond the memory")

endmodule

`default_nettype wire
