// SPDX-License-Identifier: Apache-2.0
//
// Maximum or sum of each channel over a whole image.
//
// Latency: the last beat leaves 4 cycles after it came in.
// Throughput: one beat a cycle in, one pixel an image out.
// Lanes: Lanes channels a beat in and out, lane 0 least significant, channel groups innermost.
//
// A word for each channel group holds what has come of it: in a memory, or in registers where a group's next beat may
// come before its word is written. What is read is registered before it meets the beat, so that no path goes through a
// memory and an adder.

`include "qun_assert.svh"

`default_nettype none

module qun_global_pool2d #(
    /// Rows of the image [1 or more]
    parameter int unsigned Height = 2,
    /// Columns of the image [1 or more]
    parameter int unsigned Width = 2,
    /// Channels [a multiple of Lanes]
    parameter int unsigned Channels = 1,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned InBits = 8,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    /// Whether pixels are added; else their maximum is taken [0 or 1]
    parameter bit Sum = 1'b0,
    /// Bits of an output channel [InBits; of a sum enough for the largest]
    parameter int unsigned OutBits = 8
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

  localparam int unsigned Pixels = Height * Width;
  localparam int unsigned PixelBits = (Pixels > 1) ? $clog2(Pixels) : 1;
  localparam int unsigned Groups = Channels / Lanes;
  localparam int unsigned GroupBits = (Groups > 1) ? $clog2(Groups) : 1;
  localparam int unsigned Stages = 3;  // from a beat to its result

  if (Channels % Lanes != 0) begin : gen_bad_lanes
    $error("Lanes must divide Channels");
  end
  if (OutBits < InBits || (!Sum && OutBits != InBits)) begin : gen_bad_bits
    $error("OutBits must be InBits, or more for a sum");
  end

  typedef logic [Lanes*OutBits-1:0] word_t;

  typedef struct packed {
    logic first;  // of the image's pixels
    logic last;
    logic frame_last;
    logic [GroupBits-1:0] group;
  } place_t;

  function automatic word_t extended(logic [Lanes*InBits-1:0] beat);
    word_t result;
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      automatic logic [InBits-1:0] value = beat[lane*InBits+:InBits];
      result[lane*OutBits+:OutBits] =
          Signed ? OutBits'(signed'(value)) : OutBits'(value);
    end
    return result;
  endfunction

  function automatic word_t combined(word_t a, word_t b);
    word_t result;
    for (int unsigned lane = 0; lane < Lanes; lane++) begin
      // Flipping the sign bit makes two's complement compare like unsigned.
      automatic logic [OutBits-1:0] flip = {Signed, {(OutBits - 1) {1'b0}}};
      automatic logic [OutBits-1:0] lane_a = a[lane*OutBits+:OutBits];
      automatic logic [OutBits-1:0] lane_b = b[lane*OutBits+:OutBits];
      if (Sum) begin
        result[lane*OutBits+:OutBits] = lane_a + lane_b;
      end else begin
        result[lane*OutBits+:OutBits] = ((lane_a ^ flip) > (lane_b ^ flip)) ? lane_a : lane_b;
      end
    end
    return result;
  endfunction

  // The pipeline moves whenever the output's register slice can take a beat.
  logic move;
  logic take;
  assign s_axis_tready = move;
  assign take = s_axis_tvalid && move;

  logic [GroupBits-1:0] group_q;
  logic [PixelBits-1:0] pixel_q;
  logic last_group;
  logic last_pixel;
  assign last_group = group_q == GroupBits'(Groups - 1);
  assign last_pixel = pixel_q == PixelBits'(Pixels - 1);

  always_ff @(posedge clk) begin
    if (take) begin
      group_q <= last_group ? '0 : group_q + 1'b1;
      if (last_group) begin
        pixel_q <= last_pixel ? '0 : pixel_q + 1'b1;
      end
    end
    if (!rst_n) begin
      group_q <= '0;
      pixel_q <= '0;
    end
  end

  logic [Stages:1] valid_q;
  place_t place_q[1:Stages];
  logic [Lanes*InBits-1:0] beat_q, beat_r_q;
  word_t held_r;  // beside beat_r_q
  word_t result_q;

  always_ff @(posedge clk) begin
    if (move) begin
      valid_q <= {valid_q[Stages-1:1], take};
      if (take) begin
        beat_q <= s_axis_tdata;
        place_q[1] <= '{pixel_q == '0, last_pixel, s_axis_tlast, group_q};
      end
      if (valid_q[1]) begin
        beat_r_q   <= beat_q;
        place_q[2] <= place_q[1];
      end
      if (valid_q[2]) begin
        result_q <= place_q[2].first ? extended(beat_r_q) : combined(held_r, extended(beat_r_q));
        place_q[3] <= place_q[2];
      end
    end
    if (!rst_n) begin
      valid_q <= '0;
    end
  end

  if (Groups > Stages) begin : gen_memory
    word_t held_q, held_r_q;

    qun_ram #(
        .Bits (Lanes * OutBits),
        .Depth(Groups)
    ) u_groups (
        .clk        (clk),
        .write      (move && valid_q[3]),
        .write_addr (place_q[3].group),
        .write_data (result_q),
        .read       (take),
        .read_addr  (group_q),
        .read_data_q(held_q)
    );

    always_ff @(posedge clk) begin
      if (move && valid_q[1]) begin
        held_r_q <= held_q;
      end
    end

    assign held_r = held_r_q;

    `QUN_ASSERT(no_collision, !(u_groups.write && u_groups.read && place_q[3].group == group_q),
                "a word was used that was read while it was written")
  end else if (Groups > 1) begin : gen_registers
    word_t [Groups-1:1] before_q;  // the results before the last one, the next one first

    always_ff @(posedge clk) begin
      if (move && valid_q[2]) begin
        before_q[1] <= result_q;
        for (int unsigned i = 2; i < Groups; i++) begin
          before_q[i] <= before_q[i-1];
        end
      end
    end

    assign held_r = before_q[Groups-1];
  end else begin : gen_register
    assign held_r = result_q;
  end

  qun_register_slice #(
      .Bits(Lanes * OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({place_q[3].frame_last, result_q}),
      .s_valid(valid_q[3] && place_q[3].last),
      .s_ready(move),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(counters_in_range, 32'(group_q) < Groups && 32'(pixel_q) < Pixels,
              "a counter left its range")
  `QUN_ASSERT(last_ends_image, !take || s_axis_tlast == (last_group && last_pixel),
              "tlast came within the image, or did not come at its end")

endmodule

`default_nettype wire
