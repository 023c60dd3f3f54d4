// SPDX-License-Identifier: Apache-2.0
//
// Transpose convolution, kernel 2x2, stride 2, with bias, rectifier and requantisation.
//
// Latency: the first beat comes when one pixel and one fold are through.
// Throughput: 4*Height*Width*OF*IF cycles a frame (OF = OutChannels/Pe, IF = InChannels/Simd).
// Lanes: Simd channels a beat in, Pe channels a beat out, lane 0 least significant, channel groups innermost.
//
// In: Height x Width pixels; out: twice as high and wide, in raster order. Word ((dy*2 + dx)*OF + of)*IF + if of the
// weight file holds, as element p*Simd+s, the weight of output channel of*Pe+p and input channel if*Simd+s; word `of`
// of the bias file holds the bias of output channel of*Pe+p as element p.

`default_nettype none

module qun_conv_transpose2d #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Channels of the input image [a multiple of Simd]
    parameter int unsigned InChannels = 1,
    /// Channels of the output image [a multiple of Pe]
    parameter int unsigned OutChannels = 1,
    /// Output channels computed at a time: lanes of an output beat [divides OutChannels]
    parameter int unsigned Pe = 1,
    /// Input channels taken at a time: lanes of an input beat [divides InChannels]
    parameter int unsigned Simd = 1,
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
    /// Bits of an output channel [1 to 16, or enough for every sum: up to 48]
    parameter int unsigned OutBits = 8,
    /// Whether output channels are signed [0 or 1]
    parameter bit OutSigned = 1'b0,
    /// Whether multiplications go to hard multipliers [0 or 1]
    parameter bit HardProducts = 1'b1,
    /// Whether one multiplier makes two products [0 or 1; 1 where qun_pair_products can]
    parameter bit PairProducts = 1'b0,
    /// Memory file of the weights [name of a file; docs/streams.md]
    parameter string WeightFile = "",
    /// Memory file of the biases [name of a file; docs/streams.md]
    parameter string BiasFile = ""
) (
    input  wire logic                   clk,
    input  wire logic                   rst_n,
    input  wire logic [Simd*InBits-1:0] s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    input  wire logic                   s_axis_tlast,
    output logic      [ Pe*OutBits-1:0] m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    output logic                        m_axis_tlast
);

  localparam int unsigned InFolds = InChannels / Simd;
  localparam int unsigned OutFolds = OutChannels / Pe;
  localparam int unsigned WeightDepth = 4 * OutFolds * InFolds;
  localparam int unsigned WeightAddrBits = $clog2(WeightDepth);
  localparam int unsigned OutFoldBits = (OutFolds > 1) ? $clog2(OutFolds) : 1;

  if (InChannels % Simd != 0 || OutChannels % Pe != 0) begin : gen_bad_folding
    $error("Simd must divide InChannels and Pe must divide OutChannels");
  end

  logic fold_ready, tap_valid, tap_first, tap_last, tap_frame_last;
  logic [WeightAddrBits-1:0] tap_weight_addr;
  logic [OutFoldBits-1:0] tap_out_fold;
  logic [Simd*InBits-1:0] tap_data_q;
  logic unused_tlast;

  assign unused_tlast = s_axis_tlast;  // the frame's size is known

  qun_row_repeat #(
      .Height  (Height),
      .Width   (Width),
      .InFolds (InFolds),
      .OutFolds(OutFolds),
      .WordBits(Simd * InBits)
  ) u_rows (
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

  qun_matrix_vector #(
      .OutFolds    (OutFolds),
      .WeightDepth (WeightDepth),
      .Pe          (Pe),
      .Simd        (Simd),
      .InBits      (InBits),
      .InSigned    (InSigned),
      .WeightBits  (WeightBits),
      .AccBits     (AccBits),
      .Shift       (Shift),
      .OutBits     (OutBits),
      .OutSigned   (OutSigned),
      .HardProducts(HardProducts),
      .PairProducts(PairProducts),
      .WeightFile  (WeightFile),
      .BiasFile    (BiasFile)
  ) u_matrix_vector (
      .clk,
      .rst_n,
      .fold_ready,
      .tap_valid,
      .tap_first,
      .tap_last,
      .tap_frame_last,
      .tap_weight_addr,
      .tap_bias_addr(tap_out_fold),
      .tap_data_q,
      .tap_zero_q   (1'b0),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast
  );

endmodule

`default_nettype wire
