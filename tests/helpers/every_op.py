"""The cases of every op that has a bench of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from helpers import op_cases
from helpers.benches.cases import Case
from helpers.matrix_cases import (
    CONV2D,
    CONV2D_CONSTANT,
    CONV_TRANSPOSE2D,
    DEEP,
    FOLDED,
    WINDOW_CONV2D,
    cases_of,
)

OPS: dict[str, Callable[[], Sequence[Case]]] = {
    "add": op_cases.add_cases,
    "affine": op_cases.affine_cases,
    "argmax": op_cases.argmax_cases,
    "concat": op_cases.concat_cases,
    "conv2d": lambda: cases_of(CONV2D + FOLDED + DEEP),
    "conv2d_constant": lambda: cases_of(CONV2D_CONSTANT),
    "conv_transpose2d": lambda: cases_of(CONV_TRANSPOSE2D),
    "crop": op_cases.crop_cases,
    "depth_to_space": op_cases.depth_to_space_cases,
    "depthwise_conv2d": op_cases.depthwise_conv2d_cases,
    "fifo": op_cases.fifo_cases,
    "fork": op_cases.fork_cases,
    "global_pool2d": op_cases.global_pool2d_cases,
    "lookup": op_cases.lookup_cases,
    "maximum": op_cases.maximum_cases,
    "maxpool2d": op_cases.maxpool2d_cases,
    "multiply": op_cases.multiply_cases,
    "pad": op_cases.pad_cases,
    "requant": op_cases.requant_cases,
    "resize_bilinear": op_cases.resize_bilinear_cases,
    "resize_nearest": op_cases.resize_nearest_cases,
    "smallest_area": op_cases.smallest_area_cases,
    "width_adapter": op_cases.width_adapter_cases,
    "window_conv2d": lambda: cases_of(WINDOW_CONV2D),
    "window_pool2d": op_cases.window_pool2d_cases,
}
