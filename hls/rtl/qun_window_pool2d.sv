// SPDX-License-Identifier: Apache-2.0
//
// Maximum or sum of each channel over windows inside the image, of any kernel and stride.
//
// Latency: the first beat comes 4 cycles after the last tap of the first window.
// Throughput: a tap (a pixel of a window, Lanes channels) a cycle, or a beat in, whichever takes longer.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.

`include "qun_assert.svh"

`default_nettype none

module qun_window_pool2d #(
    /// Rows of the input image [KernelH or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [KernelW or more]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Rows of a window [1 or more]
    parameter int unsigned KernelH = 2,
    /// Columns of a window [1 or more]
    parameter int unsigned KernelW = 2,
    /// Rows from one window to the next [1 or more]
    parameter int unsigned StrideH = 1,
    /// Columns from one window to the next [1 or more]
    parameter int unsigned StrideW = 1,
    /// Pixels that the line buffer holds [enough for a window and the pixels up to its end]
    parameter int unsigned RingPixels = 4,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned InBits = 8,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Whether pixels are added; else their maximum is taken [0 or 1]
    parameter bit Sum = 1'b0,
    /// Bits of an output channel [InBits; of a sum enough for the largest]
    parameter int unsigned OutBits = 8
) (
    input  wire logic                     clk,
    input  wire logic                     rst_n,
    input  wire logic [ Lanes*InBits-1:0] s_axis_tdata,
    input  wire logic                     s_axis_tvalid,
    output logic                          s_axis_tready,
    input  wire logic                     s_axis_tlast,
    output logic      [Lanes*OutBits-1:0] m_axis_tdata,
    output logic                          m_axis_tvalid,
    input  wire logic                     m_axis_tready,
    output logic                          m_axis_tlast
);

  localparam int unsigned Groups = Channels / Lanes;
  localparam int unsigned GroupBits = (Groups > 1) ? $clog2(Groups) : 1;
  localparam int unsigned TapDepth = Groups * KernelH * KernelW;
  localparam int unsigned TapAddrBits = (TapDepth > 1) ? $clog2(TapDepth) : 1;
  localparam int unsigned Stages = 3;  // from a tap to the result that holds it

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end
  if (OutBits < InBits || (!Sum && OutBits != InBits)) begin : gen_bad_bits
    $error("OutBits must be InBits, or more for a sum");
  end

  typedef struct packed {
    logic first;
    logic last;
    logic frame_last;
  } control_t;

  logic fold_ready, tap_valid, tap_first, tap_last, tap_frame_last;
  logic [Lanes*InBits-1:0] tap_data_q;
  logic [TapAddrBits-1:0] unused_weight_addr;
  logic [GroupBits-1:0] unused_out_fold;
  logic unused_tlast;

  assign unused_tlast = s_axis_tlast;  // the frame's size is known

  qun_window #(
      .Height    (Height),
      .Width     (Width),
      .OutHeight ((Height - KernelH) / StrideH + 1),
      .OutWidth  ((Width - KernelW) / StrideW + 1),
      .InFolds   (Groups),
      .OutFolds  (Groups),
      .Groups    (Groups),
      .KernelH   (KernelH),
      .KernelW   (KernelW),
      .StrideH   (StrideH),
      .StrideW   (StrideW),
      .RingPixels(RingPixels),
      .WordBits  (Lanes * InBits)
  ) u_window (
      .clk,
      .rst_n,
      .s_axis_tdata,
      .s_axis_tvalid,
      .s_axis_tready,
      .fold_ready,
      .tap_valid,
      .tap_first,
      .tap_last,
      .tap_frame_last,
      .tap_weight_addr(unused_weight_addr),
      .tap_out_fold   (unused_out_fold),
      .tap_data_q
  );

  // Control beside the data: stage s is valid when valid_q[s] is set. The line buffer's word is
  // registered, so that no path goes through a memory and an adder.
  logic [Stages:1] valid_q;
  control_t [2:1] control_q;
  logic [Lanes*InBits-1:0] data_r_q;  // stage 2
  logic [Lanes*OutBits-1:0] result_q;  // stage 3
  logic result_last_q;

  function automatic void combine(logic first);
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      // Flipping the sign bit makes two's complement compare like unsigned.
      automatic logic [OutBits-1:0] flip = {Signed, {(OutBits - 1) {1'b0}}};
      automatic logic [InBits-1:0] raw = data_r_q[lane*InBits+:InBits];
      automatic logic [OutBits-1:0] value = Signed ? OutBits'(signed'(raw)) : OutBits'(raw);
      automatic logic [OutBits-1:0] held = result_q[lane*OutBits+:OutBits];
      if (Sum) begin
        result_q[lane*OutBits+:OutBits] = (first ? '0 : held) + value;
      end else if (first || (value ^ flip) > (held ^ flip)) begin
        result_q[lane*OutBits+:OutBits] = value;
      end
    end
  endfunction

  always_ff @(posedge clk) begin
    valid_q <= {valid_q[2] && control_q[2].last, valid_q[1], tap_valid};
    if (!rst_n) begin
      valid_q <= '0;
    end
  end

  always_ff @(posedge clk) begin
    if (valid_q[2]) begin
      combine(control_q[2].first);
      result_last_q <= control_q[2].frame_last;
    end
    if (valid_q[1]) begin
      data_r_q <= tap_data_q;
      control_q[2] <= control_q[1];
    end
    if (tap_valid) begin
      control_q[1] <= '{tap_first, tap_last, tap_frame_last};
    end
  end

  qun_credit_fifo #(
      .Bits(Lanes * OutBits)
  ) u_out (
      .clk,
      .rst_n,
      .credit   (fold_ready),
      .take     (tap_valid && tap_first),
      .push     (valid_q[3]),
      .push_data(result_q),
      .push_last(result_last_q),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast
  );

endmodule

`default_nettype wire
