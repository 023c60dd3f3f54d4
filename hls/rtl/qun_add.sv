// SPDX-License-Identifier: Apache-2.0
//
// Weighted sum of two tensors, requantised: clamp(round_half_even(sum / 2**Shift)).
//
// Latency: 1 cycle.
// Throughput: one beat a cycle; a beat of each stream is taken in the same cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// The sum is a * FirstGain * 2**FirstShift + b * SecondGain * 2**SecondShift.

`include "qun_assert.svh"

`default_nettype none

module qun_add #(
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel of the first stream [1 to 16]
    parameter int unsigned FirstBits = 8,
    /// Whether channels of the first stream are signed [0 or 1]
    parameter bit FirstSigned = 1'b0,
    /// Binary places that are added to the first stream [0 to 46]
    parameter int unsigned FirstShift = 0,
    /// Bits of a channel of the second stream [1 to 16]
    parameter int unsigned SecondBits = 8,
    /// Whether channels of the second stream are signed [0 or 1]
    parameter bit SecondSigned = 1'b0,
    /// Binary places that are added to the second stream [0 to 46]
    parameter int unsigned SecondShift = 0,
    /// What the first stream is multiplied by [a whole number other than 0; the sum below 62 bits]
    parameter int FirstGain = 1,
    /// What the second stream is multiplied by [a whole number other than 0; the sum below 62 bits]
    parameter int SecondGain = 1,
    /// Binary places of the sum that are dropped; below 0, that are added [sum bits + max(-Shift, 1) below 64]
    parameter int Shift = 0,
    /// Bits of an output channel [1 to 48]
    parameter int unsigned OutBits = 8,
    /// Whether output channels are signed [0 or 1]
    parameter bit OutSigned = 1'b0
) (
    input  wire logic                        clk,
    input  wire logic                        rst_n,
    input  wire logic [ Lanes*FirstBits-1:0] s_axis_first_tdata,
    input  wire logic                        s_axis_first_tvalid,
    output logic                             s_axis_first_tready,
    input  wire logic                        s_axis_first_tlast,
    input  wire logic [Lanes*SecondBits-1:0] s_axis_second_tdata,
    input  wire logic                        s_axis_second_tvalid,
    output logic                             s_axis_second_tready,
    input  wire logic                        s_axis_second_tlast,
    output logic      [   Lanes*OutBits-1:0] m_axis_tdata,
    output logic                             m_axis_tvalid,
    input  wire logic                        m_axis_tready,
    output logic                             m_axis_tlast
);

  if (FirstBits + FirstShift >= 62 || SecondBits + SecondShift >= 62) begin : gen_too_wide
    $error("the sum does not fit 64 bits");
  end

  logic [Lanes*OutBits-1:0] result;
  logic both;
  logic ready;
  logic unused_second_tlast;

  assign unused_second_tlast = s_axis_second_tlast;  // it comes with that of the first stream
  assign both = s_axis_first_tvalid && s_axis_second_tvalid;
  assign s_axis_first_tready = ready && s_axis_second_tvalid;
  assign s_axis_second_tready = ready && s_axis_first_tvalid;

  // A gain of 1 takes no multiplication, and one of -1 makes the sum a difference.
  function automatic longint weighted(longint value, int unsigned shift, int gain);
    longint scaled = value <<< shift;
    return (gain == 1) ? scaled : (gain == -1) ? -scaled : scaled * 64'(gain);
  endfunction

  // Without a beat the result does not matter, and a simulator need not compute it.
  always_comb begin
    result = 'x;
    if (both) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        automatic logic [FirstBits-1:0] first_raw = s_axis_first_tdata[lane*FirstBits+:FirstBits];
        automatic
        logic [SecondBits-1:0]
        second_raw = s_axis_second_tdata[lane*SecondBits+:SecondBits];
        automatic logic first_sign = FirstSigned && first_raw[FirstBits-1];
        automatic logic second_sign = SecondSigned && second_raw[SecondBits-1];
        automatic longint first = {{(64 - FirstBits) {first_sign}}, first_raw};
        automatic longint second = {{(64 - SecondBits) {second_sign}}, second_raw};
        automatic longint total = weighted(first, FirstShift, FirstGain) +
            weighted(second, SecondShift, SecondGain);
        result[lane*OutBits+:OutBits] = OutBits'(
            qun_requant_pkg::round_saturate(total, Shift, int'(OutBits), OutSigned));
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

  `QUN_ASSERT(frames_meet, !both || s_axis_first_tlast == s_axis_second_tlast,
              "the frames of the two streams end apart")

endmodule

`default_nettype wire
