"""Which benches run on the mutants of which module: small ones first, then the corners of the module's own test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from helpers import axi_lite_status, capacity, frame_plans, op_cases, reset_cases, reset_sync, serial_device
from helpers.benches.cases import Case
from helpers.matrix_cases import (
    CONV2D,
    CONV2D_CONSTANT,
    CONV_TRANSPOSE2D,
    DEEP,
    FOLDED,
    WINDOW_CONV2D,
    Layer,
    case_of,
    cases_of,
    extremes,
    pairs,
    widest_pairs,
)
from helpers.mutants.bench import Bench, of_cases
from helpers.rtl import Design
from helpers.serial_device import Shape
from helpers.serial_parts import PARTS, Part, names_of

from quantunet.ir import QType

_LONG = 1000
"""Cycles of a frame from which on a case is simulated apart."""


def is_small(name: str) -> bool:
    """Return whether a bench is one of those that are quick to build and to run."""
    return not name.startswith(("corners ", "long ", "capacity ", "serial "))


def _some(op: str, *places: int) -> Bench:
    """Return some cases of an op; all of them without places."""

    def cases() -> list[Case]:
        every: list[Case] = getattr(op_cases, f"{op}_cases")()
        return [every[place] for place in places] if places else every

    return of_cases(op, cases)


def _matrix(op: str, layers: Sequence[Layer], *, long: bool = False) -> Bench:
    """Return the corners of a matrix op, those that take long apart: with them all others would wait."""

    def cases() -> list[Case]:
        every = cases_of(layers)
        return [case for case in every if case.cycles and (case.cycles.predicted > _LONG) == long]

    return of_cases(op, cases)


def _capacity(op: str, cases: Callable[[], Sequence[Case]]) -> Bench:
    """Return the bench of what an op holds while its reader waits."""
    plain = of_cases(op, lambda: [case for case in cases() if capacity.shows(case)])

    def design(library: Path, work: Path) -> Design:
        found = plain.design(library, work)
        capacity.write_plan(plain.cases(), work)
        return found

    return Bench(capacity.BENCH, design, plain.cases)


def _deep_resets(library: Path, work: Path) -> Design:
    """Return a convolution with a deep table of weights that is reset in mid frame again and again."""
    return reset_cases.of_cases([case_of(DEEP[0], 0)], work, most=100, rtl_folder=library)


def _frames(beats: int, library: Path, work: Path) -> Design:
    return frame_plans.module(work, library, beats)


def _serial(shape: Shape) -> Bench:
    """Return the bench of a serial device."""

    def design(library: Path, work: Path) -> Design:
        return serial_device.design(shape, work, library)

    return Bench(serial_device.BENCH, design)


def _part(part: Part, library: Path, work: Path) -> Design:
    return part.design(work, library)


BENCHES: dict[str, Bench] = {
    "fork": _some("fork", 0, 1),
    "fifo": _some("fifo", 0, 1, 2, 3),
    "width_adapter": _some("width_adapter", 0, 1, 4),
    "concat": _some("concat", 1, 2),
    "requant": _some("requant", 0, 2, 4, 6),
    "add": _some("add", 2, 4),
    "affine": _some("affine", 0, 3, 4, 7),
    "maximum": _some("maximum", 0, 1),
    "multiply": _some("multiply", 0, 1),
    "argmax": _some("argmax", 0, 2),
    "smallest_area": _some("smallest_area", 0, 1, 2, 4),
    "lookup": _some("lookup", 1, 2),
    "pad": _some("pad", 0, 1),
    "crop": _some("crop", 0, 1),
    "maxpool2d": _some("maxpool2d", 1, 2),
    "window_pool2d": _some("window_pool2d", 0, 2, 5),
    "global_pool2d": _some("global_pool2d", 0, 1, 5),
    "resize_nearest": _some("resize_nearest", 0, 1),
    "resize_bilinear": _some("resize_bilinear", 0, 1),
    "depth_to_space": _some("depth_to_space", 0, 1),
    "depthwise_conv2d": _some("depthwise_conv2d", 0, 2),
    "conv2d": of_cases("conv2d", lambda: [case_of(CONV2D[place], place) for place in (1, 8, 14)]),
    "conv2d_constant": of_cases("conv2d", lambda: [case_of(CONV2D_CONSTANT[place], place) for place in (8, 10)]),
    "conv_transpose2d": of_cases(
        "conv_transpose2d", lambda: [case_of(CONV_TRANSPOSE2D[place], place) for place in (2, 7)]
    ),
    "window_conv2d": of_cases("window_conv2d", lambda: [case_of(WINDOW_CONV2D[place], place) for place in (10, 14)]),
    "pair_products": of_cases(
        "conv2d", lambda: [case for case in [extremes(QType(4, True, 0), 4, 4, 4, "folded-dsp")] if pairs(case)]
    ),
    "folded": _matrix("conv2d", FOLDED),
    "widest_pairs": of_cases("conv2d", widest_pairs),
    "corners fork": _some("fork"),
    "corners fifo": _some("fifo", 0, 1, 2, 3, 4, 5),
    "long resize_nearest": _some("resize_nearest", 8),
    "corners width_adapter": _some("width_adapter"),
    "corners concat": _some("concat"),
    "corners requant": _some("requant"),
    "corners add": _some("add"),
    "corners affine": _some("affine"),
    "corners maximum": _some("maximum"),
    "corners multiply": _some("multiply"),
    "corners argmax": _some("argmax"),
    "corners smallest_area": _some("smallest_area"),
    "corners lookup": _some("lookup"),
    "corners pad": _some("pad"),
    "corners crop": _some("crop"),
    "corners maxpool2d": _some("maxpool2d"),
    "corners window_pool2d": _some("window_pool2d"),
    "corners global_pool2d": _some("global_pool2d"),
    "corners resize_nearest": _some("resize_nearest", 0, 1, 2, 3, 4, 5, 6, 7),
    "corners resize_bilinear": _some("resize_bilinear"),
    "corners depth_to_space": _some("depth_to_space"),
    "corners depthwise_conv2d": _some("depthwise_conv2d"),
    "corners conv2d": _matrix("conv2d", CONV2D),
    "long conv2d": _matrix("conv2d", CONV2D, long=True),
    "long resets conv2d": Bench(reset_cases.BENCH, _deep_resets),
    "corners conv2d_constant": _matrix("conv2d", CONV2D_CONSTANT),
    "corners conv_transpose2d": _matrix("conv_transpose2d", CONV_TRANSPOSE2D),
    "long conv_transpose2d": _matrix("conv_transpose2d", CONV_TRANSPOSE2D, long=True),
    "corners window_conv2d": _matrix("window_conv2d", WINDOW_CONV2D),
    "capacity window_pool2d": _capacity("window_pool2d", op_cases.window_pool2d_cases),
    "capacity resize_nearest": _capacity("resize_nearest", lambda: op_cases.resize_nearest_cases()[:-1]),
    "capacity depth_to_space": _capacity("depth_to_space", op_cases.depth_to_space_cases),
    "capacity conv2d_constant": _capacity(
        "conv2d", lambda: cases_of(CONV2D_CONSTANT)
    ),
    "status": Bench(
        axi_lite_status.BENCH,
        lambda library, work: axi_lite_status.design(work, library),
        tests=axi_lite_status.REGULAR,
    ),
    **{
        name: Bench(frame_plans.BENCH, partial(_frames, beats))
        for name, beats in (("frames", 5), ("frames of one", 1), ("frames of six", 6))
    },
    "reset": Bench(reset_sync.BENCH, lambda library, work: reset_sync.design(library)),
    **{name: Bench(part.scenarios, partial(_part, part)) for name, part in PARTS.items()},
    "serial short": _serial(serial_device.SHORT),
    "serial short values": _serial(serial_device.SHORT_VALUES),
    "corners serial": _serial(serial_device.SHAPES[0]),
    "corners serial below": _serial(serial_device.SHAPES[1]),
    "corners serial values": _serial(serial_device.SHAPES[2]),
}  # fmt: skip
"""What runs on mutants, by name. Rows that begin with "corners" or "long" are the cases of the op's own test."""


