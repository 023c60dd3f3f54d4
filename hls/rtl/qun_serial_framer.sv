// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a serial line out of frames: flags, escapes and CRC-32 are added; docs/serial.md.
//
// Latency: 0 cycles, combinational; the flag that begins a frame goes before its first byte.
// Throughput: one byte of the line a cycle; a byte that is escaped takes two, flags and check take six to ten.
// Lanes: none, bytes in the order of the line.
//
// A beat is a byte, or with `s_end` the end of the frame and no byte, so that a frame can be ended before it is known
// whether a further byte will come.

`include "qun_assert.svh"

`default_nettype none

module qun_serial_framer (
    input  wire logic       clk,
    input  wire logic       rst_n,
    input  wire logic [7:0] s_data,
    input  wire logic       s_end,
    input  wire logic       s_valid,
    output logic            s_ready,
    output logic      [7:0] m_data,
    output logic            m_valid,
    input  wire logic       m_ready
);

  import qun_crc32_pkg::*;

  localparam logic [7:0] Flag = 8'h7E;
  localparam logic [7:0] Escape = 8'h7D;
  localparam logic [7:0] Mark = 8'h20;

  typedef enum logic [1:0] {
    StIdle,
    StBody,
    StCheck,
    StClose
  } state_e;

  state_e state_q;
  logic [31:0] crc_q;
  logic [1:0] place_q;  // of the check's byte
  logic escaped_q;  // the escape has gone
  logic [7:0] data;  // the byte whose turn it is
  logic escape;
  logic done;  // it goes, or a flag does

  assign data = (state_q == StCheck) ? ~crc_q[7:0] : s_data;
  assign escape = (state_q == StBody || state_q == StCheck) && !escaped_q
                  && (data == Flag || data == Escape);

  always_comb begin
    m_valid = s_valid;
    m_data  = Flag;
    unique case (state_q)
      StIdle: ;
      StBody: begin
        m_valid = s_valid && !s_end;
        m_data  = escape ? Escape : escaped_q ? data ^ Mark : data;
      end
      StCheck: begin
        m_valid = 1'b1;
        m_data  = escape ? Escape : escaped_q ? data ^ Mark : data;
      end
      default: m_valid = 1'b1;
    endcase
  end

  assign done = m_valid && m_ready && !escape;
  assign s_ready = state_q == StBody && (s_end || (m_ready && !escape));

  always_ff @(posedge clk) begin
    if (m_valid && m_ready) begin
      escaped_q <= escape;
    end
    unique case (state_q)
      StIdle: begin
        crc_q   <= Start;
        place_q <= '0;
        if (done) begin
          state_q <= StBody;
        end
      end
      StBody: begin
        if (done) begin
          crc_q <= crc32(crc_q, s_data);
        end
        if (s_valid && s_end) begin
          state_q <= StCheck;
        end
      end
      StCheck: begin
        if (done) begin
          crc_q   <= crc_q >> 8;
          place_q <= place_q + 1'b1;
          state_q <= (place_q == 2'd3) ? StClose : StCheck;
        end
      end
      default: begin
        if (done) begin
          state_q <= StIdle;
        end
      end
    endcase
    if (!rst_n) begin
      state_q   <= StIdle;
      escaped_q <= 1'b0;
    end
  end

  `QUN_ASSERT_STREAM(input_waits, s_valid, s_ready, {s_end, s_data})
  `QUN_ASSERT_STREAM(output_waits, m_valid, m_ready, m_data)

endmodule

`default_nettype wire
