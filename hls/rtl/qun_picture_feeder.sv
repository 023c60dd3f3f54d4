// SPDX-License-Identifier: Apache-2.0
//
// Pictures for a network from the words of a ring: one at a time, each with exactly PictureBytes bytes.
//
// Latency: 0 cycles, combinational; a picture begins a cycle after its number.
// Throughput: one byte a cycle.
// Lanes: none, bytes in the order of the ring.
//
// A picture begins when the result of the one before has left the network. One that ends early, because another begins
// or because it is given up, is filled up with zeros, so that the network is at the beginning of a picture again, and
// `drop` says that its result is none. `taken` tells, for one cycle, when a block has gone into the network: then there is
// place for another one.

`include "qun_assert.svh"

`default_nettype none

module qun_picture_feeder #(
    /// Bytes of a picture [1 or more]
    parameter int unsigned PictureBytes = 4,
    /// Bytes of a block [1 or more; at most 256 blocks a picture]
    parameter int unsigned BlockBytes = 4
) (
    input  wire logic       clk,
    input  wire logic       rst_n,
    input  wire logic [7:0] s_data,
    input  wire logic       s_first,
    input  wire logic       s_valid,
    output logic            s_ready,
    input  wire logic       open,        // more words of the last picture may come
    input  wire logic       drained,     // there is no word
    input  wire logic       result_end,  // the network's result has left, or was dropped
    output logic            busy,
    output logic            drop,
    output logic            taken,
    output logic      [7:0] block,       // the one that was taken
    output logic      [7:0] picture,     // the one in the network
    output logic      [7:0] m_data,
    output logic            m_valid,
    input  wire logic       m_ready
);

  localparam int unsigned LeftBits = $clog2(PictureBytes + 1);
  localparam int unsigned BlockBits = $clog2(BlockBytes + 1);

  logic [LeftBits-1:0] left_q;  // bytes of the picture that the network has not taken
  logic [BlockBits-1:0] block_left_q;  // likewise of the block
  logic [7:0] block_q, picture_q;
  logic busy_q, drop_q;
  logic begins, early, move;

  assign begins = s_valid && s_first && left_q == '0 && !busy_q;
  assign early = left_q != '0 && ((s_valid && s_first) || (drained && !open));
  assign m_valid = left_q != '0 && (drop_q || (s_valid && !s_first));
  assign m_data = drop_q ? '0 : s_data;
  assign move = m_valid && m_ready;
  assign s_ready = begins || (move && !drop_q);
  assign busy = busy_q;
  assign drop = drop_q;
  assign picture = picture_q;

  always_ff @(posedge clk) begin
    taken <= move && !drop_q && (block_left_q == BlockBits'(1) || left_q == LeftBits'(1));
    block <= block_q;
    if (begins) begin
      picture_q <= s_data;
      left_q <= LeftBits'(PictureBytes);
      block_left_q <= BlockBits'(BlockBytes);
      block_q <= '0;
      busy_q <= 1'b1;
      drop_q <= 1'b0;
    end
    if (move) begin
      left_q <= left_q - 1'b1;
      block_left_q <= block_left_q - 1'b1;
      if (block_left_q == BlockBits'(1)) begin
        block_left_q <= BlockBits'(BlockBytes);
        block_q <= block_q + 1'b1;
      end
    end
    if (early) begin
      drop_q <= 1'b1;
    end
    if (result_end) begin
      busy_q <= 1'b0;
    end
    if (!rst_n) begin
      left_q <= '0;
      block_left_q <= BlockBits'(BlockBytes);
      block_q <= '0;
      busy_q <= 1'b0;
      drop_q <= 1'b0;
      taken <= 1'b0;
    end
  end

  `QUN_ASSERT(bytes_have_picture, !s_valid || s_first || left_q != '0,
              "a byte came that belongs to no picture")
  `QUN_ASSERT(result_has_picture, !result_end || busy_q, "a result left without a picture")
  `QUN_ASSERT_STREAM(output_waits, m_valid, m_ready, m_data)

endmodule

`default_nettype wire
