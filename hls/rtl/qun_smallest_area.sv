// SPDX-License-Identifier: Apache-2.0
//
// A mask that is empty where its foreground is too small.
//
// Latency: a frame leaves from the cycle after its last pixel came in.
// Throughput: one pixel a cycle, also from one frame to the next.
// Lanes: one channel of one bit, 1 is the foreground.
//
// A FIFO holds a frame until its foreground is counted; the verdict stands beside it until the frame's last pixel has
// left, and so long its pixels come out as they are, or as background. The next frame comes in behind it. Pixels are
// counted in front of the FIFO's register slice: with the slice's two places the FIFO is never full while the verdict
// is on its way, so that it needs no more places than the frame has pixels.

`include "qun_assert.svh"

`default_nettype none

module qun_smallest_area #(
    /// Pixels of a frame [2 or more]
    parameter int unsigned Pixels = 2,
    /// Pixels of the smallest foreground that is kept [1 to Pixels]
    parameter int unsigned Area = 1
) (
    input  wire logic       clk,
    input  wire logic       rst_n,
    input  wire logic [0:0] s_axis_tdata,
    input  wire logic       s_axis_tvalid,
    output logic            s_axis_tready,
    input  wire logic       s_axis_tlast,
    output logic      [0:0] m_axis_tdata,
    output logic            m_axis_tvalid,
    input  wire logic       m_axis_tready,
    output logic            m_axis_tlast
);

  localparam int unsigned CountBits = $clog2(Area + 1);
  localparam int unsigned Places = Pixels;  // of the FIFO
  localparam int unsigned LevelBits = $clog2(Places + 1);

  typedef logic [CountBits-1:0] count_t;

  if (Pixels < 2 || Area < 1 || Area > Pixels) begin : gen_bad_area
    $error("Pixels must be 2 or more, and Area 1 to Pixels");
  end

  logic take;
  logic frame_end;
  count_t missing_q, missing;  // foreground pixels up to Area
  // verilator lint_off UNUSEDSIGNAL
  logic verdict_ready;  // an assertion asks for it
  // verilator lint_on UNUSEDSIGNAL
  logic judged;  // the frame in front is whole, and `kept` is about it
  logic kept;
  logic pixel, pixel_valid, pixel_ready;
  logic stored, stored_valid, stored_last;

  assign take = s_axis_tvalid && s_axis_tready;
  assign frame_end = take && s_axis_tlast;
  assign missing = missing_q - count_t'(s_axis_tdata[0] && missing_q != '0);

  always_ff @(posedge clk) begin
    if (take) begin
      missing_q <= s_axis_tlast ? count_t'(Area) : missing;
    end
    if (!rst_n) begin
      missing_q <= count_t'(Area);
    end
  end

  qun_register_slice #(
      .Bits(1)
  ) u_pixels (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (s_axis_tdata),
      .s_valid(s_axis_tvalid),
      .s_ready(s_axis_tready),
      .m_data (pixel),
      .m_valid(pixel_valid),
      .m_ready(pixel_ready)
  );

  logic [LevelBits-1:0] unused_level;

  qun_fifo #(
      .Bits      (1),
      .Depth     (Places),
      .FrameBeats(Pixels)
  ) u_frame (
      .clk          (clk),
      .rst_n        (rst_n),
      .s_axis_tdata (pixel),
      .s_axis_tvalid(pixel_valid),
      .s_axis_tready(pixel_ready),
      .s_axis_tlast (1'b0),  // it counts
      .m_axis_tdata (stored),
      .m_axis_tvalid(stored_valid),
      .m_axis_tready(m_axis_tready && judged),
      .m_axis_tlast (stored_last),
      .level        (unused_level)
  );

  qun_register_slice #(
      .Bits(1)
  ) u_verdicts (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (missing == '0),
      .s_valid(frame_end),
      .s_ready(verdict_ready),
      .m_data (kept),
      .m_valid(judged),
      .m_ready(m_axis_tready && stored_valid && stored_last)
  );

  assign m_axis_tdata  = stored && kept;
  assign m_axis_tvalid = stored_valid && judged;
  assign m_axis_tlast  = stored_last;

  // A third frame begins only when the first one's last pixel has left: there are not so many places.
  `QUN_ASSERT(verdict_has_place, !frame_end || verdict_ready,
              "a frame was judged while two others wait")
  `QUN_ASSERT(missing_in_range, 32'(missing_q) <= Area,
              "more pixels are missing than the smallest area has")

endmodule

`default_nettype wire
