// SPDX-License-Identifier: Apache-2.0
//
// Receiver of a serial line: a start bit, eight bits of data, the least significant first, and a stop bit.
//
// Latency: 2 cycles from the middle of the stop bit to its byte.
// Throughput: ten bits on the line a byte, without a pause between bytes.
// Lanes: none, a byte.
//
// PeriodBits bits last PeriodCycles cycles of the clock, exactly: a bit need not be a whole number of cycles. Each bit is
// looked at once, in its middle. A sender may be 3 % faster or slower: the edge is seen up to a cycle late and the place
// to look is rounded up by less than a cycle, so that the stop bit is hit between 9.5 bits and 9.5 bits and 3 cycles
// after its start bit began, with the next edge still to be seen; of 16 cycles a bit that leaves 3.2 % to a faster and
// 5.5 % to a slower sender. A start bit that is over in its middle was none. Nothing waits: a byte must be taken.

`include "qun_assert.svh"

`default_nettype none

module qun_uart_rx #(
    /// Cycles that PeriodBits bits last [16 * PeriodBits or more]
    parameter int unsigned PeriodCycles = 20,
    /// Bits on the line that last PeriodCycles cycles [1 or more]
    parameter int unsigned PeriodBits   = 1
) (
    input  wire logic       clk,
    input  wire logic       rst_n,
    input  wire logic       rx,
    output logic      [7:0] m_data,
    output logic            m_valid,   // for one cycle
    output logic            m_damaged  // its stop bit is none
);

  localparam int unsigned PhaseBits = $clog2(PeriodCycles + PeriodBits);
  typedef logic [PhaseBits-1:0] phase_t;

  if (PeriodBits < 1 || PeriodCycles < 16 * PeriodBits) begin : gen_bad_period
    $error("a bit must last 16 cycles or more");
  end

  logic [2:0] line_q;  // two registers against metastability, and the level before
  logic busy_q;
  phase_t phase_q, phase;
  logic [3:0] place_q;  // of the bit: 0 is the start bit, 9 the stop bit
  logic [7:0] data_q;
  logic look;

  assign phase = phase_q + phase_t'(PeriodBits);
  assign look  = busy_q && phase >= phase_t'(PeriodCycles);

  always_ff @(posedge clk) begin
    line_q <= {line_q[1:0], rx};
    m_valid <= 1'b0;
    if (!busy_q) begin
      busy_q  <= line_q[2] && !line_q[1];
      phase_q <= phase_t'(PeriodCycles / 2);
      place_q <= '0;
    end else begin
      phase_q <= look ? phase - phase_t'(PeriodCycles) : phase;
      if (look) begin
        place_q <= place_q + 1'b1;
        busy_q  <= place_q != 4'd9 && !(place_q == '0 && line_q[1]);
        m_valid <= place_q == 4'd9;
        if (place_q == 4'd9) begin
          m_data <= data_q;
          m_damaged <= !line_q[1];
        end else begin
          data_q <= {line_q[1], data_q[7:1]};
        end
      end
    end
    if (!rst_n) begin
      line_q  <= '1;
      busy_q  <= 1'b0;
      m_valid <= 1'b0;
    end
  end

  `QUN_ASSERT(place_in_byte, !busy_q || place_q <= 4'd9, "a bit is beyond the stop bit")

endmodule

`default_nettype wire
