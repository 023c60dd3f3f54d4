// SPDX-License-Identifier: Apache-2.0
//
// Twice the size, linear between the centres of pixels, edges repeated: the exact sum, two bits more for each axis.
//
// Latency: 4 cycles for each axis.
// Throughput: one beat a cycle out.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// Rows first, so that the memories hold rows of the input.

`default_nettype none

module qun_resize_bilinear #(
    /// Rows of the input image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the input image [1 or more]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned Bits = 8,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Rows that a row becomes [1 or 2]
    parameter int unsigned RowFactor = 2,
    /// Columns that a column becomes [1 or 2]
    parameter int unsigned ColumnFactor = 2,
    localparam int unsigned RowBits = Bits + 2 * (RowFactor - 1),
    localparam int unsigned OutBits = RowBits + 2 * (ColumnFactor - 1)
) (
    input  wire logic                     clk,
    input  wire logic                     rst_n,
    input  wire logic [   Lanes*Bits-1:0] s_axis_tdata,
    input  wire logic                     s_axis_tvalid,
    output logic                          s_axis_tready,
    input  wire logic                     s_axis_tlast,
    output logic      [Lanes*OutBits-1:0] m_axis_tdata,
    output logic                          m_axis_tvalid,
    input  wire logic                     m_axis_tready,
    output logic                          m_axis_tlast
);

  localparam int unsigned Groups = Channels / Lanes;

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end
  if (RowFactor > 2 || ColumnFactor > 2 || RowFactor * ColumnFactor < 2) begin : gen_bad_factor
    $error("factors must be 1 or 2, and one of them 2");
  end

  // Rows of twice the height.
  logic [Lanes*RowBits-1:0] rows_tdata;
  logic rows_tvalid, rows_tready, rows_tlast;

  if (RowFactor == 2) begin : gen_rows
    qun_interpolate #(
        .Lines (1),
        .Items (Height),
        .Beats (Width * Groups),
        .Lanes (Lanes),
        .Bits  (Bits),
        .Signed(Signed)
    ) u_rows (
        .clk,
        .rst_n,
        .s_axis_tdata,
        .s_axis_tvalid,
        .s_axis_tready,
        .s_axis_tlast,
        .m_axis_tdata (rows_tdata),
        .m_axis_tvalid(rows_tvalid),
        .m_axis_tready(rows_tready),
        .m_axis_tlast (rows_tlast)
    );
  end else begin : gen_same_rows
    assign rows_tdata = s_axis_tdata;
    assign rows_tvalid = s_axis_tvalid;
    assign rows_tlast = s_axis_tlast;
    assign s_axis_tready = rows_tready;
  end

  if (ColumnFactor == 2) begin : gen_columns
    qun_interpolate #(
        .Lines (RowFactor * Height),
        .Items (Width),
        .Beats (Groups),
        .Lanes (Lanes),
        .Bits  (RowBits),
        .Signed(Signed)
    ) u_columns (
        .clk,
        .rst_n,
        .s_axis_tdata (rows_tdata),
        .s_axis_tvalid(rows_tvalid),
        .s_axis_tready(rows_tready),
        .s_axis_tlast (rows_tlast),
        .m_axis_tdata,
        .m_axis_tvalid,
        .m_axis_tready,
        .m_axis_tlast
    );
  end else begin : gen_same_columns
    assign m_axis_tdata = rows_tdata;
    assign m_axis_tvalid = rows_tvalid;
    assign m_axis_tlast = rows_tlast;
    assign rows_tready = m_axis_tready;
  end

endmodule

`default_nettype wire
