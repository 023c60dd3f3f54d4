// SPDX-License-Identifier: Apache-2.0
//
// Read-only memory with a registered read, which maps to block RAM.
//
// Latency: 1 cycle from `read` to its word; 2 cycles with OutputRegister.
// Throughput: one word a cycle.
// Lanes: element 0 of a word in its least significant bits.
//
// Synthesis reads `File`, lines of hexadecimal digits. A simulator reads the same words, ten times faster, from packed
// binary, `File` with ".bin" behind it, and stops where that file is missing or has another length.
//
// Where the LUTs that a block RAM is worth hold the table, it stands in LUTs.

`include "qun_assert.svh"

`default_nettype none

module qun_rom #(
    /// Bits of a word [1 or more]
    parameter int unsigned Bits = 8,
    /// Words [1 or more]
    parameter int unsigned Depth = 1,
    /// Whether a register follows, that of a block RAM where it has one [0 or 1]
    parameter bit OutputRegister = 1'b0,
    /// Memory file [name of a file; docs/streams.md]
    parameter string File = "",
    localparam int unsigned AddrBits = (Depth > 1) ? $clog2(Depth) : 1
) (
    input  wire logic                clk,
    input  wire logic                read,
    input  wire logic [AddrBits-1:0] addr,
    output logic      [Bits-1:0]     data_q
);

  import qun_device_pkg::*;

  localparam int unsigned Blocks = (Bits + BlockWidth - 1) / BlockWidth;
  localparam bit Logic = Depth > 1 && Bits * Depth <= TableBits * Blocks;
  // verilator lint_off UNUSEDPARAM
  localparam string Style = Logic ? "logic" : "auto";
  // verilator lint_on UNUSEDPARAM

  (* no_rw_check, rom_style = Style *)
  logic [Bits-1:0] words[Depth];

`ifdef SYNTHESIS
  initial begin
    $readmemh(File, words);
  end
`else
  localparam int Bytes = Depth * ((Bits + 7) / 8);

  initial begin
    int file;
    int found;
    file = $fopen({File, ".bin"}, "rb");
    if (file == 0) begin
      $fatal(1, "%s.bin: expected a memory of %0d bytes, got no file", File, Bytes);
    end
    void'($fseek(file, 0, 2));
    found = $ftell(file);
    void'($rewind(file));
    if (found != Bytes || $fread(words, file) != Bytes) begin
      $fatal(1, "%s.bin: expected a memory of %0d bytes, got %0d", File, Bytes, found);
    end
    $fclose(file);
  end
`endif

  if (OutputRegister) begin : gen_output_register
    logic read_q;
    logic [Bits-1:0] word_q;

    always_ff @(posedge clk) begin
      read_q <= read;
      if (read_q) begin
        data_q <= word_q;
      end
      if (read) begin
        word_q <= words[addr];
      end
    end
  end else begin : gen_word
    always_ff @(posedge clk) begin
      if (read) begin
        data_q <= words[addr];
      end
    end
  end

  `QUN_ASSERT_ALWAYS(address_in_range, !read || 32'(addr) < Depth,
                     "an address is beyond the memory")

endmodule

`default_nettype wire
