// SPDX-License-Identifier: Apache-2.0
//
// One stream to several readers, each of which takes the beat at its own time.
//
// Latency: 1 cycle.
// Throughput: one beat a cycle when every reader takes one.
// Lanes: kept as they come; output i stands in slice i of the vectors.

`include "qun_assert.svh"

`default_nettype none

module qun_fork #(
    /// Bits of a beat [1 or more]
    parameter int unsigned Bits = 8,
    /// Readers [1 or more]
    parameter int unsigned Outputs = 2
) (
    input  wire logic                    clk,
    input  wire logic                    rst_n,
    input  wire logic [        Bits-1:0] s_axis_tdata,
    input  wire logic                    s_axis_tvalid,
    output logic                         s_axis_tready,
    input  wire logic                    s_axis_tlast,
    output logic      [Outputs*Bits-1:0] m_axis_tdata,
    output logic      [     Outputs-1:0] m_axis_tvalid,
    input  wire logic [     Outputs-1:0] m_axis_tready,
    output logic      [     Outputs-1:0] m_axis_tlast
);

  logic [Bits-1:0] data;
  logic last;
  logic valid;
  logic done;
  logic [Outputs-1:0] served_q;  // outputs that have taken the present beat

  qun_register_slice #(
      .Bits(Bits + 1)
  ) u_input (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({s_axis_tlast, s_axis_tdata}),
      .s_valid(s_axis_tvalid),
      .s_ready(s_axis_tready),
      .m_data ({last, data}),
      .m_valid(valid),
      .m_ready(done)
  );

  assign m_axis_tdata  = {Outputs{data}};
  assign m_axis_tlast  = {Outputs{last}};
  assign m_axis_tvalid = {Outputs{valid}} & ~served_q;
  assign done = &(served_q | m_axis_tready);

  always_ff @(posedge clk) begin
    if (valid) begin
      served_q <= done ? '0 : served_q | m_axis_tready;
    end
    if (!rst_n) begin
      served_q <= '0;
    end
  end

  `QUN_ASSERT(served_a_beat, served_q == '0 || (valid && served_q != '1),
              "a beat was served that is not there")

endmodule

`default_nettype wire