def _own(name: str, *more: str) -> tuple[str, ...]:
    return (name, f"corners {name}", *more)


MODULES: dict[str, tuple[str, ...]] = {
    "qun_register_slice": _own("fork", "requant"),
    "qun_fork": _own("fork"),
    "qun_fifo": _own("fifo"),
    "qun_width_adapter": _own("width_adapter"),
    "qun_concat": _own("concat"),
    "qun_row_repeat": _own("conv_transpose2d", "long conv_transpose2d"),
    "qun_credit_fifo": _own("window_pool2d", "conv2d", "capacity window_pool2d"),
    "qun_requant": _own("requant"),
    "qun_requant_pkg": (*_own("requant"), *_own("affine"), *_own("add")),
    "qun_maxpool2d": _own("maxpool2d"),
    "qun_window_pool2d": _own("window_pool2d"),
    "qun_global_pool2d": _own("global_pool2d"),
    "qun_resize_nearest": _own("resize_nearest", "capacity resize_nearest"),
    "qun_resize_bilinear": _own("resize_bilinear"),
    "qun_interpolate": _own("resize_bilinear"),
    "qun_window": (*_own("window_conv2d"), *_own("window_pool2d")),
    "qun_sliding_window": _own("conv2d", "long conv2d"),
    "qun_pixel_window": _own("conv2d_constant", "capacity conv2d_constant"),
    "qun_matrix_vector": ("conv2d", "pair_products", "folded", "long conv2d", "corners conv2d", "long resets conv2d"),
    "qun_lane_products": _own("conv2d", "long conv2d"),
    "qun_pair_products": ("pair_products", "widest_pairs"),
    "qun_conv2d": _own("conv2d"),
    "qun_conv2d_constant": _own("conv2d_constant"),
    "qun_conv_transpose2d": _own("conv_transpose2d"),
    "qun_window_conv2d": _own("window_conv2d"),
    "qun_depthwise_conv2d": _own("depthwise_conv2d"),
    "qun_add": _own("add"),
    "qun_lookup": _own("lookup"),
    "qun_affine": _own("affine"),
    "qun_maximum": _own("maximum"),
    "qun_multiply": _own("multiply"),
    "qun_argmax": _own("argmax"),
    "qun_smallest_area": _own("smallest_area"),
    "qun_pad": _own("pad"),
    "qun_crop": _own("crop"),
    "qun_rectangle": (*_own("crop"), *_own("pad")),
    "qun_depth_to_space": _own("depth_to_space", "capacity depth_to_space"),
    "qun_stride_address": _own("depth_to_space"),
    "qun_ram": ("maxpool2d", "corners fifo", "long resize_nearest"),
    "qun_banked_ram": ("corners fifo",),
    "qun_rom": _own("lookup", "corners conv2d", "long conv2d"),
    "qun_axi_lite_status": ("status",),
    "qun_frame_check": ("frames", "frames of one", "frames of six"),
    "qun_reset_sync": ("reset",),
    "qun_uart_rx": (*names_of("qun_uart_rx"), "serial short", "corners serial"),
    "qun_uart_tx": (*names_of("qun_uart_tx"), "serial short", "corners serial"),
    "qun_serial_deframer": (*names_of("qun_serial_deframer"), "serial short", "serial short values"),
    "qun_serial_framer": (*names_of("qun_serial_framer"), "serial short", "serial short values"),
    "qun_serial_reply": (*names_of("qun_serial_reply"), "serial short", "serial short values"),
    "qun_block_buffer": (*names_of("qun_block_buffer"), "serial short", "serial short values"),
    "qun_picture_feeder": (*names_of("qun_picture_feeder"), "serial short", "serial short values"),
    "qun_crc32_pkg": ("serial short",),
    "qun_byte_beats": (*names_of("qun_byte_beats"), "serial short", "serial short values", "corners serial values"),
    "qun_mask_bytes": (*names_of("qun_mask_bytes"), "serial short", "corners serial below"),
    "qun_value_bytes": (*names_of("qun_value_bytes"), "serial short values",),
    "qun_serial_device": ("serial short", "serial short values"),
}  # fmt: skip
"""The benches of each module, in the order in which they are tried until one finds a mutant."""

LEFT: dict[str, str] = {
    "qun_device_pkg": "constants alone",
    "qun_serial_pkg": "constants alone",
}
"""Modules without mutants, and why."""
