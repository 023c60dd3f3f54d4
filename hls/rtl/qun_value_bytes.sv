// SPDX-License-Identifier: Apache-2.0
//
// Bytes from the beats of a stream: each value in the fewest whole bytes, the least significant first.
//
// Latency: 1 cycle.
// Throughput: one byte a cycle.
// Lanes: the value of lane 0, the least significant, goes first.
//
// Bits of a byte beyond a value's repeat its sign, or are zero where it has none.

`include "qun_assert.svh"

`default_nettype none

module qun_value_bytes #(
    /// Values of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a value [1 or more]
    parameter int unsigned Bits = 8,
    /// Whether values are signed [0 or 1]
    parameter bit Signed = 1'b0
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [Lanes*Bits-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    output logic      [           7:0] m_data,
    output logic                       m_valid,
    input  wire logic                  m_ready
);

  localparam int unsigned ValueBytes = (Bits + 7) / 8;
  localparam int unsigned BeatBytes = Lanes * ValueBytes;
  localparam int unsigned LeftBits = $clog2(BeatBytes + 1);

  logic [8*BeatBytes-1:0] wide;
  logic [8*BeatBytes-1:0] bytes_q;
  logic [LeftBits-1:0] left_q;

  for (genvar lane = 0; lane < int'(Lanes); lane++) begin : gen_lane
    localparam int unsigned Rest = 8 * ValueBytes - Bits;
    if (Rest == 0) begin : gen_whole
      assign wide[lane*8*ValueBytes+:8*ValueBytes] = s_axis_tdata[lane*Bits+:Bits];
    end else begin : gen_extended
      assign wide[lane*8*ValueBytes+:8*ValueBytes] =
          {{Rest{Signed && s_axis_tdata[lane*Bits+Bits-1]}}, s_axis_tdata[lane*Bits+:Bits]};
    end
  end

  assign s_axis_tready = left_q == '0 || (left_q == LeftBits'(1) && m_ready);
  assign m_data = bytes_q[7:0];
  assign m_valid = left_q != '0;

  always_ff @(posedge clk) begin
    if (m_valid && m_ready) begin
      bytes_q <= bytes_q >> 8;
      left_q  <= left_q - 1'b1;
    end
    if (s_axis_tvalid && s_axis_tready) begin
      bytes_q <= wide;
      left_q  <= LeftBits'(BeatBytes);
    end
    if (!rst_n) begin
      left_q <= '0;
    end
  end

  `QUN_ASSERT_STREAM(input_waits, s_axis_tvalid, s_axis_tready, s_axis_tdata)
  `QUN_ASSERT_STREAM(output_waits, m_valid, m_ready, m_data)

endmodule

`default_nettype wire
