// SPDX-License-Identifier: Apache-2.0
//
// The image without some rows and columns at its sides.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle in.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// A beat that is dropped is taken without waiting for the reader.

`include "qun_assert.svh"

`default_nettype none

module qun_crop #(
    /// Rows of the input image [more than Top + Bottom]
    parameter int unsigned Height = 3,
    /// Columns of the input image [more than Left + Right]
    parameter int unsigned Width = 3,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 8,
    /// Rows that are dropped at the top [0 or more]
    parameter int unsigned Top = 1,
    /// Columns that are dropped at the left [0 or more]
    parameter int unsigned Left = 1,
    /// Rows that are dropped at the bottom [0 or more]
    parameter int unsigned Bottom = 1,
    /// Columns that are dropped at the right [0 or more]
    parameter int unsigned Right = 1
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

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end

  logic keep;
  logic keep_last;
  logic frame_last;
  logic room;
  logic take;

  assign s_axis_tready = room || !keep;
  assign take = s_axis_tvalid && s_axis_tready;

  qun_rectangle #(
      .Rows      (Height),
      .RowBeats  (Width * Groups),
      .FirstRow  (Top),
      .InnerRows (Height - Top - Bottom),
      .FirstBeat (Left * Groups),
      .InnerBeats((Width - Left - Right) * Groups)
  ) u_place (
      .clk        (clk),
      .rst_n      (rst_n),
      .step       (take),
      .inside_q   (keep),
      .inside_last(keep_last),
      .frame_last (frame_last)
  );

  qun_register_slice #(
      .Bits(Lanes * Bits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({keep_last, s_axis_tdata}),
      .s_valid(s_axis_tvalid && keep),
      .s_ready(room),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(last_ends_image, !take || s_axis_tlast == frame_last,
              "tlast came at another beat than the image's last")

  logic unused_last;
  assign unused_last = s_axis_tlast && frame_last;

endmodule

`default_nettype wire
