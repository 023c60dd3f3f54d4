// SPDX-License-Identifier: Apache-2.0
//
// Concatenation along the channels, pixel by pixel: the skip leg's channels, then the up leg's.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// The up leg's tlast ends the image.

`include "qun_assert.svh"

`default_nettype none

module qun_concat #(
    /// Channels of the skip leg [a multiple of Lanes]
    parameter int unsigned SkipChannels = 1,
    /// Channels of the up leg [a multiple of Lanes]
    parameter int unsigned UpChannels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 8
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [Lanes*Bits-1:0] s_axis_skip_tdata,
    input  wire logic                  s_axis_skip_tvalid,
    output logic                       s_axis_skip_tready,
    input  wire logic                  s_axis_skip_tlast,
    input  wire logic [Lanes*Bits-1:0] s_axis_up_tdata,
    input  wire logic                  s_axis_up_tvalid,
    output logic                       s_axis_up_tready,
    input  wire logic                  s_axis_up_tlast,
    output logic      [Lanes*Bits-1:0] m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready,
    output logic                       m_axis_tlast
);

  localparam int unsigned SkipGroups = SkipChannels / Lanes;
  localparam int unsigned Groups = SkipGroups + UpChannels / Lanes;
  localparam int unsigned GroupBits = $clog2(Groups);

  if (SkipChannels % Lanes != 0 || UpChannels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide SkipChannels and UpChannels");
  end

  logic [GroupBits-1:0] group_q;
  logic up;
  logic valid;
  logic ready;
  logic unused_skip_tlast;

  assign unused_skip_tlast = s_axis_skip_tlast;
  assign up = group_q >= GroupBits'(SkipGroups);
  assign valid = up ? s_axis_up_tvalid : s_axis_skip_tvalid;
  assign s_axis_skip_tready = ready && !up;
  assign s_axis_up_tready = ready && up;

  always_ff @(posedge clk) begin
    if (valid && ready) begin
      group_q <= (group_q == GroupBits'(Groups - 1)) ? '0 : group_q + 1'b1;
    end
    if (!rst_n) begin
      group_q <= '0;
    end
  end

  qun_register_slice #(
      .Bits(Lanes * Bits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (up ? {s_axis_up_tlast, s_axis_up_tdata} : {1'b0, s_axis_skip_tdata}),
      .s_valid(valid),
      .s_ready(ready),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(group_in_range, 32'(group_q) < Groups, "the group counter left its range")
  `QUN_ASSERT(last_ends_pixel, !(valid && up && s_axis_up_tlast) || 32'(group_q) == Groups - 1,
              "tlast of the up leg came within a pixel")

endmodule

`default_nettype wire
