// SPDX-License-Identifier: Apache-2.0
//
// Simple dual-port memory of banks with a register behind each, one write and one read port.
//
// Latency: 2 cycles from `read` to its word, which then stays.
// Throughput: one word a cycle on each port.
// Lanes: kept as they come.
//
// A path through a block RAM and the multiplexer that joins its pieces would be the longest of a design: here the
// multiplexer comes behind the registers. A bank is as deep as one block RAM that has its columns; few bits beyond
// whole columns are banks of their own, which are deeper.
//
// Reading and writing one address in the same cycle gives an undefined word: the users never use one, and assert it.

`include "qun_assert.svh"

`default_nettype none

module qun_banked_ram #(
    /// Bits of a word [1 or more]
    parameter int unsigned Bits = 8,
    /// Words [2 or more]
    parameter int unsigned Depth = 2,
    localparam int unsigned AddrBits = $clog2(Depth)
) (
    input  wire logic                clk,
    input  wire logic                write,
    input  wire logic [AddrBits-1:0] write_addr,
    input  wire logic [Bits-1:0]     write_data,
    input  wire logic                read,
    input  wire logic [AddrBits-1:0] read_addr,
    output logic      [Bits-1:0]     read_data_r_q
);

  import qun_device_pkg::*;

  localparam int unsigned Beside = Bits % Column;
  localparam int unsigned Rest = (Depth > SplitDepth && Beside <= SplitBits) ? Beside : 0;
  localparam int unsigned Parts = (Rest != 0 && Rest != Bits) ? 2 : 1;

  logic read_q;

  always_ff @(posedge clk) begin
    read_q <= read;
  end

  // The whole columns, and the bits beside them.
  for (genvar part = 0; part < Parts; part++) begin : gen_part
    localparam bit Narrow = Rest != 0 && part == Parts - 1;
    localparam int unsigned From = (part == 0) ? 0 : Bits - Rest;
    localparam int unsigned Wide = Narrow ? Rest : Bits - Rest;
    // A block RAM of words of 1, 2 or 4 bits is 8, 4 or 2 times as deep as one of a column.
    localparam int unsigned BankDepth = Narrow ? SplitDepth * (8 >> $clog2(Wide)) : SplitDepth;
    localparam int unsigned Banks = (Depth + BankDepth - 1) / BankDepth;
    localparam int unsigned BankBits = (Banks > 1) ? $clog2(Banks) : 1;

    logic [Banks-1:0][Wide-1:0] word_r_q;
    logic [BankBits-1:0] write_bank, bank_q, bank_r_q;

    assign write_bank = BankBits'(32'(write_addr) / BankDepth);

    always_ff @(posedge clk) begin
      if (read) begin
        bank_q <= BankBits'(32'(read_addr) / BankDepth);
      end
      if (read_q) begin
        bank_r_q <= bank_q;
      end
    end

    for (genvar bank = 0; bank < Banks; bank++) begin : gen_bank
      localparam int unsigned Left = Depth - bank * BankDepth;
      localparam int unsigned Words = (Left > BankDepth) ? BankDepth : (Left > 2) ? Left : 2;

      logic [Wide-1:0] word_q;

      qun_ram #(
          .Bits (Wide),
          .Depth(Words)
      ) u_words (
          .clk,
          .write      (write && write_bank == BankBits'(bank)),
          .write_addr ($clog2(Words)'(write_addr)),
          .write_data (write_data[From+:Wide]),
          .read       (read),
          .read_addr  ($clog2(Words)'(read_addr)),
          .read_data_q(word_q)
      );

      always_ff @(posedge clk) begin
        if (read_q) begin
          word_r_q[bank] <= word_q;
        end
      end
    end

    assign read_data_r_q[From+:Wide] = word_r_q[bank_r_q];
  end

  `QUN_ASSERT_ALWAYS(access_in_range, (!write || 32'(write_addr) < Depth)
                     && (!read || 32'(read_addr) < Depth),
                     "an address is beyond the memory")

endmodule

`default_nettype wire
