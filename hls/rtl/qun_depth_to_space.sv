// SPDX-License-Identifier: Apache-2.0
//
// Channels become pixels: each pixel a block, its channels ordered by block row, block column and channel.
//
// Latency: 1 cycle where a block has one row, or the image one column; else 3 cycles.
// Throughput: one beat a cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// Where a block has one row, or the image one column, beats leave as they come. Else one row is held: it is written where
// the row before it is read, so that its places change from row to row.

`include "qun_assert.svh"

`default_nettype none

module qun_depth_to_space #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Channels of the output [a multiple of Lanes]
    parameter int unsigned OutChannels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 8,
    /// Rows of a block [1 or more]
    parameter int unsigned BlockRows = 2,
    /// Columns of a block [1 or more]
    parameter int unsigned BlockColumns = 2
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [Lanes*Bits-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    input  wire logic                  s_axis_tlast,
    output logic      [Lanes*Bits-1:0] m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready,
    output logic                       m_axis_tlast
);

  if (OutChannels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide OutChannels");
  end

  // What goes to the register slice.
  logic [Lanes*Bits-1:0] word;
  logic word_valid, word_last, room;

  if (BlockRows == 1 || Width == 1) begin : gen_same_order
    assign word = s_axis_tdata;
    assign word_valid = s_axis_tvalid;
    assign word_last = s_axis_tlast;
    assign s_axis_tready = room;
  end else begin : gen_row
    localparam int unsigned Words = BlockColumns * OutChannels / Lanes;  // of a row of a block
    localparam int unsigned Depth = Width * BlockRows * Words;
    localparam int unsigned AddrBits = $clog2(Depth);
    localparam int unsigned FillBits = $clog2(Depth + 1);
    localparam int unsigned AheadBits = $clog2(2 * Depth + 1) + 1;
    localparam int unsigned WordBits = (Words > 1) ? $clog2(Words) : 1;
    localparam int unsigned XBits = $clog2(Width);
    localparam int unsigned PassBits = $clog2(BlockRows);
    localparam int unsigned YBits = (Height > 1) ? $clog2(Height) : 1;

    typedef logic signed [AheadBits-1:0] ahead_t;

    // By how much the input is passed, at the ends of a block's row, of an output row, and of an input row.
    localparam int BlockStep = int'((BlockRows - 1) * Words) + 1;
    localparam int LineStep = 1 - int'((Width - 1) * BlockRows * Words);

    logic write, read;
    logic [AddrBits-1:0] write_addr, read_addr;
    logic [FillBits-1:0] fill_q;
    ahead_t ahead_q, passed;  // words that came, from the next one to read on
    logic [WordBits-1:0] word_q;
    logic [XBits-1:0] x_q;
    logic [PassBits-1:0] pass_q;
    logic [YBits-1:0] y_q;
    logic word_end, line_end, row_end;
    logic word_valid_q, word_last_q;
    logic unused_tlast;

    assign unused_tlast = s_axis_tlast;
    assign s_axis_tready = fill_q != FillBits'(Depth);
    assign write = s_axis_tvalid && s_axis_tready;
    assign read = ahead_q > 0 && (!word_valid_q || room);
    assign word_valid = word_valid_q;
    assign word_last = word_last_q;

    assign word_end = word_q == WordBits'(Words - 1);
    assign line_end = word_end && x_q == XBits'(Width - 1);
    assign row_end = line_end && pass_q == PassBits'(BlockRows - 1);

    always_comb begin
      passed = ahead_t'(1);
      if (line_end && !row_end) begin
        passed = ahead_t'(LineStep);
      end else if (word_end && !line_end) begin
        passed = ahead_t'(BlockStep);
      end
    end

    always_ff @(posedge clk) begin
      fill_q  <= fill_q + FillBits'(write) - FillBits'(read);
      ahead_q <= ahead_q + (write ? ahead_t'(1) : '0) - (read ? passed : '0);
      if (read) begin
        word_q <= word_end ? '0 : word_q + 1'b1;
        if (word_end) begin
          x_q <= line_end ? '0 : x_q + 1'b1;
        end
        if (line_end) begin
          pass_q <= row_end ? '0 : pass_q + 1'b1;
        end
        if (row_end) begin
          y_q <= (y_q == YBits'(Height - 1)) ? '0 : y_q + 1'b1;
        end
        word_last_q <= row_end && y_q == YBits'(Height - 1);
      end
      word_valid_q <= read || (word_valid_q && !room);
      if (!rst_n) begin
        fill_q <= '0;
        ahead_q <= '0;
        word_q <= '0;
        x_q <= '0;
        pass_q <= '0;
        y_q <= '0;
        word_valid_q <= 1'b0;
      end
    end

    qun_stride_address #(
        .Blocks(Width * BlockRows),
        .Words (Words),
        .Factor(BlockRows),
        .Step  (1)
    ) u_write (
        .clk,
        .rst_n,
        .step  (write),
        .addr_q(write_addr)
    );

    qun_stride_address #(
        .Blocks(Width * BlockRows),
        .Words (Words),
        .Factor(BlockRows),
        .Step  (BlockRows)
    ) u_read (
        .clk,
        .rst_n,
        .step  (read),
        .addr_q(read_addr)
    );

    qun_ram #(
        .Bits (Lanes * Bits),
        .Depth(Depth)
    ) u_row (
        .clk,
        .write,
        .write_addr (write_addr),
        .write_data (s_axis_tdata),
        .read,
        .read_addr  (read_addr),
        .read_data_q(word)
    );

    `QUN_ASSERT(no_collision, !(write && read && write_addr == read_addr),
                "a word was used that was read while it was written")
    `QUN_ASSERT(fill_in_range, 32'(fill_q) <= Depth && !(read && fill_q == '0),
                "the row holds more words than places, or gave one up that it had not")
    `QUN_ASSERT(counters_in_range, 32'(word_q) < Words && 32'(x_q) < Width
                && 32'(pass_q) < BlockRows && 32'(y_q) < Height,
                "a counter left its range")
  end

  qun_register_slice #(
      .Bits(Lanes * Bits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({word_last, word}),
      .s_valid(word_valid),
      .s_ready(room),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

endmodule

`default_nettype wire
