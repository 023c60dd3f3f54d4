// SPDX-License-Identifier: Apache-2.0
//
// Frames out of the bytes of a serial line: flags found, escapes undone, CRC-32 looked at; docs/serial.md.
//
// Latency: 1 cycle.
// Throughput: one byte a cycle.
// Lanes: none, bytes in the order of the line.
//
// A flag ends the frame before it and begins the next; nothing else is a flag, so that whatever is lost or garbled, the
// frame behind the next flag is found. Two flags without a byte between them are no frame. `m_end` follows the last byte
// of a frame; the frame is `m_good` if no byte was damaged, no escape was left open, the check is right, and there are
// `m_bytes` of them (the check's four included) between 5 and MostBytes. `silence` gives an open frame up, without
// `m_end`; what comes then, up to a flag, is dropped, as after reset.

`include "qun_assert.svh"

`default_nettype none

module qun_serial_deframer #(
    /// Bytes of the longest frame, its check included [5 to 65535]
    parameter int unsigned MostBytes = 64,
    localparam int unsigned CountBits = $clog2(MostBytes + 1)
) (
    input  wire logic                 clk,
    input  wire logic                 rst_n,
    input  wire logic [          7:0] s_data,
    input  wire logic                 s_valid,
    input  wire logic                 s_damaged,
    input  wire logic                 silence,
    output logic                      open,       // a frame has begun
    output logic      [          7:0] m_data,
    output logic                      m_valid,    // for one cycle
    output logic                      m_end,      // likewise
    output logic                      m_good,
    output logic      [CountBits-1:0] m_bytes
);

  import qun_crc32_pkg::*;

  localparam logic [7:0] Flag = 8'h7E;
  localparam logic [7:0] Escape = 8'h7D;
  localparam logic [7:0] Mark = 8'h20;  // what an escaped byte differs by

  if (MostBytes < 5 || MostBytes > 65535) begin : gen_bad_bytes
    $error("MostBytes must be 5 to 65535");
  end

  logic hunt_q;  // for a flag
  logic begun_q;
  logic bad_q;
  logic escaped_q;
  logic [31:0] crc_q;
  logic [CountBits-1:0] bytes_q;
  logic flag;
  logic [7:0] data;

  assign open = begun_q;
  assign flag = !s_damaged && s_data == Flag;
  assign data = escaped_q ? s_data ^ Mark : s_data;

  always_ff @(posedge clk) begin
    m_valid <= 1'b0;
    m_end   <= 1'b0;
    if (s_valid && flag) begin
      m_end <= begun_q && !silence;
      m_good <= !bad_q && !escaped_q && crc_q == Residue && bytes_q >= CountBits'(5);
      m_bytes <= bytes_q;
      hunt_q <= 1'b0;
    end
    if (silence || (s_valid && flag)) begin
      begun_q <= 1'b0;
      bad_q <= 1'b0;
      escaped_q <= 1'b0;
      crc_q <= Start;
      bytes_q <= '0;
    end else if (s_valid && !hunt_q) begin
      begun_q <= 1'b1;
      if (s_damaged || (escaped_q && s_data == Escape) || bytes_q == CountBits'(MostBytes)) begin
        bad_q <= 1'b1;
      end else if (s_data == Escape) begin
        escaped_q <= 1'b1;
      end else begin
        escaped_q <= 1'b0;
        crc_q <= crc32(crc_q, data);
        bytes_q <= bytes_q + 1'b1;
        m_data <= data;
        m_valid <= !bad_q;
      end
    end
    if (silence) begin
      hunt_q <= 1'b1;
    end
    if (!rst_n) begin
      hunt_q <= 1'b1;
      begun_q <= 1'b0;
      bad_q <= 1'b0;
      escaped_q <= 1'b0;
      crc_q <= Start;
      bytes_q <= '0;
      m_valid <= 1'b0;
      m_end <= 1'b0;
    end
  end

  `QUN_ASSERT(bytes_in_range, 32'(bytes_q) <= MostBytes, "a frame has more bytes than it may")
  `QUN_ASSERT(hunt_without_frame, !(hunt_q && begun_q), "a frame has begun without a flag")
  `QUN_ASSERT(end_without_byte, !(m_end && m_valid), "a frame ends with its byte, not after it")

endmodule

`default_nettype wire
