// SPDX-License-Identifier: Apache-2.0
//
// Sliding window: stores a raster stream in a ring of rows and reads each pixel's window once for every output fold.
//
// Latency: 1 cycle from the last pixel needed to the first tap.
// Throughput: one tap (Simd lanes) a cycle.
// Lanes: kept as they come.
//
// Taps come in the order output pixel, output fold, kernel row, kernel column, input fold. Pixels are numbered across
// frames, so that the next frame loads while the last rows of this one are read; taps outside the frame are zero.
//
// Whether a tap comes enables most registers and memories of a layer. So everything that it hangs on is a register:
// whether a window begins, where in the frame it stands, and how many of the fills that a window may need are reached.

`include "qun_assert.svh"

`default_nettype none

module qun_sliding_window #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Beats of an input pixel [1 or more]
    parameter int unsigned InFolds = 1,
    /// Beats of an output pixel [1 or more]
    parameter int unsigned OutFolds = 1,
    /// Rows and columns of the kernel [1 or 3]
    parameter int unsigned Kernel = 3,
    /// Bits of a beat [1 or more]
    parameter int unsigned WordBits = 8,
    localparam int unsigned WeightDepth = OutFolds * Kernel * Kernel * InFolds,
    localparam int unsigned WeightAddrBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1,
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
    output logic      [      WordBits-1:0] tap_data_q,
    output logic                           tap_zero_q
);

  localparam int unsigned Before = (Kernel / 2) * (Width + 1);  // pixels kept behind
  localparam int unsigned RingPixels = (Kernel - 1) * Width + Kernel + 1;
  localparam int unsigned RingWords = RingPixels * InFolds;
  localparam int unsigned FillMax = RingPixels - Before;

  localparam int unsigned AddrBits = $clog2(RingWords);
  localparam int unsigned FillBits = $clog2(FillMax + 1);
  localparam int unsigned InFoldBits = (InFolds > 1) ? $clog2(InFolds) : 1;
  localparam int unsigned XBits = (Width > 1) ? $clog2(Width) : 1;
  localparam int unsigned YBits = (Height > 1) ? $clog2(Height) : 1;

  // Pixels, from the current one, up to the last that a window covers in the frame; by {last row, last column}.
  localparam int unsigned Needs[4] = '{
      (Kernel == 1) ? 1 : Width + 2,
      (Kernel == 1) ? 1 : Width + 1,
      (Kernel == 1) ? 1 : 2,
      1
  };

  typedef logic [AddrBits-1:0] addr_t;
  typedef logic [FillBits-1:0] fill_t;

  function automatic addr_t wrap_add(addr_t addr, int unsigned step);
    int unsigned sum = 32'(addr) + step;
    return addr_t'((sum >= RingWords) ? sum - RingWords : sum);
  endfunction

  // Write side.
  addr_t write_addr_q;
  logic [InFoldBits-1:0] write_fold_q;
  logic write, write_pixel;
  fill_t fill_q;  // whole pixels stored, counted from the current one
  logic [3:0] reached_q;  // whether they are as many as Needs says

  // Read side.
  addr_t addr_q, row_addr_q, window_addr_q;
  addr_t next_row_addr, next_window_addr;
  logic [WeightAddrBits-1:0] weight_addr_q;
  logic [InFoldBits-1:0] in_fold_q;
  logic [1:0] kx_q, ky_q;
  logic [OutFoldBits-1:0] out_fold_q;
  logic [XBits-1:0] x_q;
  logic [YBits-1:0] y_q;
  logic in_fold_end, row_end, window_end, pixel_end, line_end;
  logic first_q, x_last_q, y_last_q, free_pixel;
  logic zero;

  assign s_axis_tready = fill_q != fill_t'(FillMax);
  assign write = s_axis_tvalid && s_axis_tready;
  assign write_pixel = write && write_fold_q == InFoldBits'(InFolds - 1);

  assign in_fold_end = in_fold_q == InFoldBits'(InFolds - 1);
  assign row_end = in_fold_end && kx_q == 2'(Kernel - 1);
  assign window_end = row_end && ky_q == 2'(Kernel - 1);
  assign pixel_end = window_end && out_fold_q == OutFoldBits'(OutFolds - 1);
  assign line_end = pixel_end && x_last_q;

  if (Kernel == 1) begin : gen_point
    assign zero = 1'b0;
    assign next_row_addr = row_addr_q;  // a row is a window
    assign next_window_addr = wrap_add(window_addr_q, InFolds);
  end else begin : gen_window
    assign zero = (ky_q == 2'd0 && y_q == '0) || (ky_q == 2'd2 && y_last_q) ||
        (kx_q == 2'd0 && x_q == '0) || (kx_q == 2'd2 && x_last_q);

    // A row has three taps or more, so that the address behind it is there in time.
    always_ff @(posedge clk) begin
      next_row_addr <= wrap_add(row_addr_q, Width * InFolds);
      next_window_addr <= wrap_add(window_addr_q, InFolds);
    end

    `QUN_ASSERT(next_addr_in_time,
                !(tap_valid && row_end) || (next_row_addr == wrap_add(row_addr_q, Width * InFolds)
                && next_window_addr == wrap_add(window_addr_q, InFolds)),
                "an address was used before it was there")
  end

  assign tap_first = first_q;
  assign tap_last = window_end;
  assign tap_frame_last = line_end && y_last_q;
  assign tap_valid = !first_q || (fold_ready && reached_q[{y_last_q, x_last_q}]);
  assign tap_weight_addr = weight_addr_q;
  assign tap_out_fold = out_fold_q;
  assign free_pixel = tap_valid && pixel_end;

  always_ff @(posedge clk) begin
    if (write) begin
      write_addr_q <= wrap_add(write_addr_q, 1);
      write_fold_q <= write_pixel ? '0 : write_fold_q + 1'b1;
    end
    if (write_pixel && !free_pixel) begin
      fill_q <= fill_q + 1'b1;
      for (int unsigned i = 0; i < 4; i++) begin
        reached_q[i] <= reached_q[i] || fill_q == fill_t'(Needs[i] - 1);
      end
    end else if (!write_pixel && free_pixel) begin
      fill_q <= fill_q - 1'b1;
      for (int unsigned i = 0; i < 4; i++) begin
        reached_q[i] <= reached_q[i] && fill_q != fill_t'(Needs[i]);
      end
    end
    if (!rst_n) begin
      write_addr_q <= '0;
      write_fold_q <= '0;
      fill_q <= '0;
      reached_q <= '0;
    end
  end

  always_ff @(posedge clk) begin
    if (tap_valid) begin
      first_q <= window_end;
      weight_addr_q <= pixel_end ? '0 : weight_addr_q + 1'b1;
      in_fold_q <= in_fold_end ? '0 : in_fold_q + 1'b1;
      addr_q <= wrap_add(addr_q, 1);
      if (in_fold_end) begin
        kx_q <= row_end ? '0 : kx_q + 1'b1;
      end
      if (row_end) begin
        ky_q <= window_end ? '0 : ky_q + 1'b1;
        addr_q <= next_row_addr;
        row_addr_q <= next_row_addr;
      end
      if (window_end) begin
        out_fold_q <= pixel_end ? '0 : out_fold_q + 1'b1;
        addr_q <= window_addr_q;
        row_addr_q <= window_addr_q;
      end
      if (pixel_end) begin
        x_q <= line_end ? '0 : x_q + 1'b1;
        x_last_q <= line_end ? Width == 1 : 32'(x_q) + 2 == Width;
        addr_q <= next_window_addr;
        row_addr_q <= next_window_addr;
        window_addr_q <= next_window_addr;
      end
      if (line_end) begin
        y_q <= y_last_q ? '0 : y_q + 1'b1;
        y_last_q <= y_last_q ? Height == 1 : 32'(y_q) + 2 == Height;
      end
    end
    if (!rst_n) begin
      addr_q <= addr_t'((RingPixels - Before) * InFolds % RingWords);
      row_addr_q <= addr_t'((RingPixels - Before) * InFolds % RingWords);
      window_addr_q <= addr_t'((RingPixels - Before) * InFolds % RingWords);
      weight_addr_q <= '0;
      in_fold_q <= '0;
      kx_q <= '0;
      ky_q <= '0;
      out_fold_q <= '0;
      x_q <= '0;
      y_q <= '0;
      first_q <= 1'b1;
      x_last_q <= Width == 1;
      y_last_q <= Height == 1;
    end
  end

  always_ff @(posedge clk) begin
    if (tap_valid) begin
      tap_zero_q <= zero;
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

  `QUN_ASSERT(no_collision, !(write && tap_valid && !zero && write_addr_q == addr_q),
              "a word was used that was read while it was written")
  `QUN_ASSERT(fill_in_range, 32'(fill_q) <= FillMax && !(write && 32'(fill_q) == FillMax),
              "the ring holds more pixels than places")
  `QUN_ASSERT(counters_in_range, 32'(x_q) < Width && 32'(y_q) < Height && 32'(in_fold_q) < InFolds
              && 32'(kx_q) < Kernel && 32'(ky_q) < Kernel && 32'(out_fold_q) < OutFolds
              && 32'(addr_q) < RingWords && 32'(write_addr_q) < RingWords,
              "a counter left its range")
  `QUN_ASSERT(tap_is_stored, !tap_valid || 32'(fill_q) >= Needs[{y_last_q, x_last_q}],
              "a pixel was read before it came")
  `QUN_ASSERT(flags_follow, first_q == (in_fold_q == '0 && kx_q == 2'd0 && ky_q == 2'd0)
              && x_last_q == (32'(x_q) == Width - 1) && y_last_q == (32'(y_q) == Height - 1)
              && reached_q[{y_last_q, x_last_q}] == (32'(fill_q) >= Needs[{y_last_q, x_last_q}]),
              "a flag does not say what its counters say")

endmodule

`default_nettype wire
