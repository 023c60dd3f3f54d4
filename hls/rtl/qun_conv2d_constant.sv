// SPDX-License-Identifier: Apache-2.0
//
// Stream side of a convolution by constants, 3x3 same or 1x1: window, requantisation, credits.
//
// Latency: first beat SumLatency+4 cycles after pixel Width+2 (one row: 2; 1x1: SumLatency+3 after the first).
// Throughput: one pixel a cycle.
// Lanes: InChannels a beat in, OutChannels a beat out, lane 0 least significant.
//
// The product stands outside: `sums` answers `window`, SumLatency cycles later, whatever it holds. Window element
// (ky*Kernel + kx)*InChannels + i holds channel i of the pixel at (ky, kx).

`default_nettype none

module qun_conv2d_constant #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more; a 3x3 kernel over several rows: 2 or more]
    parameter int unsigned Width = 2,
    /// Channels of the input image: lanes of an input beat [1 or more]
    parameter int unsigned InChannels = 1,
    /// Channels of the output image: lanes of an output beat [1 or more]
    parameter int unsigned OutChannels = 1,
    /// Rows and columns of the kernel [1 or 3]
    parameter int unsigned Kernel = 3,
    /// Bits of an input channel [1 to 16]
    parameter int unsigned InBits = 8,
    /// Bits of a signed sum [1 to 62]
    parameter int unsigned SumBits = 24,
    /// Cycles from `window` to its `sums` [1 or more]
    parameter int unsigned SumLatency = 1,
    /// Binary places that requantisation drops; below 0, that it adds [SumBits + max(-Shift, 1) below 64]
    parameter int Shift = 0,
    /// Bits of an output channel [1 to 16, or enough for every sum: up to 48]
    parameter int unsigned OutBits = 8,
    /// Whether output channels are signed [0 or 1]
    parameter bit OutSigned = 1'b0
) (
    input  wire logic                                       clk,
    input  wire logic                                       rst_n,
    input  wire logic [              InChannels*InBits-1:0] s_axis_tdata,
    input  wire logic                                       s_axis_tvalid,
    output logic                                            s_axis_tready,
    input  wire logic                                       s_axis_tlast,
    output logic      [Kernel*Kernel*InChannels*InBits-1:0] window,
    input  wire logic [            OutChannels*SumBits-1:0] sums,
    output logic      [            OutChannels*OutBits-1:0] m_axis_tdata,
    output logic                                            m_axis_tvalid,
    input  wire logic                                       m_axis_tready,
    output logic                                            m_axis_tlast
);

  // From a credit taken to the same one returned, SumLatency+4 cycles pass at full speed.
  localparam int unsigned Cover = 1 << $clog2(SumLatency + 4);
  localparam int unsigned Least = qun_device_pkg::Credits;
  localparam int unsigned FifoDepth = (Cover > Least) ? Cover : Least;

  logic credit, take, take_last;
  logic [SumLatency+1:0] valid_q, last_q;  // window, product, requantisation
  logic [OutChannels*OutBits-1:0] result, result_q;
  logic unused_tlast;

  assign unused_tlast = s_axis_tlast;  // the frame's size is known

  if (Kernel == 3) begin : gen_window
    qun_pixel_window #(
        .Height  (Height),
        .Width   (Width),
        .WordBits(InChannels * InBits)
    ) u_window (
        .clk,
        .rst_n,
        .s_axis_tdata,
        .s_axis_tvalid,
        .s_axis_tready,
        .credit,
        .take,
        .take_last,
        .window_q(window)
    );
  end else if (Kernel == 1) begin : gen_point
    localparam int unsigned Pixels = Height * Width;
    localparam int unsigned CountBits = (Pixels > 1) ? $clog2(Pixels) : 1;

    logic [CountBits-1:0] count_q;
    logic [InChannels*InBits-1:0] pixel_q;

    assign s_axis_tready = credit;
    assign take = s_axis_tvalid && credit;
    assign take_last = count_q == CountBits'(Pixels - 1);
    assign window = pixel_q;

    always_ff @(posedge clk) begin
      if (take) begin
        pixel_q <= s_axis_tdata;
        count_q <= take_last ? '0 : count_q + 1'b1;
      end
      if (!rst_n) begin
        count_q <= '0;
      end
    end
  end else begin : gen_bad_kernel
    $error("Kernel must be 1 or 3");
  end

  always_comb begin
    for (int unsigned p = 0; p < OutChannels; p++) begin
      automatic logic signed [SumBits-1:0] sum = sums[p*SumBits+:SumBits];
      result[p*OutBits+:OutBits] = OutBits'(
          qun_requant_pkg::round_saturate(64'(sum), Shift, int'(OutBits), OutSigned));
    end
  end

  always_ff @(posedge clk) begin
    result_q <= result;
    last_q   <= {last_q[SumLatency:0], take_last};
    valid_q <= {valid_q[SumLatency:0], take};
    if (!rst_n) begin
      valid_q <= '0;
    end
  end

  qun_credit_fifo #(
      .Bits (OutChannels * OutBits),
      .Depth(FifoDepth)
  ) u_out (
      .clk,
      .rst_n,
      .credit,
      .take,
      .push     (valid_q[SumLatency+1]),
      .push_data(result_q),
      .push_last(last_q[SumLatency+1]),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast
  );

endmodule

`default_nettype wire
