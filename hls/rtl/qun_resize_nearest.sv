// SPDX-License-Identifier: Apache-2.0
//
// Each pixel repeated, in its row and as a whole row.
//
// Latency: 2 cycles from a whole pixel to its first beat.
// Throughput: one beat a cycle out.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// A ring holds one row, or two pixels where rows do not repeat. A pixel is given up when its last repeat is read, and a
// pixel of the next row or frame loads in its place.

`include "qun_assert.svh"

`default_nettype none

module qun_resize_nearest #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 8,
    /// Rows that a row becomes [1 or more]
    parameter int unsigned RowFactor = 2,
    /// Columns that a column becomes [1 or more]
    parameter int unsigned ColumnFactor = 2
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

  localparam int unsigned Groups = Channels / Lanes;
  localparam int unsigned RingPixels = (RowFactor > 1 && Width > 2) ? Width : 2;
  localparam int unsigned RingWords = RingPixels * Groups;

  localparam int unsigned AddrBits = $clog2(RingWords);
  localparam int unsigned FillBits = $clog2(RingPixels + 1);
  localparam int unsigned GroupBits = (Groups > 1) ? $clog2(Groups) : 1;
  localparam int unsigned RepeatBits = (ColumnFactor > 1) ? $clog2(ColumnFactor) : 1;
  localparam int unsigned XBits = (Width > 1) ? $clog2(Width) : 1;
  localparam int unsigned PassBits = (RowFactor > 1) ? $clog2(RowFactor) : 1;
  localparam int unsigned YBits = (Height > 1) ? $clog2(Height) : 1;

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end
  if (RowFactor * ColumnFactor < 2) begin : gen_no_factor
    $error("a factor must be 2 or more");
  end

  typedef logic [AddrBits-1:0] addr_t;
  typedef logic [FillBits-1:0] fill_t;

  function automatic addr_t next_of(addr_t addr);
    return (addr == addr_t'(RingWords - 1)) ? '0 : addr + 1'b1;
  endfunction

  // Write side.
  addr_t write_addr_q;
  logic [GroupBits-1:0] write_group_q;
  logic write, write_pixel, free_pixel;
  // Whole pixels stored: in the last pass from the current one, before it from the row's first.
  fill_t fill_q;

  // Read side.
  addr_t addr_q, pixel_addr_q, row_addr_q;
  logic [GroupBits-1:0] group_q;
  logic [RepeatBits-1:0] repeat_q;
  logic [XBits-1:0] x_q;
  logic [PassBits-1:0] pass_q;
  logic [YBits-1:0] y_q;
  logic group_end, pixel_end, line_end, row_end, pass_last;
  logic read, stored;
  logic word_valid_q, word_last_q, room;
  logic [Lanes*Bits-1:0] word_q;

  assign s_axis_tready = fill_q != fill_t'(RingPixels);
  assign write = s_axis_tvalid && s_axis_tready;
  assign write_pixel = write && write_group_q == GroupBits'(Groups - 1);
  assign free_pixel = read && pixel_end && pass_last;

  assign group_end = group_q == GroupBits'(Groups - 1);
  assign pixel_end = group_end && repeat_q == RepeatBits'(ColumnFactor - 1);
  assign line_end = pixel_end && x_q == XBits'(Width - 1);
  assign pass_last = pass_q == PassBits'(RowFactor - 1);
  assign row_end = line_end && pass_last;

  if (RowFactor > 1) begin : gen_row_stored
    assign stored = pass_q != '0 || fill_q > fill_t'(x_q);
  end else begin : gen_pixel_stored
    assign stored = fill_q != '0;
  end
  assign read = stored && (!word_valid_q || room);

  always_ff @(posedge clk) begin
    if (write) begin
      write_addr_q <= next_of(write_addr_q);
      write_group_q <= write_pixel ? '0 : write_group_q + 1'b1;
    end
    if (write_pixel && !free_pixel) begin
      fill_q <= fill_q + 1'b1;
    end else if (!write_pixel && free_pixel) begin
      fill_q <= fill_q - 1'b1;
    end
    if (!rst_n) begin
      write_addr_q <= '0;
      write_group_q <= '0;
      fill_q <= '0;
    end
  end

  always_ff @(posedge clk) begin
    if (read) begin
      group_q <= group_end ? '0 : group_q + 1'b1;
      addr_q  <= next_of(addr_q);
      if (group_end) begin
        repeat_q <= pixel_end ? '0 : repeat_q + 1'b1;
        if (!pixel_end) begin
          addr_q <= pixel_addr_q;
        end
      end
      if (pixel_end) begin
        x_q <= line_end ? '0 : x_q + 1'b1;
        pixel_addr_q <= next_of(addr_q);
      end
      if (line_end) begin
        pass_q <= pass_last ? '0 : pass_q + 1'b1;
        if (pass_last) begin
          row_addr_q <= next_of(addr_q);
        end else begin
          addr_q <= row_addr_q;
          pixel_addr_q <= row_addr_q;
        end
      end
      if (row_end) begin
        y_q <= (y_q == YBits'(Height - 1)) ? '0 : y_q + 1'b1;
      end
      word_last_q <= row_end && y_q == YBits'(Height - 1);
    end
    word_valid_q <= read || (word_valid_q && !room);
    if (!rst_n) begin
      addr_q <= '0;
      pixel_addr_q <= '0;
      row_addr_q <= '0;
      group_q <= '0;
      repeat_q <= '0;
      x_q <= '0;
      pass_q <= '0;
      y_q <= '0;
      word_valid_q <= 1'b0;
    end
  end

  qun_ram #(
      .Bits (Lanes * Bits),
      .Depth(RingWords)
  ) u_ring (
      .clk,
      .write,
      .write_addr (write_addr_q),
      .write_data (s_axis_tdata),
      .read,
      .read_addr  (addr_q),
      .read_data_q(word_q)
  );

  qun_register_slice #(
      .Bits(Lanes * Bits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({word_last_q, word_q}),
      .s_valid(word_valid_q),
      .s_ready(room),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(no_collision, !(write && read && write_addr_q == addr_q),
              "a word was used that was read while it was written")
  `QUN_ASSERT(fill_in_range, 32'(fill_q) <= RingPixels && !(write && 32'(fill_q) == RingPixels)
              && !(free_pixel && fill_q == '0),
              "the ring holds more pixels than places, or gave one up that it had not")
  `QUN_ASSERT(counters_in_range, 32'(group_q) < Groups && 32'(repeat_q) < ColumnFactor
              && 32'(x_q) < Width && 32'(pass_q) < RowFactor && 32'(y_q) < Height
              && 32'(addr_q) < RingWords && 32'(write_addr_q) < RingWords,
              "a counter left its range")
  `QUN_ASSERT(last_ends_pixel, !(write && s_axis_tlast) || write_pixel,
              "tlast came within a pixel")

  logic unused_tlast;
  assign unused_tlast = s_axis_tlast;

endmodule

`default_nettype wire
