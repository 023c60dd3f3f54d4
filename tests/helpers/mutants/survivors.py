"""Mutants that no bench finds and no proof shows to be invisible, and why each is right to live."""

from __future__ import annotations

from helpers.mutants.generate import Mutant
from helpers.mutants.survivor import Survivor, accumulating, counters, of_every_module
from helpers.mutants.survivors_serial import SERIAL

_NO_BEAT = "without a beat the result goes nowhere: the register slice behind it takes data with tvalid alone"
_COUNTER = "the counter never exceeds its last value, which an assertion says and a proof of docs/proofs.md shows"

_STAGE = "a stage without a beat holds anything: the stage behind it looks at what comes with a valid beat alone"
_AGAIN = "what stands there is written again: neither word nor address has changed"
_NO_PAUSE = "the taps of an output come without a pause, and what is added behind the last one comes behind its result"
_LATER = "a word is looked at two cycles behind its own read, whatever is read in the next ones"
_SAME_BIAS = "the word of biases stays as it is until the next first tap"

SURVIVORS: tuple[Survivor, ...] = (
    *SERIAL,
    Survivor(
        "qun_fifo", "read = stored_q", "operator", "claimed_q != 3'd4", "claimed_q < 3'd4",
        "claimed_q never exceeds 4: prefetch_has_place of docs/proofs.md is proven, which the comparison of two copies "
        "does not find by itself in its time",
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "second branch always",
        "(gain == -1) ? -scaled : scaled * 64'(gain)", "scaled * 64'(gain)",
        "a gain of -1 multiplies by -1: the branch saves a multiplier, and changes no value",
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "second branch always",
        "(gain == 1) ? scaled : (gain == -1) ? -scaled : scaled * 64'(gain)",
        "(gain == -1) ? -scaled : scaled * 64'(gain)",
        "a gain of 1 multiplies by 1: the branch saves a multiplier, and changes no value",
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "constant", "1", "0",
        "no gain is 0, and one of 1 or -1 falls through to the multiplication, with the same value", 2,
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "unary operator", "-1", "1",
        "a gain of -1 falls through to the multiplication, with the same value",
    ),
    *(Survivor(module, "both", "condition always", "both", "1'b1", _NO_BEAT)
      for module in ("qun_add", "qun_maximum", "qun_multiply")),
    Survivor("qun_requant", "s_axis_tvalid", "condition always", "s_axis_tvalid", "1'b1", _NO_BEAT),
    Survivor("qun_maxpool2d", "row_valid_q[1]", "condition always", "row_valid_q[1]", "1'b1", _NO_BEAT),
    Survivor(
        "qun_maximum", "result", "operator", "(first ^ Flip) < (second ^ Flip)", "(first ^ Flip) <= (second ^ Flip)",
        "of two equal values either is the greater one",
    ),
    Survivor(
        "qun_argmax", "nodes_q", "operator", "(2*n)%Leaves", "(2*n)+Leaves",
        "Leaves is a power of two: in an index into as many nodes or leaves the sum is the remainder", 2,
    ),
    Survivor(
        "qun_argmax", "best", "operator", "group_q == '0", "group_q <= '0",
        "an unsigned number is at most zero where it is zero",
    ),
    Survivor(
        "qun_concat", "group_q", "operator", "group_q == GroupBits'(Groups - 1)", "group_q >= GroupBits'(Groups - 1)",
        _COUNTER,
    ),
    Survivor(
        "qun_credit_fifo", "credit_q", "operator", "credits_q != (AddrBits + 1)'(1)",
        "credits_q > (AddrBits + 1)'(1)",
        "it stands where a credit is taken, and then there is one: credit_where_a_place_is_free is proven with it",
    ),
    Survivor(
        "qun_rectangle", "row_end", "operator", "beat_q == BeatBits'(RowBeats - 1)",
        "beat_q >= BeatBits'(RowBeats - 1)", _COUNTER,
    ),
    Survivor(
        "qun_rectangle", "inside_last", "operator", "row_q == RowBits'(LastRow)", "row_q >= RowBits'(LastRow)",
        "rows below the rectangle do not matter: a crop looks at the flag where it keeps a beat, a padding never",
    ),
    *(Survivor("qun_rectangle", "inside_q", "operator", f"{name} == 0", f"{name} <= 0", "unsigned constants", 2)
      for name in ("FirstRow", "FirstBeat")),
    Survivor(
        "qun_row_repeat", "y_last", "operator", "y_q == YBits'(Height - 1)", "y_q >= YBits'(Height - 1)", _COUNTER,
    ),
    *counters(
        "qun_fifo", "write_addr_q == AddrBits'(LastAddr)", "read_addr_q == AddrBits'(LastAddr)",
        "beat_q == BeatBits'(FrameBeats - 1)",
    ),
    *counters("qun_width_adapter", "count_q == CountBits'(InBeats - 1)"),
    *counters("qun_row_repeat", "write_fold_q == InFoldBits'(InFolds - 1)"),
    *counters("qun_window", "write_fold_q == WriteFoldBits'(InFolds - 1)"),
    Survivor(
        "qun_window", "row_addr_q <=", "operator", "(FirstPixel * InFolds) % RingWords",
        "(FirstPixel * InFolds) + RingWords", "a ring too much, which the first step of wrap_add takes off again",
    ),
    Survivor(
        "qun_window", ".read", "stuck at one", "tap_valid", "~((tap_valid) ^ (tap_valid))",
        "the address stays where no tap comes: the same word is read again",
    ),
    *(Survivor("qun_pixel_window", "{top, centre, bottom}", kind, original, mutated,
               "of a single row the rows above and below are zero whatever comes: the flags of the column say so",
               column=column)
      for kind, original, mutated, column in (
          ("one more", "{WordBits'(0), pixel_q, WordBits'(0)}",
           "({WordBits'(0), pixel_q, WordBits'(0)}) - "
           "~(({WordBits'(0), pixel_q, WordBits'(0)}) ^ ({WordBits'(0), pixel_q, WordBits'(0)}))", 36),
          ("constant", "0", "1", 70),
      )),
    Survivor(
        "qun_pixel_window", "next_row =", "operand dropped", "!y_last && !(y_first && loaded_q != LoadBits'(Width))",
        "1'b1 && !(y_first && loaded_q != LoadBits'(Width))",
        "in the last row a column is fetched wherever there is room, with which the input is ready anyway",
    ),
    Survivor(
        "qun_pixel_window", "if (s_axis_tvalid && s_axis_tready)", "operand dropped", "s_axis_tvalid && s_axis_tready",
        "1'b1 && s_axis_tready",
        "while a fetched column waits nothing is taken, but in the last row, below which is zero",
    ),
    *(Survivor("qun_pixel_window", "fetched_q <= 1'b0;", kind, original, mutated,
               "the word that is written above the first column behind a reset is written anew with the first row")
      for kind, original, mutated in (
          ("constant", "1'b0", "1'b1"), ("statement dropped", "fetched_q <= 1'b0;", ""),
      )),
    Survivor(
        "qun_pixel_window", "write_q <=", "operand dropped", "s_axis_tvalid && s_axis_tready", "s_axis_tvalid && 1'b1",
        _AGAIN,
    ),
    Survivor("qun_pixel_window", ".write", "stuck at one", "fetched_q", "~((fetched_q) ^ (fetched_q))", _AGAIN),
    *(Survivor("qun_sliding_window", where, "operator", original, mutated, "no size is 0")
      for where, original, mutated in (
          ("x_last_q <= line_end", "Width == 1", "Width <= 1"),
          ("y_last_q <= y_last_q", "Height == 1", "Height <= 1"), ("y_last_q <= Height", "Height == 1", "Height <= 1"),
      )),
    Survivor(
        "qun_sliding_window", "window_end =", "operands swapped", "Kernel - 1", "1 - (Kernel)",
        "a kernel has one row or three, and in two bits -2 is 2",
    ),
    *(Survivor("qun_sliding_window", "next_row_addr = row_addr_q", kind, "row_addr_q", mutated,
               "at 1x1 a row ends with its window, whose own address goes before")
      for kind, mutated in (
          ("stuck at zero", "(row_addr_q) ^ (row_addr_q)"), ("stuck at ones", "~((row_addr_q) ^ (row_addr_q))"),
          ("one more", "(row_addr_q) - ~((row_addr_q) ^ (row_addr_q))"),
          ("one less", "(row_addr_q) + ~((row_addr_q) ^ (row_addr_q))"),
      )),
    Survivor(
        "qun_sliding_window", "reached_q[i]", "operator", "fill_q != fill_t'(Needs[i])", "fill_q > fill_t'(Needs[i])",
        "where fewer pixels are stored it is not reached anyway: flags_follow is asserted",
    ),
    Survivor(
        "qun_sliding_window", "y_last_q", "operator", "32'(y_q) + 2 == Height", "32'(y_q) + 2 >= Height",
        "the row is not the last one there, so that the sum is not greater",
    ),
    *(Survivor(module, f"if ({name})", "condition always", name, "1'b1", _STAGE)
      for module in ("qun_lane_products", "qun_pair_products")
      for name in ("sums_valid", "products_valid", "word_valid")),
    Survivor(
        "qun_lane_products", "weight >>> LowBits", "operator", "weight >>> LowBits", "weight >> LowBits",
        "what another sign adds is a multiple of 2**(32 - LowBits), which the shift back takes out of 32 bits",
    ),
    Survivor(
        "qun_lane_products", "Halves", "condition always", "Halves", "1'b1",
        "without halves LowBits is 0, and so are lows", 2,
    ),
    Survivor(
        "qun_lane_products", "sum = sum + (sums_q", "first branch always", "Halves ? lows_q[i*Pe+p] : 0",
        "lows_q[i*Pe+p]", "without halves lows_q is never written, and zero",
    ),
    *(Survivor("qun_pair_products", "InSigned ? unsigned'", kind,
               "InSigned ? unsigned'(signed'(pair) * in) : pair * unsigned'(in)", mutated,
               "the lower 32 bits of a product of two numbers of 32 bits are the same with signs and without")
      for kind, mutated in (
          ("branches swapped", "InSigned ? pair * unsigned'(in) : unsigned'(signed'(pair) * in)"),
          ("first branch always", "unsigned'(signed'(pair) * in)"), ("second branch always", "pair * unsigned'(in)"),
      )),
    Survivor(
        "qun_pair_products", "weights_q", "operator",
        "WordBits'(HalfBits'(low >> w * HalfBits)) | WordBits'(HalfBits'(high >> w * HalfBits)) << Gap",
        "WordBits'(HalfBits'(low >> w * HalfBits)) ^ WordBits'(HalfBits'(high >> w * HalfBits)) << Gap",
        "the lower half ends below Gap, where the upper one begins: no bit is 1 in both",
    ),
    *accumulating(
        "qun_depthwise_conv2d", 1, 4,
        {"valid_q[3]": _NO_PAUSE, "valid_q[2]": _STAGE, "control_q[2].first": _SAME_BIAS, "valid_q[1]": _STAGE,
         "tap_valid": _STAGE},
    ),
    Survivor(
        "qun_depthwise_conv2d", ".read", "stuck at one", "tap_valid", "~((tap_valid) ^ (tap_valid))",
        "a weight is looked at with its tap, a cycle behind its own read",
    ),
    *accumulating(
        "qun_matrix_vector", 2, 5,
        {"valid_q[4]": _NO_PAUSE, "control_q[3].first": _SAME_BIAS, "valid_q[2]": _STAGE, "valid_q[1]": _STAGE},
    ),
    *(Survivor("qun_matrix_vector", f"if ({name})", "condition always", name, "1'b1", _STAGE, column=11)
      for name in ("step_valid", "tap_valid")),
    *(Survivor("qun_matrix_vector", where, "stuck at one", name, f"~(({name}) ^ ({name}))", _STAGE, 2)
      for where, name in (
          (".word_valid", "valid_q[1]"), (".products_valid", "valid_q[2]"), (".sums_valid", "valid_q[3]"),
      )),
    Survivor("qun_matrix_vector", "if (step_valid)", "condition always", "step_valid", "1'b1", _STAGE, column=9),
    *counters("qun_conv2d_constant", "count_q == CountBits'(Pixels - 1)"),
    *(Survivor("qun_pair_products", where, kind, original, mutated,
               "beyond the last one nothing stands, which counts as zero where it is read")
      for where, original, other in (("if (lane < Simd)", "lane < Simd", "lane {} Simd"),
                                     ("if (i < Sums)", "i < Sums", "i {} Sums"))
      for kind, mutated in (
          ("condition always", "1'b1"), ("operator", other.format("<=")), ("operator", other.format("!=")),
      )),
    Survivor(
        "qun_pair_products", "pair << (32 - Gap)", "one more", "pair << (32 - Gap)",
        "(pair << (32 - Gap)) - ~((pair << (32 - Gap)) ^ (pair << (32 - Gap)))",
        "the bits below are shifted out again",
    ),
    *counters("qun_affine", "group_q == GroupBits'(Groups - 1)"),
    *(Survivor("qun_affine", "raw[InBits-1], raw", kind, "InBits-1", mutated,
               "of a signed input this bit is cut off, and of an unsigned one it is zero")
      for kind, mutated in (("operator", "InBits+1"), ("operands swapped", "1 - (InBits)"))),
    Survivor("qun_affine", "SplitBits == 0", "operator", "SplitBits == 0", "SplitBits <= 0", "no width is negative"),
    *(Survivor("qun_affine", f"move && {name}", "operand dropped", f"move && {name}", "move && 1'b1", _STAGE)
      for name in ("valid_q[1]", "valid_q[SumStage-2]", "valid_q[SumStage-1]", "valid_q[SumStage]")),
    Survivor(
        "qun_affine", "Multiplies ?", "first branch always", "Multiplies ? FactorBits'(set) : FactorBits'(1)",
        "FactorBits'(set)", "without multipliers nobody looks at factors", 2,
    ),
    Survivor("qun_affine", "Multiplies ?", "constant", "1", "2", "without multipliers nobody looks at factors", 2),
    Survivor("qun_affine", "valid_q[Stages]", "condition always", "valid_q[Stages]", "1'b1", _NO_BEAT, 2),
    *(Survivor("qun_affine", f"64'({name})", "operator", original, original.replace(sign, f"{sign}="),
               "at a bound the value is the bound")
      for name, sign, original in (
          ("Low", "<", "64'(results_q[lane]) < 64'(Low)"), ("High", ">", "64'(results_q[lane]) > 64'(High)"),
      )),
    *(Survivor("qun_argmax", "if (lane < Simd)", kind, "lane < Simd", mutated,
               "a lane that does not exist is then one of those before it again, which wins where both are equal")
      for kind, mutated in (
          ("condition always", "1'b1"), ("operator", "lane <= Simd"), ("operator", "lane != Simd"),
      )),
    Survivor(
        "qun_argmax", "nodes_q", "operator", "(2*n+1)%Leaves", "(2*n+1)+Leaves",
        "Leaves is a power of two: in an index into as many nodes or leaves the sum is the remainder", 2,
    ),
    Survivor(
        "qun_argmax", "root = leaves[0]", "constant", "0", "1",
        "it stands where there is one leaf, which Verilator reads at any index",
    ),
    Survivor(
        "qun_smallest_area", ".s_axis_tlast", "constant", "1'b0", "1'b1", "the FIFO counts the beats of a frame",
    ),
    *(Survivor("qun_smallest_area", where, "operand dropped", original, mutated,
               "a frame has two pixels or more, so that its last one is stored when all others have left")
      for where, original, mutated in (
          (".m_ready", "m_axis_tready && stored_valid && stored_last", "m_axis_tready && 1'b1 && stored_last"),
          ("m_axis_tvalid =", "stored_valid && judged", "1'b1 && judged"),
      )),
    *(Survivor("qun_frame_check", where, "operand dropped", original, mutated, why)
      for where, original, mutated, why in (
          ("if (drop_q", "drop_q && s_axis_tvalid && s_axis_tlast", "1'b1 && s_axis_tvalid && s_axis_tlast",
           "where nothing is dropped it stays so: a frame that ends with tlast is not followed by a rest"),
          ("if (s_axis_tvalid && s_axis_tready", "s_axis_tvalid && s_axis_tready && wrong && !drop_q",
           "s_axis_tvalid && 1'b1 && wrong && !drop_q", "a beat that waits is taken: its error is told while it waits"),
          ("if (s_axis_tvalid && s_axis_tready", "s_axis_tvalid && s_axis_tready && wrong && !drop_q",
           "s_axis_tvalid && s_axis_tready && wrong && 1'b1", "what is dropped has been told: drop_between_frames"),
      )),
    Survivor("qun_rom", "read_q <= read", "stuck at one", "read", "~((read) ^ (read))", _LATER),
    Survivor("qun_rom", "if (read_q)", "condition always", "read_q", "1'b1", _LATER),
    Survivor(
        "qun_stride_address", "next_base =", "operator", "32'(sum) >= Turn", "32'(sum) > Turn",
        "the sum is Turn in front of the last block alone, whose place comes from elsewhere",
    ),
    Survivor(
        "qun_stride_address", "if (block_q == BlockBits'(Blocks - 2))", "operator", "block_q == BlockBits'(Blocks - 2)",
        "block_q >= BlockBits'(Blocks - 2)", "the one block behind it ends the row, which goes before",
    ),
    Survivor(
        "qun_stride_address", "if (block_q == BlockBits'(Factor - 1))", "operator", "block_q == BlockBits'(Factor - 1)",
        "block_q <= BlockBits'(Factor - 1)", "the last of these blocks writes what counts at the row's end",
    ),
    *(Survivor("qun_stride_address", "next_stride_q <= '0;", kind, original, mutated,
               "it is set in every row before the row's end, where it is looked at")
      for kind, original, mutated in (("constant", "'0", "'1"), ("statement dropped", "next_stride_q <= '0;", ""))),
    Survivor(
        "qun_banked_ram", "read_q <= read", "stuck at one", "read", "~((read) ^ (read))",
        _LATER,
    ),
    Survivor(
        "qun_resize_nearest", "read =", "operand dropped", "!word_valid_q || room", "1'b0 || room",
        "a beat less is read ahead of a reader that stops, and the slice's two beats last until the next one is read",
    ),
    *counters("qun_resize_nearest", "write_group_q == GroupBits'(Groups - 1)"),
    *(Survivor("qun_fifo", "ready_q <= 1'b0", kind, original, mutated,
               "ready rises within the reset and not a cycle behind it: a writer in reset offers nothing")
      for kind, original, mutated in (
          ("constant", "1'b0", "1'b1"), ("statement dropped", "ready_q <= 1'b0;", ""),
      )),
    Survivor(
        "qun_fifo", ".write", "stuck at one", "push", "~((push) ^ (push))",
        "the place behind the newest beat is free: as four beats leave the memory for the prefetch it is never full",
    ),
    Survivor(
        "qun_fifo", ".read", "stuck at one", "read", "~((read) ^ (read))",
        _LATER,
    ),
    Survivor(
        "qun_row_repeat", "return addr_t", "operands swapped", "sum - RingWords", "RingWords - (sum)",
        "every step divides the ring, so that the sum is RingWords where it is not less",
    ),
    Survivor(
        "qun_row_repeat", "tap_valid && line_end", "operand dropped", "tap_valid && line_end", "1'b1 && line_end",
        "at the end of a line the pixel's first column has been read, so that the pixel is there already",
    ),
    *(Survivor("qun_requant_pkg", "up =", "operator", f"{value} != 0", f"{value} > 0", "no sign is left: it is masked")
      for value in ("((acc >>> (shift - 1)) & 64'sd1)", "below", "(quotient & 64'sd1)")),
    Survivor(
        "qun_requant_pkg", "up =", "operator", "acc >>> (shift - 1)", "acc >> (shift - 1)",
        "one bit of it is looked at, which lies below those that a shift fills",
    ),
    Survivor(
        "qun_requant_pkg", "return (up", "operator", "quotient != most", "quotient < most",
        "it is within the range there, so that most is the greatest",
    ),
    Survivor(
        "qun_requant_pkg", "return (quotient >= 0)", "constant", "0", "1",
        "zero is within the range, and comes not so far",
    ),
    Survivor(
        "qun_requant_pkg", "return (quotient >= 0)", "first branch always", "out_signed ? ~most : 64'sd0", "~most",
        "of an unsigned result the bits that are kept are zero, and a lower bound takes the place of what is below it",
    ),
    Survivor(
        "qun_requant_pkg", "return (quotient < 0)", "operator", "quotient < 0", "quotient <= 0",
        "zero is within the range, and comes not so far",
    ),
    Survivor(
        "qun_requant_pkg", "return (quotient < 0)", "constant", "0", "1",
        "zero is within the range, and comes not so far",
    ),
    *(Survivor("qun_maxpool2d", f"if ({name})", "condition always", name, "1'b1", _STAGE, column=11)
      for name in ("take", "pair_valid_q[0]", "row_valid_q[0]")),
    Survivor(
        "qun_maxpool2d", ".write (move", "operand dropped", "move && pair_valid_q[2] && !pair_odd_row_q[2]",
        "1'b1 && pair_valid_q[2] && !pair_odd_row_q[2]", _AGAIN,
    ),
    *(Survivor("qun_maxpool2d", where, "constant", "2", "1",
               "between two rows at least one beat of an even column passes, which leaves the row's flag in stage 1 as "
               "it is in stage 2", column=column)
      for where, column in ((".write (move && pair", 63), (".read (move && pair", 62), ("row_valid_q <=", 73))),
    Survivor(
        "qun_window_pool2d", "if (first ||", "operator", "(value ^ flip) > (held ^ flip)",
        "(value ^ flip) >= (held ^ flip)",
        "of two equal values either is the greater one",
    ),
    Survivor(
        "qun_window_pool2d", "if (valid_q[2])", "condition always", "valid_q[2]", "1'b1",
        "the taps of a window come without a pause, and what the last one does again comes behind its push",
    ),
    *(Survivor(module, f"if ({name})", "condition always", name, "1'b1", _STAGE, column=column)
      for module, name, column in (
          ("qun_window_pool2d", "valid_q[1]", 9), ("qun_window_pool2d", "tap_valid", 9),
          ("qun_global_pool2d", "take", 11), ("qun_global_pool2d", "valid_q[1]", 11),
      )),
    Survivor(
        "qun_global_pool2d", "place_q[2]", "constant", "1", "0",
        "no element 0 exists; Verilator reads the first one of those that do",
    ),
    Survivor(
        "qun_global_pool2d", ".write", "operand dropped", "move && valid_q[3]", "1'b1 && valid_q[3]", _AGAIN,
    ),
    *(Survivor("qun_resize_bilinear", where, "stuck at zero", name, f"({name}) ^ ({name})",
               "an interpolation counts its beats; it looks at tlast in an assertion alone")
      for where, name in (("rows_tlast = ", "s_axis_tlast"), (".s_axis_tlast", "rows_tlast"))),
    Survivor(
        "qun_interpolate", "next_is_new", "operator", "pair_q != PairBits'(Items - 1)", "pair_q < PairBits'(Items - 1)",
        "only the last pair is greater, and of that the first operand says the same",
    ),
    Survivor(
        "qun_interpolate", "addr[0]", "operator", "bank_q == 1'b0", "bank_q >= 1'b0",
        "an item of bank 1 and the one before it, of bank 0, are in slots of one number",
    ),
    Survivor(
        "qun_interpolate", "second_q", "operand dropped", "line_end || !second_q", "1'b0 || !second_q",
        "the last pair has the first pass alone, so that second_q is 0 there",
    ),
    Survivor(
        "qun_interpolate", "older_slot_q", "statement dropped", "older_slot_q <= 1'b0;", "",
        "it is looked at from the second item of a line on, with which it has been set",
    ),
    Survivor(
        "qun_interpolate", "read =", "operator", "level_q > fill_t'(beat_q)", "level_q != fill_t'(beat_q)",
        "a beat is read only if it has come: the level does not fall below the beat",
    ),
    Survivor(
        "qun_interpolate", "heavy_bank_q", "operand dropped", "pair_first || pair_last || second_q",
        "1'b0 || pair_last || second_q", "the first pair has the second pass alone, so that second_q is 1 there",
    ),
    Survivor(
        "qun_rom", "if (read)", "condition always", "read", "1'b1",
        "of two registers the second takes what the first has read in its own read; a single one is found", count=2,
    ),
    Survivor(
        "qun_pixel_window", "write_q <= 1'b0;", "statement dropped", "write_q <= 1'b0;", "",
        "what comes in a reset is written in the first cycle behind it, and again before it is read",
    ),
)  # fmt: skip


def why_it_lives(mutant: Mutant) -> str:
    """Return the reason why a mutant lives, or nothing."""
    return next((each.why for each in SURVIVORS if each.is_that(mutant)), "") or of_every_module(mutant)
