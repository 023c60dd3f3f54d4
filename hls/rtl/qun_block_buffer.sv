// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a picture from serial frames: kept in a ring until their check is right, taken back where it is not.
//
// Latency: 2 cycles from the end of a block's frame to its first word.
// Throughput: one byte a cycle in, one word a cycle out.
// Lanes: none, bytes in the order of the frames.
//
// A word is a byte of a picture, or with `m_first` the picture's number, which precedes its bytes. Block 0 begins a
// picture at any time; every other block must be the next one of the picture that is `open`, and all but the last have
// BlockBytes bytes. Everything else is an error: `error` tells it with its code, and the open picture is given up. Bytes
// that are in the ring by then stay; who reads them sees from the next word, or from `open` and `drained`, that the
// picture ends early. The ring holds two blocks, a picture's number and a check. Whatever is refused leaves no trace.

`include "qun_assert.svh"

`default_nettype none

module qun_block_buffer #(
    /// Bytes of a picture [1 or more]
    parameter int unsigned PictureBytes = 4,
    /// Bytes of a block [1 or more; at most 256 blocks a picture]
    parameter int unsigned BlockBytes = 4,
    localparam int unsigned MostBytes = BlockBytes + 7,  // kind, picture, block, and the check
    localparam int unsigned CountBits = $clog2(MostBytes + 1)
) (
    input  wire logic                 clk,
    input  wire logic                 rst_n,
    input  wire logic [          7:0] s_data,
    input  wire logic                 s_valid,
    input  wire logic                 s_end,
    input  wire logic                 s_good,
    input  wire logic [CountBits-1:0] s_bytes,
    input  wire logic                 silence,        // nothing has come for too long
    output logic                      asked,          // a frame asks for information; for one cycle
    output logic                      error,          // likewise
    output logic      [          7:0] error_code,
    output logic      [          7:0] error_picture,
    output logic                      open,           // the last block of a picture is to come
    output logic                      drained,        // there is no word
    output logic      [          7:0] m_data,
    output logic                      m_first,
    output logic                      m_valid,
    input  wire logic                 m_ready
);

  import qun_serial_pkg::*;

  localparam int unsigned Blocks = (PictureBytes + BlockBytes - 1) / BlockBytes;
  localparam int unsigned LastBytes = PictureBytes - (Blocks - 1) * BlockBytes;
  localparam int unsigned AddrBits = $clog2(2 * BlockBytes + 6);
  localparam int unsigned Depth = 2 ** AddrBits;
  typedef logic [AddrBits:0] place_t;  // of the ring, with one bit more to tell full from empty

  if (PictureBytes < 1 || BlockBytes < 1 || Blocks > 256) begin : gen_bad_blocks
    $error("a picture must have 1 to 256 blocks");
  end

  // What has come of the frame.
  typedef enum logic [1:0] {
    StKind,
    StPicture,
    StBlock,
    StBytes
  } state_e;

  state_e state_q;
  logic [7:0] kind_q, picture_q, block_q;
  logic full_q;  // the ring had no place

  // The picture whose blocks come.
  logic open_q;
  logic [7:0] current_q, expected_q;

  place_t fill_q;  // behind the last byte that came
  place_t kept_q;  // behind the last byte that is kept
  place_t read_q;
  logic write, place_left;
  logic [8:0] write_word, read_word;
  logic read, head_q;

  logic is_last, in_turn, right_length, keep;

  assign open = open_q;
  assign place_left = place_t'(fill_q - read_q) != place_t'(Depth);
  assign is_last = block_q == 8'(Blocks - 1);
  assign in_turn = block_q == '0
                   || (open_q && block_q == expected_q && picture_q == current_q);
  assign right_length = s_bytes == (is_last ? CountBits'(LastBytes + 7) : CountBits'(MostBytes));
  assign keep = s_end && s_good && kind_q == KindBlock && right_length && in_turn && !full_q;

  // A picture's number goes into the ring with its first block.
  assign write = s_valid && kind_q == KindBlock && place_left
                 && (state_q == StBytes || (state_q == StBlock && s_data == '0));
  assign write_word = (state_q == StBlock) ? {1'b1, picture_q} : {1'b0, s_data};

  always_ff @(posedge clk) begin
    asked <= s_end && s_good && kind_q == KindInfo && s_bytes == CountBits'(5);
    error <= silence;
    error_code <= ErrorSilence;
    error_picture <= current_q;
    if (s_valid) begin
      unique case (state_q)
        StKind: begin
          kind_q  <= s_data;
          state_q <= StPicture;
        end
        StPicture: begin
          picture_q <= s_data;
          state_q   <= StBlock;
        end
        StBlock: begin
          block_q <= s_data;
          state_q <= StBytes;
        end
        default: ;
      endcase
      if (write) begin
        fill_q <= fill_q + 1'b1;
      end
      if (kind_q == KindBlock && !place_left && state_q != StKind) begin
        full_q <= 1'b1;
      end
    end
    if (s_end || silence) begin
      state_q <= StKind;
      kind_q  <= '0;
      full_q  <= 1'b0;
      fill_q  <= kept_q;
    end
    if (silence) begin
      open_q <= 1'b0;
    end else if (keep) begin
      kept_q <= fill_q - place_t'(4);  // without the check
      fill_q <= fill_q - place_t'(4);
      current_q <= picture_q;
      expected_q <= block_q + 1'b1;
      open_q <= !is_last;
    end else if (s_end && !(s_good && kind_q == KindInfo && s_bytes == CountBits'(5))) begin
      open_q <= 1'b0;
      error <= 1'b1;
      error_picture <= (s_good && kind_q == KindBlock) ? picture_q : current_q;
      error_code <= !s_good ? ErrorDamaged : (kind_q != KindBlock && kind_q != KindInfo) ? ErrorKind
                    : full_q ? ErrorFull
                    : (kind_q == KindInfo || !right_length) ? ErrorLength : ErrorOrder;
    end
    if (!rst_n) begin
      state_q <= StKind;
      kind_q <= '0;
      full_q <= 1'b0;
      fill_q <= '0;
      kept_q <= '0;
      open_q <= 1'b0;
      current_q <= '0;
      asked <= 1'b0;
      error <= 1'b0;
    end
  end

  // Only what is kept is read; the memory's output register holds the word in front.
  assign read = read_q != kept_q && (!head_q || m_ready);
  assign drained = read_q == kept_q && !head_q;
  assign m_valid = head_q;
  assign {m_first, m_data} = read_word;

  always_ff @(posedge clk) begin
    if (read) begin
      read_q <= read_q + 1'b1;
    end
    head_q <= read || (head_q && !m_ready);
    if (!rst_n) begin
      read_q <= '0;
      head_q <= 1'b0;
    end
  end

  qun_ram #(
      .Bits (9),
      .Depth(Depth)
  ) u_ring (
      .clk        (clk),
      .write      (write),
      .write_addr (fill_q[AddrBits-1:0]),
      .write_data (write_word),
      .read       (read),
      .read_addr  (read_q[AddrBits-1:0]),
      .read_data_q(read_word)
  );

  `QUN_ASSERT(ring_in_range, 32'(place_t'(fill_q - read_q)) <= Depth
              && place_t'(kept_q - read_q) <= place_t'(fill_q - read_q),
              "the ring holds more than its places, or less than it keeps")
  `QUN_ASSERT(no_collision, !(write && read && fill_q[AddrBits-1:0] == read_q[AddrBits-1:0]),
              "a word was used that was read while it was written")
  `QUN_ASSERT_STREAM(output_waits, m_valid, m_ready, {m_first, m_data})

endmodule

`default_nettype wire
