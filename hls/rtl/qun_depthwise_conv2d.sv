// SPDX-License-Identifier: Apache-2.0
//
// Convolution of each channel by itself, over windows inside the image, with bias, rectifier and requantisation.
//
// Latency: the first beat comes 6 cycles after the last tap of the first window.
// Throughput: a tap (a pixel of a window, Lanes channels) a cycle, or a beat in, whichever takes longer.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// Word (g*KernelH + ky)*KernelW + kx of the weight file holds, as element `lane`, the weight of channel g*Lanes+lane;
// word g of the bias file holds its bias. Nothing in the datapath stalls: a window starts when there is a place for its
// result.

`include "qun_assert.svh"

`default_nettype none

module qun_depthwise_conv2d #(
    /// Rows of the input image [a window or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [a window or more]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Rows of the kernel [1 or more]
    parameter int unsigned KernelH = 2,
    /// Columns of the kernel [1 or more]
    parameter int unsigned KernelW = 2,
    /// Rows from one window to the next [1 or more]
    parameter int unsigned StrideH = 1,
    /// Columns from one window to the next [1 or more]
    parameter int unsigned StrideW = 1,
    /// Rows from one tap to the next [1 or more]
    parameter int unsigned DilationH = 1,
    /// Columns from one tap to the next [1 or more]
    parameter int unsigned DilationW = 1,
    /// Pixels that the line buffer holds [enough for a window and the pixels up to its end]
    parameter int unsigned RingPixels = 4,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 to 16]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Bits of a weight, which is signed [1 to 16]
    parameter int unsigned WeightBits = 8,
    /// Bits of the signed sum of all products and the bias [1 to 62, enough for the largest sum]
    parameter int unsigned AccBits = 24,
    /// Binary places that requantisation drops; below 0, that it adds [AccBits + max(-Shift, 1) below 64]
    parameter int Shift = 0,
    /// Bits of an output channel [1 to 48]
    parameter int unsigned OutBits = 8,
    /// Whether output channels are signed [0 or 1]
    parameter bit OutSigned = 1'b0,
    /// Memory file of the weights [name of a file; docs/streams.md]
    parameter string WeightFile = "",
    /// Memory file of the biases [name of a file; docs/streams.md]
    parameter string BiasFile = ""
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
  localparam int unsigned WeightDepth = Groups * KernelH * KernelW;
  localparam int unsigned WeightAddrBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1;
  localparam int unsigned Stages = 5;  // from a tap to the requantised result

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end

  typedef logic signed [AccBits-1:0] accs_t[Lanes];

  typedef struct packed {
    logic first;
    logic last;
    logic frame_last;
    logic [GroupBits-1:0] group;
  } control_t;

  logic fold_ready, tap_valid, tap_first, tap_last, tap_frame_last;
  logic [WeightAddrBits-1:0] tap_weight_addr;
  logic [GroupBits-1:0] tap_out_fold;
  logic [Lanes*InBits-1:0] tap_data_q;
  logic unused_tlast;

  assign unused_tlast = s_axis_tlast;  // the frame's size is known

  qun_window #(
      .Height    (Height),
      .Width     (Width),
      .OutHeight ((Height - (KernelH - 1) * DilationH - 1) / StrideH + 1),
      .OutWidth  ((Width - (KernelW - 1) * DilationW - 1) / StrideW + 1),
      .InFolds   (Groups),
      .OutFolds  (Groups),
      .Groups    (Groups),
      .KernelH   (KernelH),
      .KernelW   (KernelW),
      .StrideH   (StrideH),
      .StrideW   (StrideW),
      .DilationH (DilationH),
      .DilationW (DilationW),
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
      .tap_weight_addr,
      .tap_out_fold,
      .tap_data_q
  );

  // Control beside the datapath: stage s is valid when valid_q[s] is set.
  logic [Stages:1] valid_q;
  control_t [4:1] control_q;

  logic [Lanes*WeightBits-1:0] weight_word_q;  // stage 1, as tap_data_q
  logic [Lanes*WeightBits-1:0] weights_q;  // stage 2
  logic [Lanes*InBits-1:0] inputs_q;
  logic [Lanes*AccBits-1:0] bias_word_q;
  int products_q[Lanes];  // stage 3
  accs_t biases_q;
  accs_t accs_q;  // stage 4
  logic [Lanes*OutBits-1:0] result_q;  // stage 5
  logic result_last_q;

  // The stages write their registers in place, since a simulator would copy results.
  function automatic void multiply();
    // verilator unroll_disable
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      logic signed [WeightBits-1:0] weight = weights_q[lane*WeightBits+:WeightBits];
      logic [InBits-1:0] raw = inputs_q[lane*InBits+:InBits];
      int value = InSigned ? int'(signed'(raw)) : int'(raw);
      products_q[lane] = int'(weight) * value;
    end
  endfunction

  function automatic void split_biases();
    // verilator unroll_disable
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      biases_q[lane] = bias_word_q[lane*AccBits+:AccBits];
    end
  endfunction

  function automatic void accumulate(logic first);
    // verilator unroll_disable
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      accs_q[lane] = (first ? biases_q[lane] : accs_q[lane]) + AccBits'(products_q[lane]);
    end
  endfunction

  function automatic logic [Lanes*OutBits-1:0] requantise();
    // verilator unroll_disable
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      requantise[lane*OutBits+:OutBits] = OutBits'(qun_requant_pkg::round_saturate(
          64'(accs_q[lane]), Shift, OutBits, OutSigned
      ));
    end
  endfunction

  qun_rom #(
      .Bits (Lanes * WeightBits),
      .Depth(WeightDepth),
      .File (WeightFile)
  ) u_weights (
      .clk,
      .read  (tap_valid),
      .addr  (tap_weight_addr),
      .data_q(weight_word_q)
  );

  qun_rom #(
      .Bits (Lanes * AccBits),
      .Depth(Groups),
      .File (BiasFile)
  ) u_biases (
      .clk,
      .read  (valid_q[1] && control_q[1].first),
      .addr  (control_q[1].group),
      .data_q(bias_word_q)
  );

  always_ff @(posedge clk) begin
    valid_q <= {valid_q[4] && control_q[4].last, valid_q[3:1], tap_valid};
    if (!rst_n) begin
      valid_q <= '0;
    end
  end

  // The last stage comes first: a simulator then reads each register before it is written and keeps
  // no second copy.
  always_ff @(posedge clk) begin
    if (valid_q[4] && control_q[4].last) begin
      result_q <= requantise();
      result_last_q <= control_q[4].frame_last;
    end
    if (valid_q[3]) begin
      control_q[4] <= control_q[3];
      accumulate(control_q[3].first);
    end
    if (valid_q[2]) begin
      control_q[3] <= control_q[2];
      multiply();
      if (control_q[2].first) begin
        split_biases();
      end
    end
    if (valid_q[1]) begin
      control_q[2] <= control_q[1];
      weights_q <= weight_word_q;
      inputs_q <= tap_data_q;
    end
    if (tap_valid) begin
      control_q[1] <= '{tap_first, tap_last, tap_frame_last, tap_out_fold};
    end
  end

  qun_credit_fifo #(
      .Bits(Lanes * OutBits)
  ) u_out (
      .clk,
      .rst_n,
      .credit   (fold_ready),
      .take     (tap_valid && tap_first),
      .push     (valid_q[5]),
      .push_data(result_q),
      .push_last(result_last_q),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast
  );

`ifdef QUN_ASSERT_ACTIVE
  bit overflow_q;

  function automatic bit overflows(logic first);
    bit any = 1'b0;
    // verilator unroll_disable
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      longint sum = (first ? 64'(biases_q[lane]) : 64'(accs_q[lane])) + 64'(products_q[lane]);
      any = any | (sum != 64'(AccBits'(sum)));
    end
    return any;
  endfunction

  always_ff @(posedge clk) begin
    overflow_q <= valid_q[3] && overflows(control_q[3].first);
  end
`endif
  `QUN_ASSERT(sums_fit, !overflow_q, "a sum does not fit the accumulator")

endmodule

`default_nettype wire
