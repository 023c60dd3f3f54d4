// Transpose convolution, kernel 2x2, stride 2, with bias, rectifier and requantisation;
// 4*Height*Width*OF*IF cycles a frame (OF = OutChannels/Pe, IF = InChannels/Simd), first beat when
// one pixel and one fold are through.
//
// In: Simd channels a beat, Height x Width pixels; out: Pe channels a beat, twice as high and wide,
// in raster order; lane 0 least significant, channel groups innermost. Word ((dy*2 + dx)*OF +
// of)*IF + if of the weight file holds, as element p*Simd+s, the weight of output channel of*Pe+p
// and input channel if*Simd+s; word `of` of the bias file holds the bias of output channel of*Pe+p
// as element p.
module qun_conv_transpose2d #(
    parameter int unsigned Height = 2,
    parameter int unsigned Width = 2,
    parameter int unsigned InChannels = 1,
    parameter int unsigned OutChannels = 1,
    parameter int unsigned Pe = 1,
    parameter int unsigned Simd = 1,
    parameter int unsigned InBits = 8,
    parameter bit InSigned = 1'b0,
    parameter int unsigned WeightBits = 8,
    parameter int unsigned AccBits = 24,
    parameter int Shift = 0,
    parameter int unsigned OutBits = 8,
    parameter bit OutSigned = 1'b0,
    parameter bit PairProducts = 1'b0,  // two products in one multiplier
    parameter string WeightFile = "",
    parameter string BiasFile = ""
) (
    input  logic                   clk,
    input  logic                   rst_n,
    input  logic [Simd*InBits-1:0] s_axis_tdata,
    input  logic                   s_axis_tvalid,
    output logic                   s_axis_tready,
    input  logic                   s_axis_tlast,
    output logic [ Pe*OutBits-1:0] m_axis_tdata,
    output logic                   m_axis_tvalid,
    input  logic                   m_axis_tready,
    output logic                   m_axis_tlast
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
