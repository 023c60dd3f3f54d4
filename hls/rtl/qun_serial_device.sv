// SPDX-License-Identifier: Apache-2.0
//
// A network on a serial line: pictures in, masks or values out, by the protocol of docs/serial.md.
//
// Latency: a block of a picture goes into the network 4 cycles after its frame has ended, if it is waited for.
// Throughput: a byte of the line in each direction at a time; the network never loses one.
// Lanes: InLanes values a beat to the network, OutLanes values a beat from it, lane 0 first on the line.
//
// The line has no flow control: what cannot be taken is not sent. The host may have two blocks on their way, for which
// there is place, and sends another one when one has gone into the network. So the buffer is two blocks, one block RAM
// for the usual thousand bytes, and not a picture. One picture is in the network at a time.

`include "qun_assert.svh"

`default_nettype none

module qun_serial_device #(
    /// Cycles that PeriodBits bits on the line last [16 * PeriodBits or more]
    parameter int unsigned PeriodCycles = 20,
    /// Bits on the line that last PeriodCycles cycles [1 or more]
    parameter int unsigned PeriodBits = 1,
    /// Cycles without a byte after which what was begun is given up [more than a byte lasts]
    parameter int unsigned SilenceCycles = 1000,
    /// Digest of the network, its first byte in the least significant bits [any]
    parameter bit [63:0] Digest = 64'd0,
    /// Bytes of a block [1 to 65528; at most 256 blocks a picture]
    parameter int unsigned BlockBytes = 4,
    /// Beats of a picture [1 or more]
    parameter int unsigned InBeats = 4,
    /// Values of a beat of the picture [1 or more]
    parameter int unsigned InLanes = 1,
    /// Bits of a value of the picture [1 or more]
    parameter int unsigned InBits = 8,
    /// Beats of a result [1 or more]
    parameter int unsigned OutBeats = 4,
    /// Values of a beat of the result [1 or more]
    parameter int unsigned OutLanes = 1,
    /// Bits of a value of the result [1 to 62]
    parameter int unsigned OutBits = 8,
    /// Whether values of the result are signed [0 or 1]
    parameter bit OutSigned = 1'b0,
    /// Whether a mask of eight pixels a byte is sent, and not values [0; 1 where OutLanes is 1]
    parameter bit Mask = 1'b1,
    /// Least value of the foreground of the mask [64 bits]
    parameter longint Least = 64'sd1,
    /// Whether Least is the greatest value of the foreground instead [0 or 1]
    parameter bit Below = 1'b0
) (
    input  wire logic                        clk,
    input  wire logic                        rst_n,
    input  wire logic                        rx,
    output logic                             tx,
    input  wire logic                        frame_error,  // of the network, for the host
    output logic                             busy,         // a picture is in the network
    output logic                             line_error,   // something was refused; until reset
    output logic      [  InLanes*InBits-1:0] m_axis_tdata,
    output logic                             m_axis_tvalid,
    input  wire logic                        m_axis_tready,
    output logic                             m_axis_tlast,
    input  wire logic [OutLanes*OutBits-1:0] s_axis_tdata,
    input  wire logic                        s_axis_tvalid,
    output logic                             s_axis_tready,
    input  wire logic                        s_axis_tlast
);

  localparam int unsigned PictureBytes = InBeats * InLanes * ((InBits + 7) / 8);
  localparam int unsigned ResultBytes = Mask ? (OutBeats + 7) / 8
                                             : OutBeats * OutLanes * ((OutBits + 7) / 8);
  localparam int unsigned FrameBytes = BlockBytes + 7;
  localparam int unsigned CountBits = $clog2(FrameBytes + 1);
  localparam int unsigned SilenceBits = $clog2(SilenceCycles + 1);

  if (SilenceCycles * PeriodBits <= 11 * PeriodCycles) begin : gen_bad_silence
    $error("SilenceCycles must be more than a byte lasts");
  end
  if (Mask && OutLanes != 1) begin : gen_bad_mask
    $error("a mask has one lane");
  end

  // From the line.
  logic [7:0] rx_data;
  logic rx_valid, rx_damaged;
  logic begun;
  logic [7:0] frame_data;
  logic frame_valid, frame_end, frame_good;
  logic [CountBits-1:0] frame_bytes;

  qun_uart_rx #(
      .PeriodCycles(PeriodCycles),
      .PeriodBits  (PeriodBits)
  ) u_rx (
      .clk      (clk),
      .rst_n    (rst_n),
      .rx       (rx),
      .m_data   (rx_data),
      .m_valid  (rx_valid),
      .m_damaged(rx_damaged)
  );

  // Silence counts only while something is waited for that the host has begun.
  logic [SilenceBits-1:0] silent_q;
  logic open, drained, silence;

  assign silence = silent_q == SilenceBits'(SilenceCycles);

  always_ff @(posedge clk) begin
    silent_q <= silent_q + 1'b1;
    if (rx_valid || silence || !(begun || (open && drained))) begin
      silent_q <= '0;
    end
    if (!rst_n) begin
      silent_q <= '0;
    end
  end

  qun_serial_deframer #(
      .MostBytes(FrameBytes)
  ) u_deframer (
      .clk      (clk),
      .rst_n    (rst_n),
      .s_data   (rx_data),
      .s_valid  (rx_valid),
      .s_damaged(rx_damaged),
      .silence  (silence),
      .open     (begun),
      .m_data   (frame_data),
      .m_valid  (frame_valid),
      .m_end    (frame_end),
      .m_good   (frame_good),
      .m_bytes  (frame_bytes)
  );

  // Blocks, and the picture in the network.
  logic asked, error;
  logic [7:0] error_code, error_picture;
  logic [7:0] word_data;
  logic word_first, word_valid, word_ready;
  logic drop, taken, result_end;
  logic [7:0] block, picture;
  logic [7:0] byte_data;
  logic byte_valid, byte_ready;

  qun_block_buffer #(
      .PictureBytes(PictureBytes),
      .BlockBytes  (BlockBytes)
  ) u_blocks (
      .clk          (clk),
      .rst_n        (rst_n),
      .s_data       (frame_data),
      .s_valid      (frame_valid),
      .s_end        (frame_end),
      .s_good       (frame_good),
      .s_bytes      (frame_bytes),
      .silence      (silence),
      .asked        (asked),
      .error        (error),
      .error_code   (error_code),
      .error_picture(error_picture),
      .open         (open),
      .drained      (drained),
      .m_data       (word_data),
      .m_first      (word_first),
      .m_valid      (word_valid),
      .m_ready      (word_ready)
  );

  qun_picture_feeder #(
      .PictureBytes(PictureBytes),
      .BlockBytes  (BlockBytes)
  ) u_feeder (
      .clk       (clk),
      .rst_n     (rst_n),
      .s_data    (word_data),
      .s_first   (word_first),
      .s_valid   (word_valid),
      .s_ready   (word_ready),
      .open      (open),
      .drained   (drained),
      .result_end(result_end),
      .busy      (busy),
      .drop      (drop),
      .taken     (taken),
      .block     (block),
      .picture   (picture),
      .m_data    (byte_data),
      .m_valid   (byte_valid),
      .m_ready   (byte_ready)
  );

  qun_byte_beats #(
      .Lanes(InLanes),
      .Bits (InBits),
      .Beats(InBeats)
  ) u_beats (
      .clk          (clk),
      .rst_n        (rst_n),
      .s_data       (byte_data),
      .s_valid      (byte_valid),
      .s_ready      (byte_ready),
      .m_axis_tdata (m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .m_axis_tlast (m_axis_tlast)
  );

  // To the line.
  logic [7:0] result_data;
  logic result_valid, result_ready;
  logic [7:0] reply_data;
  logic reply_end, reply_valid, reply_ready;
  logic [7:0] tx_data;
  logic tx_valid, tx_ready;

  if (Mask) begin : gen_mask
    qun_mask_bytes #(
        .Bits  (OutBits),
        .Signed(OutSigned),
        .Least (Least),
        .Below (Below)
    ) u_result (
        .clk          (clk),
        .rst_n        (rst_n),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .m_data       (result_data),
        .m_valid      (result_valid),
        .m_ready      (result_ready)
    );
  end else begin : gen_values
    logic unused_last;
    assign unused_last = s_axis_tlast;

    qun_value_bytes #(
        .Lanes (OutLanes),
        .Bits  (OutBits),
        .Signed(OutSigned)
    ) u_result (
        .clk          (clk),
        .rst_n        (rst_n),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .m_data       (result_data),
        .m_valid      (result_valid),
        .m_ready      (result_ready)
    );
  end

  qun_serial_reply #(
      .PictureBytes(PictureBytes),
      .ResultBytes (ResultBytes),
      .BlockBytes  (BlockBytes),
      .Digest      (Digest)
  ) u_reply (
      .clk          (clk),
      .rst_n        (rst_n),
      .asked        (asked),
      .error        (error),
      .error_code   (error_code),
      .error_picture(error_picture),
      .taken        (taken),
      .block        (block),
      .picture      (picture),
      .drop         (drop),
      .frame_error  (frame_error),
      .result_end   (result_end),
      .s_data       (result_data),
      .s_valid      (result_valid),
      .s_ready      (result_ready),
      .m_data       (reply_data),
      .m_end        (reply_end),
      .m_valid      (reply_valid),
      .m_ready      (reply_ready)
  );

  qun_serial_framer u_framer (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (reply_data),
      .s_end  (reply_end),
      .s_valid(reply_valid),
      .s_ready(reply_ready),
      .m_data (tx_data),
      .m_valid(tx_valid),
      .m_ready(tx_ready)
  );

  qun_uart_tx #(
      .PeriodCycles(PeriodCycles),
      .PeriodBits  (PeriodBits)
  ) u_tx (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (tx_data),
      .s_valid(tx_valid),
      .s_ready(tx_ready),
      .tx     (tx)
  );

  always_ff @(posedge clk) begin
    if (error) begin
      line_error <= 1'b1;
    end
    if (!rst_n) begin
      line_error <= 1'b0;
    end
  end

  `QUN_ASSERT(result_of_picture, !s_axis_tvalid || busy,
              "the network gives a result without a picture")

endmodule

`default_nettype wire
