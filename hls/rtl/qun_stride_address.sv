// SPDX-License-Identifier: Apache-2.0
//
// Addresses of rows of blocks that are transposed in place: each row is written where the row before is read.
//
// Latency: none, the address is a register.
// Throughput: one address a cycle.
// Lanes: none, it counts words.
//
// A row has Blocks blocks, as a matrix of Factor columns that is read as one of Factor rows. Its last block stays, and
// block k of the others goes to block k * Step modulo Blocks - 1; Step grows by Factor from row to row.

`include "qun_assert.svh"

`default_nettype none

module qun_stride_address #(
    /// Blocks of a row [a multiple of Factor, at least twice as many]
    parameter int unsigned Blocks = 4,
    /// Words of a block [1 or more]
    parameter int unsigned Words = 1,
    /// By what the step grows [2 or more]
    parameter int unsigned Factor = 2,
    /// Step of the first row [1 or Factor]
    parameter int unsigned Step = 1,
    localparam int unsigned AddrBits = $clog2(Blocks * Words)
) (
    input  wire logic                clk,
    input  wire logic                rst_n,
    input  wire logic                step,
    output logic      [AddrBits-1:0] addr_q
);

  localparam int unsigned Turn = (Blocks - 1) * Words;
  localparam int unsigned WordBits = (Words > 1) ? $clog2(Words) : 1;
  localparam int unsigned BlockBits = $clog2(Blocks);

  if (Blocks % Factor != 0 || Blocks < 2 * Factor) begin : gen_bad_blocks
    $error("Factor must divide Blocks, at least twice");
  end

  typedef logic [AddrBits-1:0] addr_t;

  logic [WordBits-1:0] word_q;
  logic [BlockBits-1:0] block_q;
  addr_t base_q, next_base;  // of the present block, and of the next one
  addr_t stride_q, next_stride_q;  // of the present row, and of the next one, in words
  logic [AddrBits:0] sum;
  logic word_end, row_end;

  assign word_end = word_q == WordBits'(Words - 1);
  assign row_end = block_q == BlockBits'(Blocks - 1);
  assign sum = {1'b0, base_q} + {1'b0, stride_q};

  always_comb begin
    next_base = addr_t'((32'(sum) >= Turn) ? 32'(sum) - Turn : 32'(sum));
    if (row_end) begin
      next_base = '0;
    end else if (block_q == BlockBits'(Blocks - 2)) begin
      next_base = addr_t'(Turn);
    end
  end

  always_ff @(posedge clk) begin
    if (step) begin
      word_q <= word_end ? '0 : word_q + 1'b1;
      addr_q <= word_end ? next_base : addr_q + 1'b1;
      if (word_end) begin
        base_q  <= next_base;
        block_q <= row_end ? '0 : block_q + 1'b1;
        // Block Factor stands at Factor strides, the next row's stride.
        if (block_q == BlockBits'(Factor - 1)) begin
          next_stride_q <= next_base;
        end
        if (row_end) begin
          stride_q <= next_stride_q;
        end
      end
    end
    if (!rst_n) begin
      word_q <= '0;
      addr_q <= '0;
      base_q <= '0;
      block_q <= '0;
      stride_q <= addr_t'(Step * Words);
      next_stride_q <= '0;
    end
  end

  `QUN_ASSERT(counters_in_range, 32'(word_q) < Words && 32'(block_q) < Blocks
              && 32'(addr_q) < Blocks * Words && 32'(base_q) + 32'(word_q) == 32'(addr_q),
              "a counter left its range")

endmodule

`default_nettype wire
