// SPDX-License-Identifier: Apache-2.0
//
// Another number of lanes a beat, through the least common multiple of the two.
//
// Latency: 2 cycles after the last beat of a group.
// Throughput: one beat a cycle on the narrower side.
// Lanes: they keep their order: lane 0 of the first beat is lane 0 of the first beat that leaves.
//
// An image must be whole groups of the least common multiple, which it is when both lane counts divide its channels.

`include "qun_assert.svh"

`default_nettype none

module qun_width_adapter #(
    /// Channels of an input beat [1 or more]
    parameter int unsigned InLanes = 1,
    /// Channels of an output beat [1 or more]
    parameter int unsigned OutLanes = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 8
) (
    input  wire logic                     clk,
    input  wire logic                     rst_n,
    input  wire logic [ InLanes*Bits-1:0] s_axis_tdata,
    input  wire logic                     s_axis_tvalid,
    output logic                          s_axis_tready,
    input  wire logic                     s_axis_tlast,
    output logic      [OutLanes*Bits-1:0] m_axis_tdata,
    output logic                          m_axis_tvalid,
    input  wire logic                     m_axis_tready,
    output logic                          m_axis_tlast
);

  function automatic int unsigned common_multiple(int unsigned a, int unsigned b);
    int unsigned result = a;
    while (result % b != 0) begin
      result += a;
    end
    return result;
  endfunction

  localparam int unsigned GroupLanes = common_multiple(InLanes, OutLanes);
  localparam int unsigned InBeats = GroupLanes / InLanes;
  localparam int unsigned OutBeats = GroupLanes / OutLanes;
  localparam int unsigned InBits = InLanes * Bits;
  localparam int unsigned OutBits = OutLanes * Bits;
  localparam int unsigned GroupBits = GroupLanes * Bits;

  // One register slice, on the narrower side, cuts the paths between the handshakes.
  logic [InBits-1:0] in_data;
  logic in_valid, in_ready, in_last;
  logic [OutBits-1:0] out_data;
  logic out_valid, out_ready, out_last;

  if (InLanes < OutLanes) begin : gen_slice_in
    qun_register_slice #(
        .Bits(InBits + 1)
    ) u_slice (
        .clk    (clk),
        .rst_n  (rst_n),
        .s_data ({s_axis_tlast, s_axis_tdata}),
        .s_valid(s_axis_tvalid),
        .s_ready(s_axis_tready),
        .m_data ({in_last, in_data}),
        .m_valid(in_valid),
        .m_ready(in_ready)
    );
    assign m_axis_tdata  = out_data;
    assign m_axis_tvalid = out_valid;
    assign m_axis_tlast  = out_last;
    assign out_ready = m_axis_tready;
  end else begin : gen_slice_out
    assign in_data  = s_axis_tdata;
    assign in_valid = s_axis_tvalid;
    assign in_last  = s_axis_tlast;
    assign s_axis_tready = in_ready;
    qun_register_slice #(
        .Bits(OutBits + 1)
    ) u_slice (
        .clk    (clk),
        .rst_n  (rst_n),
        .s_data ({out_last, out_data}),
        .s_valid(out_valid),
        .s_ready(out_ready),
        .m_data ({m_axis_tlast, m_axis_tdata}),
        .m_valid(m_axis_tvalid),
        .m_ready(m_axis_tready)
    );
  end

  // Beats that come in are collected; the one that completes a group goes with them to the group
  // register.
  logic [GroupBits-1:0] complete;
  logic completes;
  logic load;
  assign load = in_valid && completes && in_ready;

  if (InBeats == 1) begin : gen_whole
    assign complete  = in_data;
    assign completes = 1'b1;
  end else begin : gen_collect
    localparam int unsigned CountBits = $clog2(InBeats);
    logic [GroupBits-InBits-1:0] collected_q;
    logic [CountBits-1:0] count_q;

    assign complete  = {in_data, collected_q};
    assign completes = count_q == CountBits'(InBeats - 1);

    always_ff @(posedge clk) begin
      if (in_valid && in_ready) begin
        collected_q <= complete[GroupBits-1:InBits];
        count_q <= completes ? '0 : count_q + 1'b1;
      end
      if (!rst_n) begin
        count_q <= '0;
      end
    end
  end

  // The group register is emptied from its lower end, and loaded again when its last beat leaves.
  logic [GroupBits-1:0] group_q;
  logic group_valid_q;
  logic group_last_q;
  logic leaves;
  logic emptied;

  assign out_data = group_q[OutBits-1:0];
  assign out_valid = group_valid_q;
  assign leaves = group_valid_q && out_ready;
  assign in_ready = !completes || !group_valid_q || emptied;

  if (OutBeats == 1) begin : gen_one_out
    assign out_last = group_last_q;
    assign emptied  = leaves;

    always_ff @(posedge clk) begin
      if (load) begin
        group_q <= complete;
      end
    end
  end else begin : gen_empty
    localparam int unsigned CountBits = $clog2(OutBeats);
    logic [CountBits-1:0] count_q;
    logic final_beat;

    assign final_beat = count_q == CountBits'(OutBeats - 1);
    assign out_last = group_last_q && final_beat;
    assign emptied = leaves && final_beat;

    always_ff @(posedge clk) begin
      if (load) begin
        group_q <= complete;
      end else if (leaves) begin
        group_q <= group_q >> OutBits;
      end
      if (leaves) begin
        count_q <= final_beat ? '0 : count_q + 1'b1;
      end
      if (!rst_n) begin
        count_q <= '0;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (load) begin
      group_valid_q <= 1'b1;
      group_last_q  <= in_last;
    end else if (emptied) begin
      group_valid_q <= 1'b0;
    end
    if (!rst_n) begin
      group_valid_q <= 1'b0;
    end
  end

  `QUN_ASSERT(last_ends_group, !(in_valid && in_ready && in_last) || completes,
              "tlast came within a group of lanes")
  `QUN_ASSERT(group_is_kept, !load || !group_valid_q || emptied,
              "a group was loaded over one that had not left")

endmodule

`default_nettype wire
