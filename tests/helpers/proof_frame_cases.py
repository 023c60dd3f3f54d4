"""What is proven of modules that make frames of frames, or values of values: ``tests/formal/proof_frames.sv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from helpers.faults import Fault
from helpers.proofs import Seeded, Setting

_CREDITS = {"Credits": 2}
_TABLE = {"table.mem": [(value * value + 5) % 8 for value in range(8)]}
"""What ``prove_lookup.sv`` computes, of three bits."""
_GROUP_CONSTANTS = {"constants.mem": [(3 - 2 * group) % 16 + (group - 2) % 16 * 16 for group in range(2)]}
"""What ``prove_affine.sv`` computes: a multiplier and an offset of four bits for each channel group."""


def settings(
    module: str,
    names: str,
    *rows: Sequence[int],
    constants: Mapping[str, int] | None = None,
    memories: Mapping[str, Sequence[int]] | None = None,
    slow: bool = False,
) -> tuple[Setting, ...]:
    """Return settings of a module, a row of values each, in the order of the parameters' names."""
    return tuple(
        Setting(
            module, dict(zip(names.split(), row, strict=True)), constants or {}, slow=slow, memories=memories or {}
        )
        for row in rows
    )  # fmt: skip


def bounded(module: str, bound: int, **parameters: int) -> Setting:
    """Return a setting whose proof without bound takes too long: it is tried for a short time."""
    return Setting(module, parameters, seconds=20, bound=bound, slow=True)


def seeded(name: str, module: str, right: str, wrong: str, violates: str, where: Setting) -> Seeded:
    """Return a fault of a module with the property that it must violate."""
    return Seeded(Fault("proofs", name, module, right, wrong), where, violates)


_TWO = "FirstBits FirstSigned SecondBits SecondSigned"
MAXPOOL = settings("qun_maxpool2d", "Height Width Bits", (2, 2, 2), (4, 2, 1), (2, 4, 1))
MAXPOOL_SLOW = settings("qun_maxpool2d", "Height Width Bits", (4, 4, 1), slow=True)
WINDOW_POOL = settings("qun_window_pool2d", "Height Width KernelH RingPixels", (1, 2, 1, 2), constants=_CREDITS)
GLOBAL_POOL = settings("qun_global_pool2d", "Height Width Sum OutBits", (1, 2, 0, 1), (2, 2, 1, 3))
NEAREST = settings("qun_resize_nearest", "Height Width Bits RowFactor ColumnFactor", (1, 2, 1, 2, 2), (1, 2, 1, 1, 2))
INTERPOLATE = bounded("qun_interpolate", 14, Items=2, Beats=1, Bits=1)
BILINEAR = bounded("qun_resize_bilinear", 14, Height=1, Width=2, Bits=1, RowFactor=1, OutBits=3)
DEPTH_TO_SPACE = bounded("qun_depth_to_space", 14, Height=1, Width=2, Bits=1)
POINTS = settings("qun_sliding_window", "Height Width Kernel", (2, 2, 1))
SLIDING = bounded("qun_sliding_window", 16, Height=1, Width=2)
WINDOW = settings("qun_window", "Height Width KernelH RingPixels", (1, 2, 1, 2), (2, 2, 2, 4))
PIXELS = settings("qun_pixel_window", "Height Width", (1, 2))
PIXEL_ROWS = bounded("qun_pixel_window", 16, Height=2, Width=2)
CROP = settings("qun_crop", "Height Width Groups Bits Top Left", (3, 3, 1, 1, 1, 1), (2, 3, 2, 1, 0, 0))
PAD = settings(
    "qun_pad", "Height Width Bits Top Left Bottom", (1, 1, 1, 1, 0, 1), (1, 1, 1, 0, 1, 1), (1, 2, 1, 1, 1, 0)
)
ARGMAX = settings("qun_argmax", "Channels Pixels Signed", (3, 1, 0), (2, 2, 1))
AREA = settings("qun_smallest_area", "Pixels Area", (2, 1), (3, 2), (4, 2))
CHECK = settings("qun_frame_check", "Beats", (1,), (2,), (4,))
ADD = settings(
    "qun_add", f"{_TWO} FirstGain SecondGain SecondShift Shift OutBits OutSigned",
    (2, 0, 3, 0, 1, 1, 0, 0, 3, 0), (3, 1, 2, 0, 1, -1, 0, 1, 2, 1), (2, 0, 3, 1, 3, 1, 2, 2, 2, 0),
)  # fmt: skip
MAXIMUM = settings("qun_maximum", "Bits Signed", (2, 0), (3, 1))
MULTIPLY = settings("qun_multiply", f"Groups {_TWO} OutBits", (1, 2, 1, 2, 0, 4), (2, 2, 0, 2, 1, 4))
LOOKUP = settings("qun_lookup", "InBits OutBits", (3, 3), memories=_TABLE)
AFFINE = settings("qun_affine", "Groups Shift OutBits", (2, 1, 3), memories=_GROUP_CONSTANTS)
BYTES_TO_BEATS = settings("qun_byte_beats", "Lanes Bits", (1, 9), (2, 3))
VALUES_TO_BYTES = settings("qun_value_bytes", "Lanes Bits Signed", (1, 9, 1), (2, 3, 0))
MASK = settings("qun_mask_bytes", "Pixels Signed Below", (9, 0, 0), (3, 1, 1))

