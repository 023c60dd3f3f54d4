// SPDX-License-Identifier: Apache-2.0
//
// Any function of one value by table, one table a lane.
//
// Latency: 2 cycles.
// Throughput: one beat a cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// The table's address is the input's bits as they are, so that entry 2**InBits - 1 belongs to -1 when the input is
// signed.

`default_nettype none

module qun_lookup #(
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 to 16]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b1,
    /// Bits of an output channel [1 to 16]
    parameter int unsigned OutBits = 8,
    /// Memory file of the table, 2**InBits words [name of a file; docs/streams.md]
    parameter string TableFile = ""
) (
    input  wire logic                     clk,
    input  wire logic                     rst_n,
    input  wire logic [ Lanes*InBits-1:0] s_axis_tdata,
    input  wire logic                     s_axis_tvalid,
    output logic                          s_axis_tready,
    input  wire logic                     s_axis_tlast,
    output logic      [Lanes*OutBits-1:0] m_axis_tdata,
    output logic                          m_axis_tvalid,
    input  wire logic                     m_axis_tready,
    output logic                          m_axis_tlast
);

  logic unused_signed;
  assign unused_signed = InSigned;  // the table's order says it

  // The table is read whenever the output's register slice can take a beat.
  logic move;
  logic valid_q;
  logic last_q;
  logic [Lanes*OutBits-1:0] result_q;
  assign s_axis_tready = move;

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lane
    qun_rom #(
        .Bits (OutBits),
        .Depth(2 ** InBits),
        .File (TableFile)
    ) u_table (
        .clk   (clk),
        .read  (move && s_axis_tvalid),
        .addr  (s_axis_tdata[lane*InBits+:InBits]),
        .data_q(result_q[lane*OutBits+:OutBits])
    );
  end

  always_ff @(posedge clk) begin
    if (move) begin
      valid_q <= s_axis_tvalid;
      last_q  <= s_axis_tlast;
    end
    if (!rst_n) begin
      valid_q <= 1'b0;
    end
  end

  qun_register_slice #(
      .Bits(Lanes * OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({last_q, result_q}),
      .s_valid(valid_q),
      .s_ready(move),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

endmodule

`default_nettype wire
