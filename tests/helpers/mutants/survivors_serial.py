"""Mutants of a board's serial side that no bench finds, and why each is right to live."""

from __future__ import annotations

from helpers.mutants.survivor import Survivor, counters

_HUNT = "behind a reset nothing is looked at up to a flag, which clears it"
_BEGINS = "a picture sets it when it begins, and before nobody looks at it"
_TAKEN_BACK = "what is written of a frame that is no block is taken back at its end, and read by nobody"
_WRITE = "kind_q == KindBlock && place_left && (state_q == StBytes || (state_q == StBlock && s_data == '0))"
_TRUE = "1'b1"
_FULL = "kind_q == KindBlock && !place_left && state_q != StKind"
_BLOCK_LEFT = "BlockBits'(BlockBytes)"

SERIAL: tuple[Survivor, ...] = (
    Survivor(
        "qun_uart_rx", "look =", "operand dropped", "busy_q && phase >= phase_t'(PeriodCycles)",
        "1'b1 && phase >= phase_t'(PeriodCycles)", "it is asked while a byte comes alone",
    ),
    Survivor(
        "qun_byte_beats", "place_q == ", "operator", "place_q == PlaceBits'(BeatBytes - 1)",
        "place_q >= PlaceBits'(BeatBytes - 1)", "it is set back where it is equal, so that it is never greater", 2,
    ),
    Survivor(
        "qun_mask_bytes", "whole_q", "operator", "place_q == 3'd7", "place_q >= 3'd7", "3 bits hold no greater one",
    ),
    Survivor(
        "qun_value_bytes", "s_axis_tready", "operator", "left_q == LeftBits'(1)", "left_q <= LeftBits'(1)",
        "what is less is zero, of which the first operand says the same",
    ),
    # Each also stands under the condition of a flag, or of a beginning, where the small benches find it.
    *(Survivor("qun_serial_deframer", text, "statement dropped", text, "", _HUNT, count=2, column=7)
      for text in ("bad_q <= 1'b0;", "escaped_q <= 1'b0;", "crc_q <= Start;", "bytes_q <= '0;")),
    *(Survivor("qun_serial_deframer", text, "constant", "1'b0", "1'b1", _HUNT, count=2, column=column)
      for text, column in (("bad_q <= 1'b0;", 16), ("escaped_q <= 1'b0;", 20))),
    *(Survivor("qun_serial_deframer", "crc_q <= Start;", kind, "Start", mutated, _HUNT, count=2)
      for kind, mutated in (
          ("stuck at zero", "(Start) ^ (Start)"), ("one more", "(Start) - ~((Start) ^ (Start))"),
          ("one less", "(Start) + ~((Start) ^ (Start))"),
      )),
    *(Survivor(module, "crc_q <= Start;", "stuck at ones", "Start", "~((Start) ^ (Start))",
               "a check starts with ones", count=count)
      for module, count in (("qun_serial_deframer", 2), ("qun_serial_framer", 1))),
    *(Survivor("qun_picture_feeder", text, "statement dropped", text, "", _BEGINS, count=2, column=7)
      for text in ("block_left_q <= BlockBits'(BlockBytes);", "block_q <= '0;")),
    Survivor(
        "qun_picture_feeder", "block_left_q", "operator", "block_left_q == BlockBits'(1)",
        "block_left_q <= BlockBits'(1)", "it counts from BlockBytes down to 1, and is never 0", count=2,
    ),
    *(Survivor("qun_serial_framer", "escaped_q <= 1'b0;", kind, original, mutated,
               "the flag that begins a frame clears it")
      for kind, original, mutated in (
          ("statement dropped", "escaped_q <= 1'b0;", ""), ("constant", "1'b0", "1'b1"),
      )),
    *(Survivor("qun_block_buffer", "place_left", kind, original, mutated,
               "the ring never holds more than Depth: ring_in_range; modulo 2 * Depth minus Depth is Depth")
      for kind, original, mutated in (
          ("operator", "place_t'(fill_q - read_q) != place_t'(Depth)", "place_t'(fill_q - read_q) < place_t'(Depth)"),
          ("operands swapped", "fill_q - read_q", "read_q - (fill_q)"),
      )),
    Survivor(
        "qun_block_buffer", "write = ", "operand dropped", f"s_valid && {_WRITE}", f"1'b1 && {_WRITE}",
        "the free place behind the last byte holds anything: the next byte that comes is written there",
    ),
    Survivor(
        "qun_block_buffer", "write = ", "operand dropped", f"s_valid && {_WRITE}",
        "s_valid && " + _WRITE.replace("kind_q == KindBlock", _TRUE), _TAKEN_BACK,
    ),
    *(Survivor("qun_block_buffer", "write = ", "operator", "kind_q == KindBlock", f"kind_q {sign} KindBlock",
               _TAKEN_BACK) for sign in (">=", "<=")),
    Survivor(
        "qun_block_buffer", "write = ", "operator", "state_q == StBytes", "state_q >= StBytes",
        "it is the last state, and 2 bits hold no greater one",
    ),
    Survivor(
        "qun_block_buffer", "write = ", "operator", "state_q == StBlock", "state_q >= StBlock",
        "of the one state behind it the first operand says the same",
    ),
    Survivor(
        "qun_block_buffer", "write_word = ", "operator", "state_q == StBlock", "state_q <= StBlock",
        "in a state before it nothing is written",
    ),
    Survivor(
        "qun_block_buffer", "s_bytes", "operator", "s_bytes == CountBits'(5)", "s_bytes <= CountBits'(5)",
        "no good frame has less than five bytes", count=2,
    ),
    *(Survivor("qun_block_buffer", "!place_left", kind, original, mutated,
               "of no other frame than a block a byte is written, nor is a kind, so that there is place: behind what "
               "is kept the four of a check are free")
      for kind, original, mutated in (
          ("operand dropped", _FULL, _FULL.replace("kind_q == KindBlock", _TRUE)),
          ("operand dropped", _FULL, _FULL.replace("state_q != StKind", _TRUE)),
          ("operator", "kind_q == KindBlock", "kind_q >= KindBlock"),
          ("operator", "kind_q == KindBlock", "kind_q <= KindBlock"),
      )),
    Survivor(
        "qun_block_buffer", "!place_left", "operator", "state_q != StKind", "state_q > StKind",
        "it is the first state, 0",
    ),
    Survivor(
        "qun_block_buffer", "kind_q <= '0;", "constant", "'0", "'1", "neither is a kind of a frame", count=2,
    ),
    Survivor(
        "qun_block_buffer", "kind_q <= '0;", "statement dropped", "kind_q <= '0;", "",
        "behind a reset a frame does not end before its first byte, the kind; the other assignment is found", count=2,
    ),
    Survivor(
        "qun_block_buffer", "error_code", "operator", "kind_q == KindInfo", "kind_q <= KindInfo",
        "the other kind that comes so far is greater",
    ),
    Survivor(
        "qun_picture_feeder", "begins = ", "operand dropped", "s_valid && s_first && left_q == '0 && !busy_q",
        "s_valid && 1'b1 && left_q == '0 && !busy_q", "no byte comes that belongs to no picture: bytes_have_picture",
    ),
    Survivor(
        "qun_picture_feeder", "taken <= ", "operator", "left_q == LeftBits'(1)", "left_q <= LeftBits'(1)",
        "it is looked at while a byte goes, and then one is left",
    ),
    *(Survivor("qun_picture_feeder", "block_left_q <= ", kind, _BLOCK_LEFT, mutated, _BEGINS, count=2, column=23)
      for kind, mutated in (
          ("stuck at zero", f"({_BLOCK_LEFT}) ^ ({_BLOCK_LEFT})"),
          ("stuck at ones", f"~(({_BLOCK_LEFT}) ^ ({_BLOCK_LEFT}))"),
          ("one more", f"({_BLOCK_LEFT}) - ~(({_BLOCK_LEFT}) ^ ({_BLOCK_LEFT}))"),
          ("one less", f"({_BLOCK_LEFT}) + ~(({_BLOCK_LEFT}) ^ ({_BLOCK_LEFT}))"),
      )),
    Survivor("qun_picture_feeder", "block_q <= '0;", "constant", "'0", "'1", _BEGINS, count=2),
    *(Survivor("qun_serial_reply", where, "operand dropped", original, original.replace("left_q != '0", _TRUE),
               "a result is at its end for one cycle, in which its last frame ends, or drop holds until behind it")
      for where, original in (
          ("part_byte = ", "state_q == StResult && load && !stop && left_q != '0"),
          ("if (s_valid", "s_valid && !drop && left_q != '0"),
      )),
    *(Survivor("qun_serial_reply", where, "operator", "left_q == CountBits'(1)", "left_q <= CountBits'(1)",
               "it is looked at with a byte, and none comes between a result's last one and the next picture")
      for where in ("result_end <= ", "if (stop")),
    Survivor(
        "qun_serial_reply", "head_left_q == ", "operator", "head_left_q == 5'd1", "head_left_q <= 5'd1",
        "it counts down to 1, with which the state ends",
    ),
    Survivor(
        "qun_serial_framer", "data = (", "operator", "state_q == StCheck", "state_q >= StCheck",
        "behind the check a flag goes out, whatever the data are",
    ),
    *(Survivor("qun_uart_rx", text, "operator", f"place_q {right} 4'd9", f"place_q {wrong} 4'd9",
               "a byte ends with place 9, which place_in_byte asserts", count)
      for text, right, wrong, count in (("busy_q", "!=", "<", 1), ("place_q == 4'd9", "==", ">=", 2))),
    Survivor(
        "qun_uart_tx", "s_ready", "operator", "left_q == 4'd1", "left_q <= 4'd1",
        "what is less is zero, of which the first operand says the same",
    ),
    *counters("qun_byte_beats", "beat_q == CountBits'(Beats - 1)"),
    Survivor(
        "qun_mask_bytes", "bits_q <=", "operator", "((place_q == '0) ? 8'd0 : bits_q) | (8'(pixel) << place_q)",
        "((place_q == '0) ? 8'd0 : bits_q) ^ (8'(pixel) << place_q)", "the bit was zero: its turn is once a byte",
    ),
    *(Survivor("qun_serial_device", text, kind, original, mutated,
               "behind a reset nothing is open, which clears it in the first cycle; told is only a silence that ends "
               "in just the cycle of the reset; the other one is found", count, column)
      for text, kind, original, mutated, count, column in (
          ("silent_q <= '0;", "statement dropped", "silent_q <= '0;", "", 2, 7),
          ("silent_q <= '0;", "constant", "'0", "'1", 2, 19),
          ("if (!rst_n)", "condition never", "!rst_n", "1'b0", 2, 9),
      )),
    *counters("qun_serial_device", "silent_q == SilenceBits'(SilenceCycles)"),
    Survivor(
        "qun_serial_device", "if (rx_valid", "operand dropped", "rx_valid || silence || !(begun || (open && drained))",
        "rx_valid || 1'b0 || !(begun || (open && drained))",
        "a silence ends what was begun, which clears the counter a cycle later",
    ),
)  # fmt: skip
"""Those of the modules that carry pictures and results over a serial line."""