FRAME_SETTINGS: tuple[Setting, ...] = (
    *MAXPOOL, *MAXPOOL_SLOW, *WINDOW_POOL, *GLOBAL_POOL, *NEAREST, INTERPOLATE, BILINEAR, DEPTH_TO_SPACE,
    *POINTS, SLIDING, *WINDOW, *PIXELS, PIXEL_ROWS, *CROP, *PAD, *ARGMAX, *AREA, *CHECK,
    *ADD, *MAXIMUM, *MULTIPLY, *LOOKUP, *AFFINE, *BYTES_TO_BEATS, *VALUES_TO_BYTES, *MASK,
)  # fmt: skip

FRAME_FAULTS: tuple[Seeded, ...] = (
    seeded("the least of a window", "qun_maxpool2d", "((lane_a ^ flip) > (lane_b ^ flip))",
           "((lane_a ^ flip) < (lane_b ^ flip))", "greatest_of_window", MAXPOOL[0]),
    seeded("the columns' memory is written while it is read", "qun_maxpool2d", ".write      (take && !odd_column_q)",
           ".write      (take)", "no_collision", MAXPOOL[0]),
    seeded("a row's beat outlives a reset of one cycle", "qun_maxpool2d", "    if (!rst_n) begin\n      row_valid_q",
           "    if (1'b0) begin\n      row_valid_q", "none_invented", MAXPOOL[0]),
    seeded("a window begins with the one before", "qun_window_pool2d", "else if (first || (value ^ flip)",
           "else if ((value ^ flip)", "sum_or_greatest_of_window", WINDOW_POOL[0]),
    seeded("an image goes on with the one before", "qun_global_pool2d", "'{pixel_q == '0, last_pixel",
           "'{1'b0, last_pixel", "sum_or_greatest_of_window", GLOBAL_POOL[1]),
    seeded("a pixel is repeated in place of the next one", "qun_resize_nearest", "pixel_addr_q <= next_of(addr_q);",
           "pixel_addr_q <= addr_q;", "right_beat", NEAREST[0]),
    seeded("the nearer item is taken twice alone", "qun_interpolate", "other + one + (one << 1)",
           "other + (one << 1)", "right_sum", INTERPOLATE),
    seeded("the nearer item is taken twice alone", "qun_interpolate", "other + one + (one << 1)",
           "other + (one << 1)", "right_sum", BILINEAR),
    seeded("the row is never full", "qun_depth_to_space", "assign s_axis_tready = fill_q != FillBits'(Depth);",
           "assign s_axis_tready = 1'b1;", "fill_in_range", DEPTH_TO_SPACE),
    seeded("the ring is never full", "qun_sliding_window", "assign s_axis_tready = fill_q != fill_t'(FillMax);",
           "assign s_axis_tready = 1'b1;", "fill_in_range", POINTS[0]),
    seeded("the left side is not zero", "qun_sliding_window", "(kx_q == 2'd0 && x_q == '0)",
           "1'b0", "zero_outside", SLIDING),
    seeded("a kernel row begins where the one before ended", "qun_window", "wrap_add(row_addr_q, NextRow)",
           "wrap_add(row_addr_q, 1)", "right_word", WINDOW[1]),
    seeded("the right side is not zero", "qun_pixel_window", "middle_place_q.last ? '0 : fetched[ky]",
           "fetched[ky]", "right_pixel", PIXELS[0]),
    seeded("what is dropped leaves", "qun_crop", ".s_valid(s_axis_tvalid && keep)", ".s_valid(s_axis_tvalid)",
           "right_beat", CROP[0]),
    seeded("the padding does not wait for its frame", "qun_pad", "(begun_q && !real_beat)", "!real_beat",
           "none_invented", PAD[0]),
    seeded("the last of equals", "qun_argmax", "(first.value < second.value)", "(first.value <= second.value)",
           "first_of_greatest", ARGMAX[0]),
    seeded("the last pixel is not counted", "qun_smallest_area", ".s_data (missing == '0)",
           ".s_data (missing_q == '0)", "kept_if_large", AREA[1]),
    seeded("a last beat that came twice is a frame", "qun_frame_check",
           "assign again = s_axis_tlast && beat_q == '0 && !final_beat;", "assign again = 1'b0;",
           "rest_is_dropped", CHECK[1]),
    seeded("the sign is forgotten", "qun_add", "automatic logic first_sign = FirstSigned && first_raw[FirstBits-1];",
           "automatic logic first_sign = 1'b0;", "not_too_high", ADD[1]),
    seeded("a difference is a sum", "qun_add", "(gain == -1) ? -scaled", "(gain == -1) ? scaled",
           "not_too_high", ADD[1]),
    seeded("the lesser of both", "qun_maximum", "? second : first", "? first : second",
           "greater_of_both", MAXIMUM[0]),
    seeded("a gate is taken with each group", "qun_multiply", "s_axis_first_tvalid && group_last",
           "s_axis_first_tvalid", "taken_together", MULTIPLY[1]),
    seeded("the table is read while its word waits", "qun_lookup", ".read  (move && s_axis_tvalid)",
           ".read  (s_axis_tvalid)", "entry_of_value", LOOKUP[0]),
    seeded("the offset is forgotten", "qun_affine", "products[lane] + SumBits'(product_offsets[lane])",
           "products[lane]", "not_too_high", AFFINE[0]),
    seeded("bytes in the other order", "qun_byte_beats", "({s_data, bytes_q} >> 8)", "({bytes_q, s_data})",
           "right_value", BYTES_TO_BEATS[0]),
    seeded("the sign is not extended", "qun_value_bytes", "{{Rest{Signed && s_axis_tdata[lane*Bits+Bits-1]}},",
           "{{Rest{1'b0}},", "right_byte", VALUES_TO_BYTES[0]),
    seeded("a frame begins within a byte", "qun_mask_bytes", "s_axis_tlast ? '0 : place_q + 1'b1",
           "place_q + 1'b1", "right_bits", MASK[1]),
)  # fmt: skip
