// SPDX-License-Identifier: Apache-2.0
//
// Requantisation to another type: clamp(round_half_even(x / 2**Shift)).
//
// Latency: 1 cycle.
// Throughput: one beat a cycle.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.

`default_nettype none

module qun_requant #(
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 to 48]
    parameter int unsigned InBits = 8,
    /// Whether input channels are signed [0 or 1]
    parameter bit InSigned = 1'b0,
    /// Binary places that are dropped; below 0, that are added [InBits + max(-Shift, 1) below 64]
    parameter int Shift = 0,
    /// Bits of an output channel [1 to 16]
    parameter int unsigned OutBits = 8,
    /// Whether output channels are signed [0 or 1]
    parameter bit OutSigned = 1'b0
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

  if (InBits + ((Shift < 0) ? -Shift : 1) >= 64) begin : gen_too_wide
    $error("the shifted value does not fit 64 bits");
  end

  logic [Lanes*OutBits-1:0] result;

  // Without a beat the result does not matter, and a simulator need not compute it.
  always_comb begin
    result = 'x;
    if (s_axis_tvalid) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        automatic logic [InBits-1:0] raw = s_axis_tdata[lane*InBits+:InBits];
        automatic logic sign = InSigned && raw[InBits-1];
        automatic longint value = {{(64 - InBits) {sign}}, raw};
        result[lane*OutBits+:OutBits] = OutBits'(
            qun_requant_pkg::round_saturate(value, Shift, int'(OutBits), OutSigned));
      end
    end
  end

  qun_register_slice #(
      .Bits(Lanes * OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({s_axis_tlast, result}),
      .s_valid(s_axis_tvalid),
      .s_ready(s_axis_tready),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

endmodule

`default_nettype wire
