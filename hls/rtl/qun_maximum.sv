// SPDX-License-Identifier: Apache-2.0
//
// The greater of two tensors of one type, value by value.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle; a beat of each stream is taken in the same cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.

`include "qun_assert.svh"

`default_nettype none

module qun_maximum #(
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 to 16]
    parameter int unsigned Bits = 8,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [Lanes*Bits-1:0] s_axis_first_tdata,
    input  wire logic                  s_axis_first_tvalid,
    output logic                       s_axis_first_tready,
    input  wire logic                  s_axis_first_tlast,
    input  wire logic [Lanes*Bits-1:0] s_axis_second_tdata,
    input  wire logic                  s_axis_second_tvalid,
    output logic                       s_axis_second_tready,
    input  wire logic                  s_axis_second_tlast,
    output logic      [Lanes*Bits-1:0] m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready,
    output logic                       m_axis_tlast
);

  // Unsigned numbers are in the order of signed ones when the top bit of those is inverted.
  localparam logic [Bits-1:0] Flip = Signed ? Bits'(1) << (Bits - 1) : '0;

  logic [Lanes*Bits-1:0] result;
  logic both;
  logic ready;
  logic unused_second_tlast;

  assign unused_second_tlast = s_axis_second_tlast;  // it comes with that of the first stream
  assign both = s_axis_first_tvalid && s_axis_second_tvalid;
  assign s_axis_first_tready = ready && s_axis_second_tvalid;
  assign s_axis_second_tready = ready && s_axis_first_tvalid;

  // Without a beat the result does not matter, and a simulator need not compute it.
  always_comb begin
    result = 'x;
    if (both) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        automatic logic [Bits-1:0] first = s_axis_first_tdata[lane*Bits+:Bits];
        automatic logic [Bits-1:0] second = s_axis_second_tdata[lane*Bits+:Bits];
        result[lane*Bits+:Bits] = ((first ^ Flip) < (second ^ Flip)) ? second : first;
      end
    end
  end

  qun_register_slice #(
      .Bits(Lanes * Bits + 1)
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

  `QUN_ASSERT(frames_meet, !both || s_axis_first_tlast == s_axis_second_tlast,
              "the frames of the two streams end apart")

endmodule

`default_nettype wire
