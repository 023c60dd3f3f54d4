// SPDX-License-Identifier: Apache-2.0
//
// Replies of a board over a serial line: errors, blocks taken, information, and the result in parts; docs/serial.md.
//
// Latency: 3 cycles from an event to the first byte of its frame, if no frame is on its way.
// Throughput: one byte a cycle.
// Lanes: none, bytes in the order of the frames.
//
// What has to be said first ends the part of the result that is on its way, also where the next byte of it has not come:
// the network may wait for a block that the host sends only when it is told that there is place. An event that comes
// while one of its kind waits takes its place if it is a block taken (it says more than the one before), and else is
// left out. `result_end` follows the last byte of a result, sent or dropped.

`include "qun_assert.svh"

`default_nettype none

module qun_serial_reply #(
    /// Bytes of a picture [1 to 2**31 - 1]
    parameter int unsigned PictureBytes = 4,
    /// Bytes of a result [1 to 2**31 - 1]
    parameter int unsigned ResultBytes = 1,
    /// Bytes of a block [1 to 65528]
    parameter int unsigned BlockBytes = 4,
    /// Digest of the network, its first byte in the least significant bits [any]
    parameter bit [63:0] Digest = 64'd0
) (
    input  wire logic       clk,
    input  wire logic       rst_n,
    input  wire logic       asked,
    input  wire logic       error,
    input  wire logic [7:0] error_code,
    input  wire logic [7:0] error_picture,
    input  wire logic       taken,
    input  wire logic [7:0] block,
    input  wire logic [7:0] picture,
    input  wire logic       drop,
    input  wire logic       frame_error,
    output logic            result_end,
    input  wire logic [7:0] s_data,
    input  wire logic       s_valid,
    output logic            s_ready,
    output logic      [7:0] m_data,
    output logic            m_end,
    output logic            m_valid,
    input  wire logic       m_ready
);

  import qun_serial_pkg::*;

  localparam int unsigned HeadBytes = 21;  // of the longest frame without a result
  localparam int unsigned CountBits = $clog2(ResultBytes + 1);
  typedef logic [8*HeadBytes-1:0] head_t;

  typedef enum logic [1:0] {
    StIdle,
    StHead,
    StResult,
    StEnd
  } state_e;

  state_e state_q;
  logic asked_q, error_q, taken_q;
  logic [7:0] error_code_q, error_picture_q, block_q, taken_picture_q;
  head_t head_q;  // what is left of a frame's head, the next byte lowest
  logic [4:0] head_left_q;
  logic result_q;  // the frame is a part of the result
  logic [7:0] part_q;
  logic [CountBits-1:0] left_q;  // bytes of the result
  logic load, urgent, stop, part_byte, result_byte;

  assign load = !m_valid || m_ready;
  assign urgent = asked_q || error_q || taken_q;
  assign stop = urgent || drop;
  assign part_byte = state_q == StResult && load && !stop && left_q != '0;
  assign s_ready = drop || part_byte;
  assign result_byte = s_valid && s_ready;

  always_ff @(posedge clk) begin
    result_end <= result_byte && left_q == CountBits'(1);
    if (result_byte) begin
      left_q <= left_q - 1'b1;
    end
    if (result_end) begin
      left_q <= CountBits'(ResultBytes);
      part_q <= '0;
    end
    if (load) begin
      m_valid <= 1'b0;
      m_end   <= 1'b0;
      unique case (state_q)
        StIdle: begin
          state_q  <= StHead;
          result_q <= 1'b0;
          if (error_q) begin
            head_q <= head_t'({error_code_q, error_picture_q, KindError});
            head_left_q <= 5'd3;
            error_q <= 1'b0;
          end else if (taken_q) begin
            head_q <= head_t'({block_q, taken_picture_q, KindTaken});
            head_left_q <= 5'd3;
            taken_q <= 1'b0;
          end else if (asked_q) begin
            head_q <= {7'd0, frame_error, 16'(BlockBytes), 32'(ResultBytes), 32'(PictureBytes),
                       Digest, Version, KindInfo};
            head_left_q <= 5'(HeadBytes);
            asked_q <= 1'b0;
          end else if (s_valid && !drop && left_q != '0) begin
            head_q <= head_t'({part_q, picture, KindResult});
            head_left_q <= 5'd3;
            part_q <= part_q + 1'b1;
            result_q <= 1'b1;
          end else begin
            state_q <= StIdle;
          end
        end
        StHead: begin
          m_valid <= 1'b1;
          m_data <= head_q[7:0];
          head_q <= head_q >> 8;
          head_left_q <= head_left_q - 1'b1;
          if (head_left_q == 5'd1) begin
            state_q <= result_q ? StResult : StEnd;
          end
        end
        StResult: begin
          m_valid <= part_byte && s_valid;
          m_data  <= s_data;
          if (stop || (result_byte && left_q == CountBits'(1))) begin
            state_q <= StEnd;
          end
        end
        default: begin
          m_valid <= 1'b1;
          m_end   <= 1'b1;
          state_q <= StIdle;
        end
      endcase
    end
    if (asked) begin
      asked_q <= 1'b1;
    end
    if (error && !error_q) begin
      error_q <= 1'b1;
      error_code_q <= error_code;
      error_picture_q <= error_picture;
    end
    if (taken) begin
      taken_q <= 1'b1;
      block_q <= block;
      taken_picture_q <= picture;
    end
    if (!rst_n) begin
      state_q <= StIdle;
      asked_q <= 1'b0;
      error_q <= 1'b0;
      taken_q <= 1'b0;
      left_q <= CountBits'(ResultBytes);
      part_q <= '0;
      result_end <= 1'b0;
      m_valid <= 1'b0;
    end
  end

  `QUN_ASSERT(result_in_range, 32'(left_q) <= ResultBytes, "a result has more bytes than it may")
  `QUN_ASSERT_STREAM(output_waits, m_valid, m_ready, {m_end, m_data})

endmodule

`default_nettype wire
