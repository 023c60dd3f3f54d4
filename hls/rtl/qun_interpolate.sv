// SPDX-License-Identifier: Apache-2.0
//
// Doubles an axis of a stream: for items x[0], x[1], ... of a line, x[i-1] + 3 * x[i], then 3 * x[i] + x[i+1].
//
// Latency: 4 cycles.
// Throughput: one beat a cycle out.
// Lanes: Lanes channels a beat in and out, lane 0 least significant; items are kept as they come.
//
// An item is a row, or a pixel; before the first one of a line stands the first, and behind the last one the last. Items
// go into two memories in turn, so that the two of a pair are read at once. A pair is read twice, once for either of
// its sums: the first pass weighs its older item by 3, the second pass the newer one. The older item is given up in the
// second pass, and the item after the next loads in its place. A sum has two bits more than a channel.

`include "qun_assert.svh"

`default_nettype none

module qun_interpolate #(
    /// Lines of a frame [1 or more]
    parameter int unsigned Lines = 1,
    /// Items of a line [1 or more]
    parameter int unsigned Items = 2,
    /// Beats of an item [1 or more]
    parameter int unsigned Beats = 2,
    /// Channels of a beat [1 or more]
    parameter int unsigned Lanes = 1,
    /// Bits of an input channel [1 or more]
    parameter int unsigned Bits = 8,
    /// Whether channels are signed [0 or 1]
    parameter bit Signed = 1'b0,
    localparam int unsigned OutBits = Bits + 2
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

  // Where an item is one beat, its successor must be there before it is given up.
  localparam int unsigned Slots = (Beats > 1) ? 1 : 2;
  localparam int unsigned Depth = Slots * Beats;
  localparam int unsigned Room = 2 * Depth;

  localparam int unsigned BeatBits = (Beats > 1) ? $clog2(Beats) : 1;
  localparam int unsigned AddrBits = (Depth > 1) ? $clog2(Depth) : 1;
  localparam int unsigned FillBits = $clog2(Room + 1);
  localparam int unsigned PairBits = $clog2(Items + 1);
  localparam int unsigned LineBits = (Lines > 1) ? $clog2(Lines) : 1;

  typedef logic [AddrBits-1:0] addr_t;
  typedef logic [FillBits-1:0] fill_t;
  typedef logic [Lanes*Bits-1:0] beat_t;

  // Write side.
  logic [BeatBits-1:0] write_beat_q;
  logic write_bank_q, write_slot_q;
  logic write, write_end;
  fill_t fill_q;  // words that hold something
  addr_t write_addr;

  // Read side: the pair of the items pair_q - 1 and pair_q, and which bank and slot the newer one is in.
  logic [BeatBits-1:0] beat_q;
  logic [PairBits-1:0] pair_q;
  logic [LineBits-1:0] line_q;
  logic second_q, bank_q, slot_q, older_slot_q;
  logic pair_first, pair_last, beat_end, pass_end, line_end, next_is_new;
  logic first_use, last_use, read, free;
  fill_t level_q;  // words of the newer item, and of those after it, that came
  addr_t addr[2];

  assign s_axis_tready = fill_q != fill_t'(Room);
  assign write = s_axis_tvalid && s_axis_tready;
  assign write_end = write_beat_q == BeatBits'(Beats - 1);

  assign pair_first = pair_q == '0;
  assign pair_last = pair_q == PairBits'(Items);
  assign beat_end = beat_q == BeatBits'(Beats - 1);
  // The first pair has the second pass alone, and the last pair the first pass.
  assign pass_end = read && beat_end;
  assign line_end = pair_last;
  assign first_use = pair_first || (!second_q && !pair_last);
  assign last_use = pair_last || (second_q && !pair_first);
  assign next_is_new = pair_last || (second_q && pair_q != PairBits'(Items - 1));
  assign free = read && last_use;

  if (Slots > 1) begin : gen_slots
    assign write_addr = addr_t'(write_slot_q);
    always_comb begin
      addr[0] = addr_t'((bank_q == 1'b0) ? slot_q : older_slot_q);
      addr[1] = addr_t'((bank_q == 1'b1) ? slot_q : older_slot_q);
    end
  end else begin : gen_beats
    logic unused_slots;
    assign unused_slots = write_slot_q ^ slot_q ^ older_slot_q;
    assign write_addr = addr_t'(write_beat_q);
    assign addr[0] = addr_t'(beat_q);
    assign addr[1] = addr_t'(beat_q);
  end

  always_ff @(posedge clk) begin
    if (write) begin
      write_beat_q <= write_end ? '0 : write_beat_q + 1'b1;
      if (write_end) begin
        write_bank_q <= !write_bank_q;
        if (write_bank_q) begin
          write_slot_q <= !write_slot_q;
        end
      end
    end
    fill_q <= fill_q + fill_t'(write) - fill_t'(free);
    if (!rst_n) begin
      write_beat_q <= '0;
      write_bank_q <= 1'b0;
      write_slot_q <= 1'b0;
      fill_q <= '0;
    end
  end

  always_ff @(posedge clk) begin
    if (read) begin
      beat_q <= beat_end ? '0 : beat_q + 1'b1;
    end
    if (pass_end) begin
      second_q <= line_end || !second_q;
      if (line_end) begin
        pair_q <= '0;
        line_q <= (line_q == LineBits'(Lines - 1)) ? '0 : line_q + 1'b1;
      end else if (second_q) begin
        pair_q <= pair_q + 1'b1;
      end
      if (next_is_new) begin
        bank_q <= !bank_q;
        older_slot_q <= slot_q;
        if (bank_q) begin
          slot_q <= !slot_q;
        end
      end
    end
    level_q <= level_q + fill_t'(write) - ((pass_end && next_is_new) ? fill_t'(Beats) : '0);
    if (!rst_n) begin
      beat_q <= '0;
      pair_q <= '0;
      line_q <= '0;
      second_q <= 1'b1;
      bank_q <= 1'b0;
      slot_q <= 1'b0;
      older_slot_q <= 1'b0;
      level_q <= '0;
    end
  end

  // A word of the memories, then the two items of a sum, then the sum.
  beat_t words[2];
  beat_t heavy_q, light_q;
  logic words_valid_q, items_valid_q;
  logic words_last_q, items_last_q;
  logic heavy_bank_q, light_bank_q;
  logic words_move, items_move;
  logic [Lanes*OutBits-1:0] sums;

  assign read = (!first_use || level_q > fill_t'(beat_q)) && (!words_valid_q || words_move);
  assign words_move = !items_valid_q || items_move;

  always_ff @(posedge clk) begin
    if (read) begin
      heavy_bank_q <= (pair_first || pair_last || second_q) ? bank_q : !bank_q;
      light_bank_q <= (pair_first || pair_last || !second_q) ? bank_q : !bank_q;
      words_last_q <= pair_last && beat_end && line_q == LineBits'(Lines - 1);
    end
    if (words_valid_q && words_move) begin
      heavy_q <= words[heavy_bank_q];
      light_q <= words[light_bank_q];
      items_last_q <= words_last_q;
    end
    words_valid_q <= read || (words_valid_q && !words_move);
    items_valid_q <= words_valid_q || (items_valid_q && !items_move);
    if (!rst_n) begin
      words_valid_q <= 1'b0;
      items_valid_q <= 1'b0;
    end
  end

  // Without a beat the result does not matter, and a simulator need not compute it.
  always_comb begin
    sums = 'x;
    if (items_valid_q) begin
      for (int unsigned lane = 0; lane < Lanes; lane++) begin
        automatic logic [Bits-1:0] heavy = heavy_q[lane*Bits+:Bits];
        automatic logic [Bits-1:0] light = light_q[lane*Bits+:Bits];
        automatic logic [OutBits-1:0] one = {{2{Signed && heavy[Bits-1]}}, heavy};
        automatic logic [OutBits-1:0] other = {{2{Signed && light[Bits-1]}}, light};
        sums[lane*OutBits+:OutBits] = other + one + (one << 1);
      end
    end
  end

  for (genvar bank = 0; bank < 2; bank++) begin : gen_bank
    qun_ram #(
        .Bits (Lanes * Bits),
        .Depth(Depth)
    ) u_items (
        .clk,
        .write      (write && write_bank_q == 1'(bank)),
        .write_addr (write_addr),
        .write_data (s_axis_tdata),
        .read,
        .read_addr  (addr[bank]),
        .read_data_q(words[bank])
    );
  end

  qun_register_slice #(
      .Bits(Lanes * OutBits + 1)
  ) u_output (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data ({items_last_q, sums}),
      .s_valid(items_valid_q),
      .s_ready(items_move),
      .m_data ({m_axis_tlast, m_axis_tdata}),
      .m_valid(m_axis_tvalid),
      .m_ready(m_axis_tready)
  );

  `QUN_ASSERT(no_collision, !(write && read && write_addr == addr[write_bank_q])
              || ((pair_first || pair_last) && write_bank_q != bank_q),
              "a word was used that was read while it was written")
  `QUN_ASSERT(fill_in_range, 32'(fill_q) <= Room && !(free && fill_q == '0)
              && (pair_last || level_q <= fill_q),
              "the memories hold more words than places, or gave one up that they had not")
  `QUN_ASSERT(counters_in_range, 32'(beat_q) < Beats && 32'(pair_q) <= Items
              && 32'(line_q) < Lines && 32'(write_beat_q) < Beats,
              "a counter left its range")
  `QUN_ASSERT(last_ends_item, !(write && s_axis_tlast) || write_end,
              "tlast came within an item")

  logic unused_tlast;
  assign unused_tlast = s_axis_tlast;

endmodule

`default_nettype wire
