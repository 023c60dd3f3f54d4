// SPDX-License-Identifier: Apache-2.0
//
// Maximum over 2x2 windows.
//
// Latency: the last beat leaves 6 cycles after it came in.
// Throughput: one beat a cycle in, a quarter out.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// The maximum of two columns is registered before it meets the row above, so that no path goes through a memory and a
// comparator.

`include "qun_assert.svh"

`default_nettype none

module qun_maxpool2d #(
    /// Rows of the input image [even]
    parameter int unsigned Height = 2,
    /// Columns of the input image [even]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of a channel [1 or more]
    parameter int unsigned Bits = 8,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0
) (
    input  wire logic                  clk,
    input  wire logic                  rst_n,
    input  wire logic [Lanes*Bits-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    input  wire logic                  s_axis_tlast,
    output logic      [Lanes*Bits-1:0] m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready,
    output logic                       m_axis_tlast
);

  localparam int unsigned Groups = Channels / Lanes;
  localparam int unsigned GroupBits = (Groups > 1) ? $clog2(Groups) : 1;
  localparam int unsigned Pairs = Width / 2 * Groups;
  localparam int unsigned PairBits = (Pairs > 1) ? $clog2(Pairs) : 1;

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end
  if (Height % 2 != 0 || Width % 2 != 0) begin : gen_odd_size
    $error("Height and Width must be even");
  end

  typedef logic [Lanes*Bits-1:0] beat_t;

  function automatic beat_t maximum(beat_t a, beat_t b);
    beat_t result;
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      // Flipping the sign bit makes two's complement compare like unsigned.
      automatic logic [Bits-1:0] flip = {Signed, {(Bits - 1) {1'b0}}};
      automatic logic [Bits-1:0] lane_a = a[lane*Bits+:Bits];
      automatic logic [Bits-1:0] lane_b = b[lane*Bits+:Bits];
      result[lane*Bits+:Bits] = ((lane_a ^ flip) > (lane_b ^ flip)) ? lane_a : lane_b;
    end
    return result;
  endfunction

  // The pipeline moves whenever the output's register slice can take a beat.
  logic move;
  logic take;
  assign s_axis_tready = move;
  assign take = s_axis_tvalid && move;

  // Position of the beat that comes in.
  logic [GroupBits-1:0] group_q;
  logic [PairBits-1:0] pair_q;
  logic odd_column_q;
  logic odd_row_q;
  logic last_group;
  logic last_pair;
  assign last_group = group_q == GroupBits'(Groups - 1);
  assign last_pair  = pair_q == PairBits'(Pairs - 1);

  always_ff @(posedge clk) begin
    if (take) begin
      group_q <= last_group ? '0 : group_q + 1'b1;
      if (last_group) begin
        odd_column_q <= !odd_column_q;
      end
      if (odd_column_q) begin
        pair_q <= last_pair ? '0 : pair_q + 1'b1;
        if (last_pair) begin
          odd_row_q <= !odd_row_q;
        end
      end
    end
    if (!rst_n) begin
      group_q <= '0;
      pair_q <= '0;
      odd_column_q <= 1'b0;
      odd_row_q <= 1'b0;
    end
  end

  // The even column waits in a memory for the odd one; the maximum of the two is registered.
  beat_t left_q, left_r_q, right_q, right_r_q, columns_q;
  logic [2:0] pair_valid_q, pair_last_q, pair_odd_row_q;
  logic [PairBits-1:0] pair_addr_q[3];

  qun_ram #(
      .Bits (Lanes * Bits),
      .Depth(Groups)
  ) u_columns (
      .clk        (clk),
      .write      (take && !odd_column_q),
      .write_addr (group_q),
      .write_data (s_axis_tdata),
      .read       (take && odd_column_q),
      .read_addr  (group_q),
      .read_data_q(left_q)
  );

  always_ff @(posedge clk) begin
    if (move) begin
      pair_valid_q <= {pair_valid_q[1:0], take && odd_column_q};
      if (take) begin
        right_q <= s_axis_tdata;
        pair_addr_q[0] <= pair_q;
        pair_odd_row_q[0] <= odd_row_q;
        pair_last_q[0] <= s_axis_tlast;
      end
      if (pair_valid_q[0]) begin
        left_r_q <= left_q;
        right_r_q <= right_q;
        pair_addr_q[1] <= pair_addr_q[0];
        pair_odd_row_q[1] <= pair_odd_row_q[0];
        pair_last_q[1] <= pair_last_q[0];
      end
      if (pair_valid_q[1]) begin
        columns_q <= maximum(left_r_q, right_r_q);
        pair_addr_q[2] <= pair_addr_q[1];
        pair_odd_row_q[2] <= pair_odd_row_q[1];
        pair_last_q[2] <= pair_last_q[1];
      end
    end
    if (!rst_n) begin
      pair_valid_q <= '0;
    end
  end

  // The even row waits in the line buffer for the odd one.
  beat_t above_q, above_r_q, below_q, below_r_q, rows;
  logic [1:0] row_valid_q, row_last_q;

  qun_ram #(
      .Bits (Lanes * Bits),
      .Depth(Pairs)
  ) u_row (
      .clk        (clk),
      .write      (move && pair_valid_q[2] && !pair_odd_row_q[2]),
      .write_addr (pair_addr_q[2]),
      .write_data (columns_q),
      .read       (move && pair_valid_q[2] && pair_odd_row_q[2]),
      .read_addr  (pair_addr_q[2]),
      .read_data_q(above_q)
  );

  always_ff @(posedge clk) begin
    if (move) begin
      row_valid_q <= {row_valid_q[0], pair_valid_q[2] && pair_odd_row_q[2]};
      if (pair_valid_q[2]) begin
        below_q <= columns_q;
        row_last_q[0] <= pair_last_q[2];
      end
      if (row_valid_q[0]) begin
        above_r_q <= above_q;
        below_r_q <= below_q;
        row_last_q[1] <= row_last_q[0];
      end
    end
    if (!rst_n) begin
      row_valid_q <= '0;
    end
  end

  // Without a beat the result does not matter, and a simulator need not compute it.
  always_comb begin
    rows = 'x;
    if (row_valid_q[1]) begin
      rows = maximum(above_r_q, below_r_q);
    end
  end

  qun_register_slice #(
      .Bits(Lanes * Bits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({row_last_q[1], rows}),
      .s_valid(row_valid_q[1]),
      .s_ready(move),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  // Memories are written in the even column or row, and read in the odd one.
  `QUN_ASSERT(no_collision, !(u_columns.write && u_columns.read) && !(u_row.write && u_row.read),
              "a word was used that was read while it was written")
  `QUN_ASSERT(counters_in_range, 32'(group_q) < Groups && 32'(pair_q) < Pairs,
              "a counter left its range")
  `QUN_ASSERT(last_ends_row_pair, !(take && s_axis_tlast)
              || (last_group && odd_column_q && last_pair && odd_row_q),
              "tlast came within a pair of rows")

endmodule

`default_nettype wire
