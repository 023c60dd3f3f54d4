// SPDX-License-Identifier: Apache-2.0
//
// Windows inside the frame: stores a raster stream in a ring of pixels and reads each window once for every output fold.
//
// Latency: 1 cycle from the last pixel needed to the first tap.
// Throughput: one tap (Simd lanes) a cycle.
// Lanes: kept as they come.
//
// Taps come in the order output pixel, output fold, kernel row, kernel column, input fold, with any stride and dilation;
// an output fold reads the input folds of its group alone. Every window lies inside the frame. Pixels are numbered
// across frames, so that the next frame loads while this one is read; a pixel that no window reads is taken and dropped.
//
// A transpose convolution has several output rows of one input row, and likewise columns: its phases. Output row r, at
// row R = r + CropH of the full output, has the kernel rows k = R mod UpH + UpH*j, each from input row R div UpH - j. They
// are read from the uppermost input row down, so that j goes down to 0. Everything else has one phase, UpH = 1, and
// CropH = KernelH - 1 puts the first window at input row 0; its kernel rows then come in the order of the input rows.
//
// Weight words count up in the order phase of rows, phase of columns, output fold, kernel row, kernel column, input fold;
// the first phase is that of the first output row or column.

`include "qun_assert.svh"

`default_nettype none

module qun_window #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Rows of the output image [1 or more; no window reaches beyond the input image]
    parameter int unsigned OutHeight = 1,
    /// Columns of the output image [1 or more; no window reaches beyond the input image]
    parameter int unsigned OutWidth = 1,
    /// Beats of an input pixel [a multiple of Groups]
    parameter int unsigned InFolds = 1,
    /// Beats of an output pixel [a multiple of Groups]
    parameter int unsigned OutFolds = 1,
    /// Groups of input folds, each read by as many output folds [1 or more]
    parameter int unsigned Groups = 1,
    /// Rows of the kernel [1 or more]
    parameter int unsigned KernelH = 2,
    /// Columns of the kernel [1 or more]
    parameter int unsigned KernelW = 2,
    /// Input rows from a window to the next of its phase [1 or more]
    parameter int unsigned StrideH = 1,
    /// Input columns from a window to the next of its phase [1 or more]
    parameter int unsigned StrideW = 1,
    /// Input rows from a kernel row to the next [1 or more]
    parameter int unsigned DilationH = 1,
    /// Input columns from a kernel column to the next [1 or more]
    parameter int unsigned DilationW = 1,
    /// Phases of the output rows [1 to KernelH]
    parameter int unsigned UpH = 1,
    /// Phases of the output columns [1 to KernelW]
    parameter int unsigned UpW = 1,
    /// Rows of the full output above the output image [KernelH - UpH or more]
    parameter int unsigned CropH = KernelH - 1,
    /// Columns of the full output left of the output image [KernelW - UpW or more]
    parameter int unsigned CropW = KernelW - 1,
    /// Pixels that the ring holds [2 or more, and enough for a window and the pixels up to its end]
    parameter int unsigned RingPixels = 4,
    /// Bits of a beat [1 or more]
    parameter int unsigned WordBits = 8,
    localparam int unsigned WeightDepth = OutFolds * KernelH * KernelW * (InFolds / Groups),
    localparam int unsigned WeightAddrBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1,
    localparam int unsigned OutFoldBits = (OutFolds > 1) ? $clog2(OutFolds) : 1
) (
    input  wire logic                      clk,
    input  wire logic                      rst_n,
    input  wire logic [      WordBits-1:0] s_axis_tdata,
    input  wire logic                      s_axis_tvalid,
    output logic                           s_axis_tready,
    input  wire logic                      fold_ready,       // an output fold may start
    output logic                           tap_valid,
    output logic                           tap_first,        // of its output fold
    output logic                           tap_last,         // of its output fold
    output logic                           tap_frame_last,   // the last of the frame
    output logic      [WeightAddrBits-1:0] tap_weight_addr,
    output logic      [   OutFoldBits-1:0] tap_out_fold,
    output logic      [      WordBits-1:0] tap_data_q        // a cycle after the rest of the tap
);

  localparam int unsigned RingWords = RingPixels * InFolds;
  localparam int unsigned GroupIn = InFolds / Groups;
  localparam int unsigned GroupOut = OutFolds / Groups;
  localparam int unsigned Pixels = Height * Width;

  if (InFolds % Groups != 0 || OutFolds % Groups != 0) begin : gen_bad_groups
    $error("Groups must divide InFolds and OutFolds");
  end

  // Where windows stand along one dimension, in input pixels; all of it is constant.
  function automatic int taps_of(int kernel, int up, int crop, int place);
    return (kernel - (place + crop) % up + up - 1) / up;
  endfunction

  function automatic int first_of(int kernel, int up, int crop, int stride, int place);
    return (place / up) * stride + (place % up + crop) / up - taps_of(kernel, up, crop, place) + 1;
  endfunction

  function automatic int last_of(int kernel, int up, int crop, int stride, int dilation, int place);
    return first_of(kernel, up, crop, stride, place) +
        (taps_of(kernel, up, crop, place) - 1) * dilation;
  endfunction

  function automatic int first_row(int place);
    return first_of(KernelH, UpH, CropH, StrideH, place);
  endfunction

  function automatic int first_column(int place);
    return first_of(KernelW, UpW, CropW, StrideW, place);
  endfunction

  function automatic int last_row(int place);
    return last_of(KernelH, UpH, CropH, StrideH, DilationH, place);
  endfunction

  function automatic int last_column(int place);
    return last_of(KernelW, UpW, CropW, StrideW, DilationW, place);
  endfunction

  function automatic int greater(int a, int b);
    return (a > b) ? a : b;
  endfunction

  localparam int LastY = OutHeight - 1;
  localparam int LastX = OutWidth - 1;
  localparam int FirstPixel = first_row(0) * Width + first_column(0);
  localparam int FirstEnd = last_row(0) * Width + last_column(0);
  // Pixels from the last window of a frame to the first of the next one.
  localparam int FrameStep = Pixels + FirstPixel - first_row(LastY) * Width - first_column(LastX);
  localparam int FrameEnd = Pixels + FirstEnd - last_row(LastY) * Width - last_column(LastX);

  localparam int unsigned CountMax = RingPixels + greater(
      greater(FrameStep, FrameEnd), greater(FirstEnd, StrideH * Width)
  );
  localparam int unsigned CountBits = $clog2(CountMax + 1) + 1;
  localparam int unsigned AddrBits = $clog2(RingWords);
  localparam int unsigned InFoldBits = (GroupIn > 1) ? $clog2(GroupIn) : 1;
  localparam int unsigned WriteFoldBits = (InFolds > 1) ? $clog2(InFolds) : 1;
  localparam int unsigned GroupBits = (GroupOut > 1) ? $clog2(GroupOut) : 1;
  localparam int unsigned XBits = (OutWidth > 1) ? $clog2(OutWidth) : 1;
  localparam int unsigned YBits = (OutHeight > 1) ? $clog2(OutHeight) : 1;
  localparam int unsigned KxBits = (KernelW > 1) ? $clog2(KernelW) : 1;
  localparam int unsigned KyBits = (KernelH > 1) ? $clog2(KernelH) : 1;
  localparam int unsigned PhaseXBits = (UpW > 1) ? $clog2(UpW) : 1;
  localparam int unsigned PhaseYBits = (UpH > 1) ? $clog2(UpH) : 1;

  typedef logic [AddrBits-1:0] addr_t;
  typedef logic signed [CountBits-1:0] count_t;
  typedef logic [UpW-1:0][31:0] columns_t;  // a number for each phase of the columns
  typedef logic [UpH-1:0][31:0] rows_t;

  // Input columns from a window to the next; or from end to end.
  function automatic columns_t column_steps(bit last);
    for (int phase = 0; phase < UpW; phase++) begin
      column_steps[phase] = last ? last_column(phase + 1) - last_column(phase) :
          first_column(phase + 1) - first_column(phase);
    end
  endfunction

  // Input rows from an output row's windows to those of the next one.
  function automatic rows_t row_steps();
    for (int phase = 0; phase < UpH; phase++) begin
      row_steps[phase] = first_row(phase + 1) - first_row(phase);
    end
  endfunction

  // Pixels from the last window of an output row to the first of the next one; or from end to end.
  function automatic rows_t line_steps(bit last);
    for (int phase = 0; phase < UpH; phase++) begin
      line_steps[phase] = last ?
          (last_row(phase + 1) - last_row(phase)) * Width + last_column(0) - last_column(LastX) :
          (first_row(phase + 1) - first_row(phase)) * Width + first_column(0) - first_column(LastX);
    end
  endfunction

  function automatic columns_t column_taps();
    for (int phase = 0; phase < UpW; phase++) begin
      column_taps[phase] = taps_of(KernelW, UpW, CropW, phase);
    end
  endfunction

  function automatic rows_t row_taps();
    for (int phase = 0; phase < UpH; phase++) begin
      row_taps[phase] = taps_of(KernelH, UpH, CropH, phase);
    end
  endfunction

  // The first weight word of each phase of the rows.
  function automatic rows_t row_words();
    int word = 0;
    for (int phase = 0; phase < UpH; phase++) begin
      row_words[phase] = word;
      word += taps_of(KernelH, UpH, CropH, phase) * (WeightDepth / KernelH);
    end
  endfunction

  localparam columns_t ColumnSteps = column_steps(1'b0);
  localparam columns_t ColumnEnds = column_steps(1'b1);
  localparam columns_t ColumnTaps = column_taps();
  localparam rows_t RowSteps = row_steps();
  localparam rows_t LineSteps = line_steps(1'b0);
  localparam rows_t LineEnds = line_steps(1'b1);
  localparam rows_t RowTaps = row_taps();
  localparam rows_t RowWords = row_words();

  // Ring words from a place to another.
  localparam int unsigned NextColumn = (DilationW * InFolds - GroupIn + 1) % RingWords;
  localparam int unsigned NextRow = (DilationH * Width * InFolds) % RingWords;
  localparam int unsigned FrameWords =
      ((Pixels + (first_row(0) - first_row(LastY)) * Width) * InFolds) % RingWords;

  function automatic addr_t wrap_add(addr_t addr, int unsigned step);
    int unsigned sum = 32'(addr) + step;
    return addr_t'((sum >= RingWords) ? sum - RingWords : sum);
  endfunction

  // Ring words from a line's first window to that of the next line, and from a window to the next.
  function automatic rows_t line_words();
    for (int phase = 0; phase < UpH; phase++) begin
      line_words[phase] = (RowSteps[phase] * Width * InFolds) % RingWords;
    end
  endfunction

  function automatic columns_t window_words();
    for (int phase = 0; phase < UpW; phase++) begin
      window_words[phase] = (ColumnSteps[phase] * InFolds) % RingWords;
    end
  endfunction

  localparam rows_t LineWords = line_words();
  localparam columns_t WindowWords = window_words();

  // Write side.
  addr_t write_addr_q;
  logic [WriteFoldBits-1:0] write_fold_q;
  logic write, write_pixel;
  count_t room_q;  // pixels that may come: places that are free, and pixels that no window reads
  count_t missing_q;  // pixels that the window still needs, less one

  // Read side.
  addr_t addr_q, row_addr_q, fold_addr_q, window_addr_q, line_addr_q;
  addr_t next_row_addr, next_fold_addr, next_window_addr;
  logic [WeightAddrBits-1:0] weight_addr_q;
  logic [InFoldBits-1:0] in_fold_q;
  logic [KxBits-1:0] kx_q;
  logic [KyBits-1:0] ky_q;
  logic [OutFoldBits-1:0] out_fold_q;
  logic [GroupBits-1:0] group_fold_q;  // output fold within its group
  logic [XBits-1:0] x_q;
  logic [YBits-1:0] y_q;
  logic [PhaseXBits-1:0] phase_x_q;
  logic [PhaseYBits-1:0] phase_y_q, next_phase_y;
  logic in_fold_end, row_end, window_end, group_end, pixel_end, line_end;
  logic phase_x_last, x_last, y_last;
  logic stored;  // the window is complete
  logic row_stays;  // the next output row begins at the same input row
  // With a pixel's end: pixels given up, and pixels from its window's end to the next one's.
  count_t freed, advance;

  assign s_axis_tready = room_q != '0;
  assign write = s_axis_tvalid && s_axis_tready;
  assign write_pixel = write && write_fold_q == WriteFoldBits'(InFolds - 1);

  assign in_fold_end = in_fold_q == InFoldBits'(GroupIn - 1);
  assign row_end = in_fold_end && kx_q == KxBits'(ColumnTaps[phase_x_q] - 1);
  assign window_end = row_end && ky_q == KyBits'(RowTaps[phase_y_q] - 1);
  assign group_end = group_fold_q == GroupBits'(GroupOut - 1);
  assign pixel_end = window_end && out_fold_q == OutFoldBits'(OutFolds - 1);
  assign x_last = x_q == XBits'(OutWidth - 1);
  assign y_last = y_q == YBits'(OutHeight - 1);
  assign line_end = pixel_end && x_last;
  assign phase_x_last = phase_x_q == PhaseXBits'(UpW - 1);
  assign next_phase_y = (y_last || phase_y_q == PhaseYBits'(UpH - 1)) ? '0 : phase_y_q + 1'b1;

  assign row_stays = !y_last && RowSteps[phase_y_q] == 0;

  always_comb begin
    freed = '0;
    advance = count_t'(ColumnEnds[phase_x_q]);
    if (!row_stays) begin
      freed = count_t'(ColumnSteps[phase_x_q]);
    end
    if (x_last && y_last) begin
      freed = count_t'(FrameStep);
      advance = count_t'(FrameEnd);
    end else if (x_last) begin
      if (!row_stays) begin
        freed = count_t'(LineSteps[phase_y_q]);
      end
      advance = count_t'(LineEnds[phase_y_q]);
    end
  end

  assign stored = missing_q[CountBits-1];
  assign tap_first = in_fold_q == '0 && kx_q == '0 && ky_q == '0;
  assign tap_last = window_end;
  assign tap_frame_last = line_end && y_last;
  assign tap_valid = !tap_first || (fold_ready && stored);
  assign tap_weight_addr = weight_addr_q;
  assign tap_out_fold = out_fold_q;

  assign next_row_addr = wrap_add(row_addr_q, NextRow);
  assign next_fold_addr = group_end ? wrap_add(fold_addr_q, GroupIn % RingWords) : fold_addr_q;
  assign next_window_addr = wrap_add(
      x_last ? line_addr_q : window_addr_q,
      !x_last ? WindowWords[phase_x_q] : y_last ? FrameWords : LineWords[phase_y_q]
  );

  always_ff @(posedge clk) begin
    if (write) begin
      write_addr_q <= wrap_add(write_addr_q, 1);
      write_fold_q <= write_pixel ? '0 : write_fold_q + 1'b1;
    end
    if (tap_valid && pixel_end) begin
      room_q <= room_q + freed - count_t'({1'b0, write_pixel});
      missing_q <= missing_q + advance - count_t'({1'b0, write_pixel});
    end else if (write_pixel) begin
      room_q <= room_q - 1'b1;
      missing_q <= missing_q - 1'b1;
    end
    if (!rst_n) begin
      write_addr_q <= '0;
      write_fold_q <= '0;
      room_q <= count_t'(RingPixels + FirstPixel);
      missing_q <= count_t'(FirstEnd);
    end
  end

  always_ff @(posedge clk) begin
    if (tap_valid) begin
      weight_addr_q <= weight_addr_q + 1'b1;
      in_fold_q <= in_fold_end ? '0 : in_fold_q + 1'b1;
      addr_q <= wrap_add(addr_q, in_fold_end ? NextColumn : 1);
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
        group_fold_q <= group_end ? '0 : group_fold_q + 1'b1;
        addr_q <= next_fold_addr;
        row_addr_q <= next_fold_addr;
        fold_addr_q <= next_fold_addr;
      end
      if (pixel_end) begin
        x_q <= line_end ? '0 : x_q + 1'b1;
        phase_x_q <= (line_end || phase_x_last) ? '0 : phase_x_q + 1'b1;
        addr_q <= next_window_addr;
        row_addr_q <= next_window_addr;
        fold_addr_q <= next_window_addr;
        window_addr_q <= next_window_addr;
        if (line_end) begin
          weight_addr_q <= WeightAddrBits'(RowWords[next_phase_y]);
        end else if (phase_x_last) begin
          weight_addr_q <= WeightAddrBits'(RowWords[phase_y_q]);
        end
      end
      if (line_end) begin
        y_q <= y_last ? '0 : y_q + 1'b1;
        phase_y_q <= next_phase_y;
        line_addr_q <= next_window_addr;
      end
    end
    if (!rst_n) begin
      addr_q <= addr_t'((FirstPixel * InFolds) % RingWords);
      row_addr_q <= addr_t'((FirstPixel * InFolds) % RingWords);
      fold_addr_q <= addr_t'((FirstPixel * InFolds) % RingWords);
      window_addr_q <= addr_t'((FirstPixel * InFolds) % RingWords);
      line_addr_q <= addr_t'((FirstPixel * InFolds) % RingWords);
      weight_addr_q <= '0;
      in_fold_q <= '0;
      kx_q <= '0;
      ky_q <= '0;
      out_fold_q <= '0;
      group_fold_q <= '0;
      x_q <= '0;
      y_q <= '0;
      phase_x_q <= '0;
      phase_y_q <= '0;
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
  `QUN_ASSERT(counts_in_range, room_q >= 0 && 32'(room_q) <= CountMax,
              "the ring holds more pixels than places")
  `QUN_ASSERT(window_fits, stored || room_q > 0,
              "a window waits for a pixel that has no place in the ring")
  `QUN_ASSERT(counters_in_range, 32'(x_q) < OutWidth && 32'(y_q) < OutHeight
              && 32'(in_fold_q) < GroupIn && 32'(kx_q) < KernelW && 32'(ky_q) < KernelH
              && 32'(out_fold_q) < OutFolds && 32'(group_fold_q) < GroupOut
              && 32'(phase_x_q) < UpW && 32'(phase_y_q) < UpH && 32'(weight_addr_q) < WeightDepth
              && 32'(addr_q) < RingWords && 32'(write_addr_q) < RingWords,
              "a counter left its range")
  `QUN_ASSERT(tap_is_stored, !tap_valid || stored, "a pixel was read before it came")

endmodule

`default_nettype wire
