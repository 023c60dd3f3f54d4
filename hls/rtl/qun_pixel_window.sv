// SPDX-License-Identifier: Apache-2.0
//
// Sliding 3x3 window of whole pixels, zero outside the frame.
//
// Latency: `take` is a cycle after pixel Width+2 of a frame (one row: 2), and its window in `window_q` a cycle later.
// Throughput: one window a cycle.
// Lanes: element ky*3 + kx of the window is the pixel at (ky, kx), element 0 least significant; pixels as they come.
//
// A column of three pixels is fetched for every pixel of the input's next row: the row memories hold the two rows above
// it. The last row needs no next one; while its columns are fetched, and after that, the first row of the next frame is
// loaded beside it, so that adjacent frames leave no gap.

`include "qun_assert.svh"

`default_nettype none

module qun_pixel_window #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height   = 2,
    /// Columns of the input image [2 or more; of one row: 1 or more]
    parameter int unsigned Width    = 2,
    /// Bits of a pixel [1 or more]
    parameter int unsigned WordBits = 8
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [  WordBits-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    input  wire logic                  credit,         // a window may be taken
    output logic                       take,
    output logic                       take_last,      // it is the last one of the frame
    output logic      [9*WordBits-1:0] window_q
);

  localparam int unsigned XBits = (Width > 1) ? $clog2(Width) : 1;
  localparam int unsigned YBits = (Height > 1) ? $clog2(Height) : 1;

  typedef logic [WordBits-1:0] pixel_t;
  typedef pixel_t [2:0] column_t;  // row 0 is the uppermost

  typedef struct packed {
    logic first;       // of its row
    logic last;        // of its row
    logic frame_last;
  } place_t;

  if (Width < 2 && Height > 1) begin : gen_bad_width
    $error("an image of one column goes as one row, with the kernel transposed");
  end

  // The column that is fetched next, the fetched one, and the one in the middle of the window.
  logic [XBits-1:0] x_q;
  logic [YBits-1:0] y_q;
  logic fetched_valid_q, middle_valid_q;
  place_t place, fetched_place_q, middle_place_q;
  column_t fetched, middle_q;
  logic top_zero_q, bottom_zero_q;
  pixel_t top, centre, bottom;
  logic fetch, move, room;
  logic x_last, y_first, y_last;

  assign x_last = x_q == XBits'(Width - 1);
  assign y_first = y_q == '0;
  assign y_last = y_q == YBits'(Height - 1);
  assign place = '{x_q == '0, x_last, x_last && y_last};

  assign take = middle_valid_q && credit && (fetched_valid_q || middle_place_q.last);
  assign take_last = middle_place_q.frame_last;
  assign move = fetched_valid_q && (!middle_valid_q || take);
  assign room = !fetched_valid_q || move;

  if (Height == 1) begin : gen_row
    pixel_t pixel_q;

    assign s_axis_tready = room;
    assign fetch = room && s_axis_tvalid;
    assign {top, centre, bottom} = {WordBits'(0), pixel_q, WordBits'(0)};

    always_ff @(posedge clk) begin
      if (fetch) begin
        pixel_q <= s_axis_tdata;
      end
    end
  end else begin : gen_rows
    localparam int unsigned LoadBits = $clog2(Width + 1);

    logic [LoadBits-1:0] loaded_q;  // pixels of the next frame's first row
    logic load, load_ready, next_row;
    logic write_q, fetched_q;
    logic [XBits-1:0] write_addr_q, fetched_x_q;
    pixel_t pixel_q;

    // A pixel is loaded, or it is the lowest one of the column that is fetched.
    assign next_row = !y_last && !(y_first && loaded_q != LoadBits'(Width));
    assign fetch = room && (y_last || (next_row && s_axis_tvalid));
    assign load_ready = y_last ? (loaded_q != LoadBits'(x_q) || fetch) : !next_row;
    assign load = load_ready && s_axis_tvalid;
    assign s_axis_tready = load_ready || (next_row && room);

    assign bottom = pixel_q;

    // The memories are written a cycle after they are read, never where they are read.
    always_ff @(posedge clk) begin
      if (s_axis_tvalid && s_axis_tready) begin
        pixel_q <= s_axis_tdata;
        write_addr_q <= load ? XBits'(loaded_q) : x_q;
      end
      if (fetch) begin
        fetched_x_q <= x_q;
      end
      write_q   <= s_axis_tvalid && s_axis_tready;
      fetched_q <= fetch;
      if (load) begin
        loaded_q <= loaded_q + 1'b1;
      end else if (fetch && x_last && y_first) begin
        loaded_q <= '0;
      end
      if (!rst_n) begin
        loaded_q <= '0;
        write_q <= 1'b0;
        fetched_q <= 1'b0;
      end
    end

    qun_ram #(
        .Bits (WordBits),
        .Depth(Width)
    ) u_centre (
        .clk,
        .write      (write_q),
        .write_addr (write_addr_q),
        .write_data (pixel_q),
        .read       (fetch),
        .read_addr  (x_q),
        .read_data_q(centre)
    );

    qun_ram #(
        .Bits (WordBits),
        .Depth(Width)
    ) u_top (
        .clk,
        .write      (fetched_q),
        .write_addr (fetched_x_q),
        .write_data (centre),
        .read       (fetch),
        .read_addr  (x_q),
        .read_data_q(top)
    );

    `QUN_ASSERT(no_collision, !(fetch && write_q && write_addr_q == x_q)
                && !(fetch && fetched_q && fetched_x_q == x_q),
                "a word was used that was read while it was written")
  end

  assign fetched[0] = top_zero_q ? '0 : top;
  assign fetched[1] = centre;
  assign fetched[2] = bottom_zero_q ? '0 : bottom;

  always_ff @(posedge clk) begin
    if (fetch) begin
      x_q <= x_last ? '0 : x_q + 1'b1;
      if (x_last) begin
        y_q <= y_last ? '0 : y_q + 1'b1;
      end
    end
    fetched_valid_q <= fetch || (fetched_valid_q && !move);
    middle_valid_q  <= move || (middle_valid_q && !take);
    if (!rst_n) begin
      x_q <= '0;
      y_q <= '0;
      fetched_valid_q <= 1'b0;
      middle_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (fetch) begin
      fetched_place_q <= place;
      top_zero_q <= y_first;
      bottom_zero_q <= y_last;
    end
    if (move) begin
      middle_q <= fetched;
      middle_place_q <= fetched_place_q;
    end
    if (take) begin
      for (int unsigned ky = 0; ky < 3; ky++) begin
        // The window's middle column is the pixel to the left of the next one.
        window_q[(ky*3+0)*WordBits+:WordBits] <=
            middle_place_q.first ? '0 : window_q[(ky*3+1)*WordBits+:WordBits];
        window_q[(ky*3+1)*WordBits+:WordBits] <= middle_q[ky];
        window_q[(ky*3+2)*WordBits+:WordBits] <= middle_place_q.last ? '0 : fetched[ky];
      end
    end
  end

  `QUN_ASSERT(counters_in_range, 32'(x_q) < Width && 32'(y_q) < Height, "a counter left its range")

endmodule

`default_nettype wire
