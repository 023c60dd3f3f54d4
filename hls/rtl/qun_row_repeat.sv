// SPDX-License-Identifier: Apache-2.0
//
// Row repeater of the transpose convolution: stores a raster stream and reads each row twice.
//
// Latency: 1 cycle from the pixel needed to its first tap.
// Throughput: one tap (Simd lanes) a cycle.
// Lanes: kept as they come.
//
// Each row is read once for either output row that it makes. Taps come in the order input row, kernel row, input pixel,
// kernel column, output fold, input fold. Pixels are numbered across frames: a pixel is given up in the second pass,
// and the next row or frame loads in its place.

`include "qun_assert.svh"

`default_nettype none

module qun_row_repeat #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of an input pixel [1 or more]
    parameter int unsigned InFolds = 1,
    /// Beats of an output pixel [1 or more]
    parameter int unsigned OutFolds = 1,
    /// Bits of a beat [1 or more]
    parameter int unsigned WordBits = 8,
    localparam int unsigned WeightAddrBits = $clog2(4 * OutFolds * InFolds),
    localparam int unsigned OutFoldBits = (OutFolds > 1) ? $clog2(OutFolds) : 1
) (
    input  wire logic                      clk,
    input  wire logic                      rst_n,
    input  wire logic [      WordBits-1:0] s_axis_tdata,
    input  wire logic                      s_axis_tvalid,
    output logic                           s_axis_tready,
    input  wire logic                      fold_ready,
    output logic                           tap_valid,
    output logic                           tap_first,
    output logic                           tap_last,
    output logic                           tap_frame_last,
    output logic      [WeightAddrBits-1:0] tap_weight_addr,
    output logic      [   OutFoldBits-1:0] tap_out_fold,
    output logic      [      WordBits-1:0] tap_data_q
);

  localparam int unsigned RingPixels = Width + 2;
  localparam int unsigned RingWords = RingPixels * InFolds;
  localparam int unsigned RowWeights = 2 * OutFolds * InFolds;  // weight words of one kernel row

  localparam int unsigned AddrBits = $clog2(RingWords);
  localparam int unsigned FillBits = $clog2(RingPixels + 1);
  localparam int unsigned InFoldBits = (InFolds > 1) ? $clog2(InFolds) : 1;
  localparam int unsigned XBits = (Width > 1) ? $clog2(Width) : 1;
  localparam int unsigned YBits = (Height > 1) ? $clog2(Height) : 1;

  typedef logic [AddrBits-1:0] addr_t;
  typedef logic [FillBits-1:0] fill_t;

  function automatic addr_t wrap_add(addr_t addr, int unsigned step);
    int unsigned sum = 32'(addr) + step;
    return addr_t'((sum >= RingWords) ? sum - RingWords : sum);
  endfunction

  // Write side.
  addr_t write_addr_q;
  logic [InFoldBits-1:0] write_fold_q;
  logic write, write_pixel, free_pixel;
  // Whole pixels stored: in the first pass from the row's first, in the second from the current one.
  fill_t fill_q;

  // Read side.
  addr_t addr_q, pixel_addr_q, row_addr_q, next_addr;
  logic [WeightAddrBits-1:0] weight_addr_q;
  logic [InFoldBits-1:0] in_fold_q;
  logic [OutFoldBits-1:0] out_fold_q;
  logic kx_q, ky_q;
  logic [XBits-1:0] x_q;
  logic [YBits-1:0] y_q;
  logic fold_end, column_end, pixel_end, line_end, row_end;
  logic x_last, y_last;
  logic stored_q;  // the current pixel is there: a register, since whether a tap comes hangs on it

  assign s_axis_tready = fill_q != fill_t'(RingPixels);
  assign write = s_axis_tvalid && s_axis_tready;
  assign write_pixel = write && write_fold_q == InFoldBits'(InFolds - 1);
  assign free_pixel = tap_valid && pixel_end && ky_q;

  assign fold_end = in_fold_q == InFoldBits'(InFolds - 1);
  assign column_end = fold_end && out_fold_q == OutFoldBits'(OutFolds - 1);
  assign pixel_end = column_end && kx_q;
  assign x_last = x_q == XBits'(Width - 1);
  assign y_last = y_q == YBits'(Height - 1);
  assign line_end = pixel_end && x_last;
  assign row_end = line_end && ky_q;

  assign tap_first = in_fold_q == '0;
  assign tap_last = fold_end;
  assign tap_frame_last = row_end && y_last;
  assign tap_valid = !tap_first || (fold_ready && stored_q);
  assign tap_weight_addr = weight_addr_q;
  assign tap_out_fold = out_fold_q;

  assign next_addr = wrap_add(pixel_addr_q, InFolds);

  always_ff @(posedge clk) begin
    if (write) begin
      write_addr_q <= wrap_add(write_addr_q, 1);
      write_fold_q <= write_pixel ? '0 : write_fold_q + 1'b1;
    end
    if (write_pixel && !free_pixel) begin
      fill_q <= fill_q + 1'b1;
    end else if (!write_pixel && free_pixel) begin
      fill_q <= fill_q - 1'b1;
    end
    // In the first pass a row has come up to its current pixel, at least, whenever the pixel before has been read.
    if (tap_valid && row_end) begin
      stored_q <= write_pixel || fill_q != fill_t'(1);
    end else if (tap_valid && line_end) begin
      stored_q <= 1'b1;
    end else if (tap_valid && pixel_end && !ky_q) begin
      stored_q <= write_pixel || 32'(fill_q) != 32'(x_q) + 1;
    end else if (write_pixel) begin
      stored_q <= 1'b1;
    end
    if (!rst_n) begin
      write_addr_q <= '0;
      write_fold_q <= '0;
      fill_q <= '0;
      stored_q <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (tap_valid) begin
      weight_addr_q <= weight_addr_q + 1'b1;
      in_fold_q <= fold_end ? '0 : in_fold_q + 1'b1;
      addr_q <= wrap_add(addr_q, 1);
      if (fold_end) begin
        out_fold_q <= column_end ? '0 : out_fold_q + 1'b1;
        addr_q <= pixel_addr_q;
      end
      if (column_end) begin
        kx_q <= !kx_q;
      end
      if (pixel_end) begin
        x_q <= line_end ? '0 : x_q + 1'b1;
        weight_addr_q <= ky_q ? WeightAddrBits'(RowWeights) : '0;
        addr_q <= next_addr;
        pixel_addr_q <= next_addr;
      end
      if (line_end) begin
        ky_q <= !ky_q;
        weight_addr_q <= ky_q ? '0 : WeightAddrBits'(RowWeights);
        if (ky_q) begin
          row_addr_q <= next_addr;
        end else begin
          addr_q <= row_addr_q;
          pixel_addr_q <= row_addr_q;
        end
      end
      if (row_end) begin
        y_q <= y_last ? '0 : y_q + 1'b1;
      end
    end
    if (!rst_n) begin
      addr_q <= '0;
      pixel_addr_q <= '0;
      row_addr_q <= '0;
      weight_addr_q <= '0;
      in_fold_q <= '0;
      out_fold_q <= '0;
      kx_q <= 1'b0;
      ky_q <= 1'b0;
      x_q <= '0;
      y_q <= '0;
    end
  end

  qun_ram #(
      .Bits (WordBits),
      .Depth(RingWords)
  ) u_ring (
      .clk,
      .write,
      .write_addr (write_addr_q),
      .write_data (s_axis_tdata),
      .read       (tap_valid),
      .read_addr  (addr_q),
      .read_data_q(tap_data_q)
  );

  `QUN_ASSERT(no_collision, !(write && tap_valid && write_addr_q == addr_q),
              "a word was used that was read while it was written")
  `QUN_ASSERT(fill_in_range, 32'(fill_q) <= RingPixels && !(write && 32'(fill_q) == RingPixels)
              && !(free_pixel && fill_q == '0),
              "the ring holds more pixels than places, or gave one up that it had not")
  `QUN_ASSERT(counters_in_range, 32'(x_q) < Width && 32'(y_q) < Height
              && 32'(in_fold_q) < InFolds && 32'(out_fold_q) < OutFolds
              && 32'(addr_q) < RingWords && 32'(write_addr_q) < RingWords,
              "a counter left its range")
  `QUN_ASSERT(tap_is_stored, !tap_valid || ky_q || fill_q > fill_t'(x_q),
              "a pixel was read before it came")
  `QUN_ASSERT(stored_follows, stored_q == (ky_q || fill_q > fill_t'(x_q)),
              "whether the current pixel is there is not what the counters say")

endmodule

`default_nettype wire
