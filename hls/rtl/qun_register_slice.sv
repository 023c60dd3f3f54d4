// SPDX-License-Identifier: Apache-2.0
//
// Register slice of a stream: no combinational path between its two sides; two beats deep.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle.
// Lanes: kept as they come.

`include "qun_assert.svh"

`default_nettype none

module qun_register_slice #(
    /// Bits of a beat, tlast included [1 or more]
    parameter int unsigned Bits = 8
) (
    input  wire logic            clk,
    input  wire logic            rst_n,
    input  wire logic [Bits-1:0] s_data,
    input  wire logic            s_valid,
    output logic                 s_ready,
    output logic      [Bits-1:0] m_data,
    output logic                 m_valid,
    input  wire logic            m_ready
);

  logic [Bits-1:0] out_q;
  logic [Bits-1:0] skid_q;
  logic out_valid_q;
  logic skid_valid_q;

  assign s_ready = !skid_valid_q;
  assign m_data  = out_q;
  assign m_valid = out_valid_q;

  always_ff @(posedge clk) begin
    if (m_ready || !out_valid_q) begin
      out_q <= skid_valid_q ? skid_q : s_data;
      out_valid_q <= skid_valid_q || s_valid;
      skid_valid_q <= 1'b0;
    end else if (s_valid && s_ready) begin
      skid_q <= s_data;
      skid_valid_q <= 1'b1;
    end
    if (!rst_n) begin
      out_valid_q  <= 1'b0;
      skid_valid_q <= 1'b0;
    end
  end

  `QUN_ASSERT(skid_behind_beat, !skid_valid_q || out_valid_q,
              "the second beat is there without the first")
  `QUN_ASSERT_STREAM(input_waits, s_valid, s_ready, s_data)

endmodule

`default_nettype wire
