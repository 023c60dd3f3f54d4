// SPDX-License-Identifier: Apache-2.0
//
// Buffer of exactly Depth beats with its fill level.
//
// Latency: 1 cycle up to a Depth of 16, 4 cycles above it.
// Throughput: one beat a cycle.
// Lanes: kept as they come.
//
// A deep buffer is a memory of banks with two registers behind each and four beats of prefetch; the beats on their way count
// in `level`, and no path goes from one side's handshake to the other's. Where FrameBeats says how long every frame is,
// tlast is counted behind the buffer instead of stored. With QUN_FIFO_LIMIT defined, which only simulations do, +<path
// of the instance>=<n> makes it full at n beats.

`include "qun_assert.svh"

`default_nettype none

module qun_fifo #(
    /// Bits of a beat [1 or more]
    parameter int unsigned Bits = 8,
    /// Beats that it holds [2 or more]
    parameter int unsigned Depth = 2,
    /// Beats of a frame; 0 stores tlast with every beat [0 or more]
    parameter int unsigned FrameBeats = 0,
    localparam int unsigned LevelBits = $clog2(Depth + 1)
) (
    input  wire logic                 clk,
    input  wire logic                 rst_n,
    input  wire logic [     Bits-1:0] s_axis_tdata,
    input  wire logic                 s_axis_tvalid,
    output logic                      s_axis_tready,
    input  wire logic                 s_axis_tlast,
    output logic      [     Bits-1:0] m_axis_tdata,
    output logic                      m_axis_tvalid,
    input  wire logic                 m_axis_tready,
    output logic                      m_axis_tlast,
    output logic      [LevelBits-1:0] level
);

  localparam int unsigned AddrBits = $clog2(Depth);
  localparam int unsigned LastAddr = Depth - 1;
  localparam int unsigned WordBits = (FrameBeats > 0) ? Bits : Bits + 1;

  if (Depth < 2) begin : gen_bad_depth
    $error("Depth must be 2 or more");
  end

  logic [LevelBits-1:0] limit;
`ifdef QUN_FIFO_LIMIT
  initial begin
    limit = LevelBits'(Depth);
    void'($value$plusargs({$sformatf("%m"), "=%d"}, limit));
  end
`else
  assign limit = LevelBits'(Depth);
`endif

  logic [LevelBits-1:0] level_d, level_q;
  logic ready_q;
  logic push;
  logic pop;
  logic [AddrBits-1:0] write_addr_q;
  logic [AddrBits-1:0] read_addr_q;
  logic read;

  assign s_axis_tready = ready_q;
  assign level = level_q;
  assign push = s_axis_tvalid && ready_q;
  assign pop = m_axis_tvalid && m_axis_tready;
  assign level_d = level_q + LevelBits'(push) - LevelBits'(pop);

  always_ff @(posedge clk) begin
    level_q <= level_d;
    ready_q <= level_d != limit;
    if (push) begin
      write_addr_q <= (write_addr_q == AddrBits'(LastAddr)) ? '0 : write_addr_q + 1'b1;
    end
    if (read) begin
      read_addr_q <= (read_addr_q == AddrBits'(LastAddr)) ? '0 : read_addr_q + 1'b1;
    end
    if (!rst_n) begin
      level_q <= '0;
      ready_q <= 1'b0;
      write_addr_q <= '0;
      read_addr_q <= '0;
    end
  end

  logic [WordBits-1:0] write_word;
  logic [WordBits-1:0] read_word;
  assign m_axis_tdata = read_word[Bits-1:0];

  if (FrameBeats > 0) begin : gen_count_last
    localparam int unsigned BeatBits = (FrameBeats > 1) ? $clog2(FrameBeats) : 1;
    logic unused_tlast;
    logic [BeatBits-1:0] beat_q;

    assign unused_tlast = s_axis_tlast;
    assign write_word   = s_axis_tdata;
    assign m_axis_tlast = beat_q == BeatBits'(FrameBeats - 1);

    always_ff @(posedge clk) begin
      if (pop) begin
        beat_q <= m_axis_tlast ? '0 : beat_q + 1'b1;
      end
      if (!rst_n) begin
        beat_q <= '0;
      end
    end
  end else begin : gen_store_last
    assign write_word   = {s_axis_tlast, s_axis_tdata};
    assign m_axis_tlast = read_word[Bits];
  end

  if (Depth <= qun_device_pkg::FifoShallow) begin : gen_shallow
    logic [WordBits-1:0] words[Depth];

    always_ff @(posedge clk) begin
      if (push) begin
        words[write_addr_q] <= write_word;
      end
    end

    assign read_word = words[read_addr_q];
    assign m_axis_tvalid = level_q != '0;
    assign read = pop;
  end else begin : gen_deep
    logic [LevelBits-1:0] stored_q;  // beats in the memory that have not been read
    logic [2:0] claimed_q;  // places of the prefetch that are taken, or will be by reads underway
    logic [1:0] arriving_q;
    logic [2:0] filled_q;
    logic [1:0] fill_addr_q;
    logic [1:0] head_addr_q;
    logic [WordBits-1:0] word_r_q;
    logic [WordBits-1:0] prefetch[4];

    assign read = stored_q != '0 && claimed_q != 3'd4;
    assign read_word = prefetch[head_addr_q];
    assign m_axis_tvalid = filled_q != '0;

    qun_banked_ram #(
        .Bits (WordBits),
        .Depth(Depth)
    ) u_words (
        .clk          (clk),
        .write        (push),
        .write_addr   (write_addr_q),
        .write_data   (write_word),
        .read         (read),
        .read_addr    (read_addr_q),
        .read_data_r_q(word_r_q)
    );

    always_ff @(posedge clk) begin
      stored_q <= stored_q + LevelBits'(push) - LevelBits'(read);
      claimed_q <= claimed_q + 3'(read) - 3'(pop);
      filled_q <= filled_q + 3'(arriving_q[1]) - 3'(pop);
      arriving_q <= {arriving_q[0], read};
      if (arriving_q[1]) begin
        prefetch[fill_addr_q] <= word_r_q;
        fill_addr_q <= fill_addr_q + 1'b1;
      end
      if (pop) begin
        head_addr_q <= head_addr_q + 1'b1;
      end
      if (!rst_n) begin
        stored_q <= '0;
        claimed_q <= '0;
        filled_q <= '0;
        arriving_q <= '0;
        fill_addr_q <= '0;
        head_addr_q <= '0;
      end
    end

    `QUN_ASSERT(no_collision, !(push && read && write_addr_q == read_addr_q),
                "a word was used that was read while it was written")
    `QUN_ASSERT(prefetch_has_place, claimed_q <= 3'd4 && filled_q <= claimed_q,
                "the prefetch holds more than its places")
    `QUN_ASSERT(stored_within_level, stored_q <= level_q,
                "the memory holds more beats than the level says")
  end

  `QUN_ASSERT(level_within_depth, 32'(level_q) <= Depth && !(push && 32'(level_q) == Depth),
              "the level exceeds the depth")
  `QUN_ASSERT(addresses_in_range, 32'(write_addr_q) < Depth && 32'(read_addr_q) < Depth,
              "an address left its range")
  `QUN_ASSERT(read_has_beat, !read || level_q != '0, "a beat was read where there was none")

endmodule

`default_nettype wire
