// SPDX-License-Identifier: Apache-2.0
//
// Pixels of one constant around the image.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle out.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// Nothing of a frame leaves before its first beat has come: what stands before that beat waits for it. All other beats
// of padding follow the beat before them, and wait for no input.

`include "qun_assert.svh"

`default_nettype none

module qun_pad #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 to 32]
    parameter int unsigned Bits = 8,
    /// Rows above the image [0 or more]
    parameter int unsigned Top = 1,
    /// Columns left of the image [0 or more]
    parameter int unsigned Left = 1,
    /// Rows below the image [0 or more]
    parameter int unsigned Bottom = 1,
    /// Columns right of the image [0 or more]
    parameter int unsigned Right = 1,
    /// The bits of each channel around the image [below 2\*\*Bits]
    parameter int unsigned Value = 0
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

  logic [Lanes*Bits-1:0] held;
  logic held_valid;
  logic real_beat;  // it comes from the image
  logic begun_q;  // something of the frame has left, so that its first beat has come
  logic leave;
  logic unused_image_last;

  assign leave = m_axis_tvalid && m_axis_tready;
  assign m_axis_tvalid = held_valid || (begun_q && !real_beat);
  assign m_axis_tdata = real_beat ? held : {Lanes{Bits'(Value)}};

  qun_register_slice #(
      .Bits(Lanes * Bits)
  ) u_input (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (s_axis_tdata),
      .s_valid(s_axis_tvalid),
      .s_ready(s_axis_tready),
      .m_data (held),
      .m_valid(held_valid),
      .m_ready(m_axis_tready && real_beat)
  );

  qun_rectangle #(
      .Rows      (Top + Height + Bottom),
      .RowBeats  ((Left + Width + Right) * Groups),
      .FirstRow  (Top),
      .InnerRows (Height),
      .FirstBeat (Left * Groups),
      .InnerBeats(Width * Groups)
  ) u_place (
      .clk        (clk),
      .rst_n      (rst_n),
      .step       (leave),
      .inside_q   (real_beat),
      .inside_last(unused_image_last),
      .frame_last (m_axis_tlast)
  );

  always_ff @(posedge clk) begin
    if (leave) begin
      begun_q <= !m_axis_tlast;
    end
    if (!rst_n) begin
      begun_q <= 1'b0;
    end
  end

`ifdef QUN_ASSERT_ACTIVE
  int unsigned came_q;  // beats of the image that came

  always_ff @(posedge clk) begin
    if (s_axis_tvalid && s_axis_tready) begin
      came_q <= (came_q == Height * Width * Groups - 1) ? 0 : came_q + 1;
    end
    if (!rst_n) begin
      came_q <= 0;
    end
  end
`endif

  `QUN_ASSERT(last_ends_image, !(s_axis_tvalid && s_axis_tready)
              || s_axis_tlast == (came_q == Height * Width * Groups - 1),
              "tlast came at another beat than the image's last")

  logic unused_tlast;
  assign unused_tlast = s_axis_tlast;

endmodule

`default_nettype wire
