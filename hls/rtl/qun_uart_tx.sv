// SPDX-License-Identifier: Apache-2.0
//
// Sender of a serial line: a start bit, eight bits of data, the least significant first, and a stop bit.
//
// Latency: 1 cycle from a byte to its start bit.
// Throughput: ten bits on the line a byte, without a pause between bytes.
// Lanes: none, a byte.
//
// PeriodBits bits last PeriodCycles cycles of the clock, exactly, also over many bytes that follow each other; an edge is
// late by less than a cycle. The line is 1 while there is nothing to send, and in reset.

`include "qun_assert.svh"

`default_nettype none

module qun_uart_tx #(
    /// Cycles that PeriodBits bits last [16 * PeriodBits or more]
    parameter int unsigned PeriodCycles = 20,
    /// Bits on the line that last PeriodCycles cycles [1 or more]
    parameter int unsigned PeriodBits   = 1
) (
    input  wire logic       clk,
    input  wire logic       rst_n,
    input  wire logic [7:0] s_data,
    input  wire logic       s_valid,
    output logic            s_ready,
    output logic            tx
);

  localparam int unsigned PhaseBits = $clog2(PeriodCycles + PeriodBits);
  typedef logic [PhaseBits-1:0] phase_t;

  if (PeriodBits < 1 || PeriodCycles < 16 * PeriodBits) begin : gen_bad_period
    $error("a bit must last 16 cycles or more");
  end

  phase_t phase_q, phase;
  logic [3:0] left_q;  // bits that have not ended, of ten; 0 is silence
  logic [8:0] bits_q;  // the one on the line is the lowest
  logic over;  // the bit on the line ends

  assign phase = phase_q + phase_t'(PeriodBits);
  assign over = phase >= phase_t'(PeriodCycles);
  assign s_ready = left_q == '0 || (left_q == 4'd1 && over);
  assign tx = bits_q[0];

  always_ff @(posedge clk) begin
    if (left_q != '0) begin
      phase_q <= over ? phase - phase_t'(PeriodCycles) : phase;
      if (over) begin
        left_q <= left_q - 1'b1;
        bits_q <= {1'b1, bits_q[8:1]};
      end
    end else begin
      phase_q <= '0;
    end
    if (s_valid && s_ready) begin
      left_q <= 4'd10;
      bits_q <= {s_data, 1'b0};
    end
    if (!rst_n) begin
      left_q <= '0;
      bits_q <= '1;
    end
  end

  `QUN_ASSERT(bits_of_a_byte, left_q <= 4'd10, "a byte has more than ten bits")
  `QUN_ASSERT(silence_is_one, left_q != '0 || tx, "the line is 0 without a byte")
  `QUN_ASSERT_STREAM(input_waits, s_valid, s_ready, s_data)

endmodule

`default_nettype wire
