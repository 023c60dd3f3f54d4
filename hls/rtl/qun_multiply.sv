// SPDX-License-Identifier: Apache-2.0
//
// Exact product of two tensors. The second has as many channels as the first, or one for all of them: a gate.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle; a beat of each stream is taken in the same cycle, of a gate with a pixel's last beat.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost; a gate has one lane.

`include "qun_assert.svh"

`default_nettype none

module qun_multiply #(
    /// Channels of the first stream [a multiple of Lanes]
    parameter int unsigned FirstChannels = 1,
    /// Channels of the second stream [FirstChannels, or 1]
    parameter int unsigned SecondChannels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel of the first stream [1 to 16]
    parameter int unsigned FirstBits = 8,
    /// Whether channels of the first stream are signed [0 or 1]
    parameter bit FirstSigned = 1'b0,
    /// Bits of a channel of the second stream [1 to 16]
    parameter int unsigned SecondBits = 8,
    /// Whether channels of the second stream are signed [0 or 1]
    parameter bit SecondSigned = 1'b0,
    /// Bits of an output channel [enough for every product, to 62]
    parameter int unsigned OutBits = 16,
    localparam int unsigned SecondLanes = (SecondChannels == 1) ? 1 : Lanes
) (
    input  wire logic                              clk,
    input  wire logic                              rst_n,
    input  wire logic [       Lanes*FirstBits-1:0] s_axis_first_tdata,
    input  wire logic                              s_axis_first_tvalid,
    output logic                                   s_axis_first_tready,
    input  wire logic                              s_axis_first_tlast,
    input  wire logic [SecondLanes*SecondBits-1:0] s_axis_second_tdata,
    input  wire logic                              s_axis_second_tvalid,
    output logic                                   s_axis_second_tready,
    input  wire logic                              s_axis_second_tlast,
    output logic      [         Lanes*OutBits-1:0] m_axis_tdata,
    output logic                                   m_axis_tvalid,
    input  wire logic                              m_axis_tready,
    output logic                                   m_axis_tlast
);

  // Beats of the first stream that go with one of the second.
  localparam int unsigned Groups = (SecondChannels == 1) ? FirstChannels / Lanes : 1;

  if (FirstChannels % Lanes != 0 || (SecondChannels != 1 && SecondChannels != FirstChannels))
  begin : gen_bad_lanes
    $error("Lanes must divide FirstChannels, and SecondChannels be 1 or FirstChannels");
  end

  logic [Lanes*OutBits-1:0] result;
  logic group_last;
  logic both;
  logic ready;
  logic unused_second_tlast;

  assign unused_second_tlast = s_axis_second_tlast;  // it comes with that of the first stream
  assign both = s_axis_first_tvalid && s_axis_second_tvalid;
  assign s_axis_first_tready = ready && s_axis_second_tvalid;
  assign s_axis_second_tready = ready && s_axis_first_tvalid && group_last;

  if (Groups > 1) begin : gen_groups
    localparam int unsigned GroupBits = $clog2(Groups);
    logic [GroupBits-1:0] group_q;

    assign group_last = group_q == GroupBits'(Groups - 1);

    always_ff @(posedge clk) begin
      if (both && ready) begin
        group_q <= group_last ? '0 : group_q + 1'b1;
      end
      if (!rst_n) begin
        group_q <= '0;
      end
    end

    `QUN_ASSERT(group_in_range, 32'(group_q) < Groups, "the group counter left its range")
  end else begin : gen_one_group
    assign group_last = 1'b1;
  end

  // Without a beat the result does not matter, and a simulator need not compute it.
  always_comb begin
    result = 'x;
    if (both) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        automatic logic [FirstBits-1:0] first_raw = s_axis_first_tdata[lane*FirstBits+:FirstBits];
        automatic
        logic [SecondBits-1:0]
        second_raw = s_axis_second_tdata[(lane%SecondLanes)*SecondBits+:SecondBits];
        automatic logic first_sign = FirstSigned && first_raw[FirstBits-1];
        automatic logic second_sign = SecondSigned && second_raw[SecondBits-1];
        automatic longint first = {{(64 - FirstBits) {first_sign}}, first_raw};
        automatic longint second = {{(64 - SecondBits) {second_sign}}, second_raw};
        result[lane*OutBits+:OutBits] = OutBits'(first * second);
      end
    end
  end

  qun_register_slice #(
      .Bits(Lanes * OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({s_axis_first_tlast, result}),
      .s_valid(both),
      .s_ready(ready),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(frames_meet, !both || s_axis_first_tlast == (s_axis_second_tlast && group_last),
              "the frames of the two streams end apart")

endmodule

`default_nettype wire
