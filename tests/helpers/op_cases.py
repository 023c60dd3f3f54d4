"""The cases that the benches of the small modules run: shapes, lanes, widths and signs that differ from one another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from helpers.benches.cases import Case, layer_case, plumbing_case

from quantunet.golden.ops.smallest_area import smallest_area
from quantunet.hls.design import Fold, Stream, Style
from quantunet.hls.modules import fifo, fork, width_adapter
from quantunet.ir import MASK_TYPE, IntArray, QType, Tensor
from quantunet.random_network import GraphBuilder

_EDGES = {0: (1, 7), 1: (6, 1)}
"""Height and width of the first two cases behind those that all have one shape: a row and a column."""


def maxpool2d_cases() -> list[Case]:
    """Height, width, channels, lanes, bits, signed; the smallest image, one row of windows, one group and several."""
    cases = []
    for seed, (height, width, channels, lanes, bits, signed) in enumerate(
        [
            (2, 2, 1, 1, 8, False),
            (4, 6, 3, 3, 2, True),
            (6, 4, 4, 1, 5, True),
            (4, 8, 6, 2, 3, False),
            (2, 10, 2, 1, 7, True),
            (4, 4, 2, 2, 1, True),
            (2, 6, 3, 1, 1, False),
            (4, 2, 2, 1, 16, True),
            (2, 4, 4, 2, 12, False),
        ]
    ):
        builder = GraphBuilder("net", height, width, channels, QType(bits, signed, 0), seed)
        builder.maxpool2d("pool", "image")
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


_Geometry = tuple[tuple[int, int, int], tuple[int, int], tuple[int, int], int, QType]
"""Shape, kernel, stride, lanes, type."""


def _pool_cases(kind: str, geometries: Sequence[_Geometry]) -> list[Case]:
    cases = []
    for seed, (shape, kernel, stride, lanes, qtype) in enumerate(geometries):
        builder = GraphBuilder("net", *shape, qtype, seed)
        (builder.maxpool2d if kind == "max" else builder.sumpool2d)("pool", "image", kernel, stride)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def window_pool2d_cases() -> list[Case]:
    """Maxima and sums: windows that overlap, touch and leave gaps, odd sizes, a row, a column, one lane and several."""
    maxima: list[_Geometry] = [
        ((5, 7, 4), (3, 3), (2, 2), 2, QType(4, True, 0)),
        ((4, 5, 3), (3, 3), (1, 1), 3, QType(8, False, 0)),
        ((5, 7, 2), (2, 2), (2, 2), 1, QType(3, True, 0)),
        ((1, 30, 2), (1, 2), (1, 1), 1, QType(1, False, 0)),  # more beats than credits while its reader waits
    ]
    sums: list[_Geometry] = [
        ((6, 8, 4), (2, 2), (2, 2), 2, QType(8, False, 8)),
        ((5, 6, 2), (3, 3), (1, 1), 1, QType(5, True, 0)),
        ((1, 9, 4), (1, 2), (1, 2), 4, QType(1, True, 0)),
        ((7, 4, 3), (3, 1), (2, 3), 3, QType(1, True, 0)),
        ((6, 1, 2), (2, 1), (1, 1), 2, QType(16, True, 0)),
        ((4, 9, 6), (1, 1), (2, 4), 2, QType(16, False, 0)),
        ((9, 9, 1), (5, 4), (1, 5), 1, QType(4, False, 0)),
    ]
    return _pool_cases("max", maxima) + _pool_cases("sum", sums)


def global_pool2d_cases() -> list[Case]:
    """Maxima and sums, with channel groups in a register, in several, and in a memory; an image of one pixel."""
    maxima: list[_Geometry] = [
        ((3, 4, 6), (3, 4), (1, 1), 6, QType(4, True, 0)),
        ((3, 3, 3), (3, 3), (2, 2), 1, QType(16, True, 0)),
        ((3, 2, 8), (3, 2), (1, 1), 2, QType(5, False, 0)),
    ]
    sums: list[_Geometry] = [
        ((2, 3, 4), (2, 3), (2, 2), 2, QType(8, False, 0)),
        ((3, 3, 3), (3, 3), (1, 1), 1, QType(16, True, 0)),
        ((3, 2, 8), (3, 2), (1, 1), 2, QType(5, True, 0)),
        ((1, 7, 5), (1, 7), (1, 1), 1, QType(1, False, 0)),
        ((1, 1, 4), (1, 1), (1, 1), 2, QType(3, True, 0)),
        ((5, 1, 2), (5, 1), (1, 1), 1, QType(1, True, 0)),
        ((3, 1, 4), (3, 1), (1, 1), 2, QType(4, False, 0)),
        ((2, 2, 2), (2, 2), (1, 1), 2, QType(12, False, 0)),
    ]
    return _pool_cases("max", maxima) + _pool_cases("sum", sums)


def depthwise_conv2d_cases() -> list[Case]:
    """Kernels, strides and dilations of any kind, a row and a column, both styles, signs, narrow and wide types."""
    cases = []
    layers: list[tuple[_Geometry, tuple[int, int], int, QType, Style]] = [
        (((6, 7, 4), (3, 3), (1, 1), 2, QType(4, False, 2)), (1, 1), 4, QType(4, False, 2), "folded-lut"),
        (((7, 8, 4), (3, 3), (2, 2), 4, QType(8, True, 4)), (1, 1), 8, QType(8, True, 3), "folded-dsp"),
        (((7, 6, 3), (3, 2), (1, 1), 1, QType(3, True, 1)), (2, 3), 5, QType(6, True, 2), "folded-lut"),
        (((1, 9, 2), (1, 5), (1, 3), 2, QType(16, True, 8)), (1, 1), 16, QType(16, True, 4), "folded-lut"),
        (((8, 1, 6), (3, 1), (1, 1), 3, QType(1, False, 0)), (1, 1), 2, QType(3, True, 0), "folded-lut"),
        (((5, 5, 4), (1, 1), (2, 2), 2, QType(16, False, 8)), (1, 1), 16, QType(16, False, 9), "folded-dsp"),
        (((4, 4, 2), (4, 4), (1, 1), 1, QType(2, True, 0)), (1, 1), 3, QType(1, True, 0), "folded-lut"),
        (((3, 4, 2), (2, 1), (1, 1), 1, QType(7, False, 0)), (1, 1), 3, QType(1, False, -4), "folded-dsp"),
        (((3, 3, 2), (2, 2), (1, 1), 2, QType(1, True, 0)), (1, 1), 3, QType(7, False, 0), "folded-lut"),
    ]
    for seed, ((shape, kernel, stride, lanes, source), dilation, bits_w, target, style) in enumerate(layers):
        builder = GraphBuilder("net", *shape, source, seed)
        builder.depthwise_conv2d("layer", "image", kernel, bits_w, target, stride, dilation)
        case = layer_case(builder.build(), Fold(lanes, lanes, style), seed=seed)
        assert len(np.unique(case.frames["layer_out"])) > 1, f"{seed}: the output is constant"
        cases.append(case)
    return cases


def requant_cases() -> list[Case]:
    """Right, left and no shift; every pair of signs; shifts as wide as the input and wider."""
    types = [
        (QType(8, False, 6), QType(4, False, 3)),
        (QType(8, True, 6), QType(4, True, 3)),
        (QType(6, True, 4), QType(5, False, 2)),
        (QType(5, False, 3), QType(5, True, 2)),
        (QType(3, True, 1), QType(8, True, 4)),
        (QType(4, False, 2), QType(4, True, 5)),
        (QType(7, True, 5), QType(2, True, 5)),
        (QType(2, True, 4), QType(8, True, -2)),
        (QType(8, True, 9), QType(3, True, 1)),
        (QType(1, False, 1), QType(2, True, 0)),
        (QType(16, True, 8), QType(16, True, 7)),
        (QType(40, True, 30), QType(9, True, 3)),
        (QType(1, True, 1), QType(1, True, 0)),
        (QType(12, False, 6), QType(1, False, 0)),
        (QType(16, False, 8), QType(12, False, 5)),
    ]
    cases = []
    for seed, (source, target) in enumerate(types):
        channels, lanes = ((4, 2), (3, 1), (5, 5))[seed % 3]
        builder = GraphBuilder("net", *_EDGES.get(seed - 12, (5, 4)), channels, source, seed)
        builder.requant("requant", "image", target)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def concat_cases() -> list[Case]:
    """Skip channels, up channels, lanes, type; equal legs, a short one on either side, one beat a leg."""
    cases = []
    for seed, (skip, up, lanes, qtype) in enumerate(
        [
            (4, 4, 2, QType(4, True, 2)),
            (6, 2, 2, QType(3, False, 0)),
            (1, 3, 1, QType(8, True, 4)),
            (3, 3, 3, QType(2, True, 0)),
            (2, 4, 1, QType(1, True, 0)),
            (4, 2, 1, QType(1, False, 0)),
            (4, 4, 2, QType(6, False, 0)),
            (2, 2, 2, QType(16, True, 0)),
            (2, 6, 2, QType(12, False, 0)),
            (2, 1, 1, QType(5, False, 1)),  # three beats of a pixel: their count does not wrap by itself
        ]
    ):
        shape = _EDGES.get(seed - 4, (3, 5))
        builder = GraphBuilder("net", *shape, skip, qtype, seed)
        builder.tensors.append(Tensor("up", (*shape, up), qtype))
        builder.concat("concat", "image", "up")
        cases.append(layer_case(builder.build(("image", "up")), Fold(lanes, lanes), seed=seed))
    return cases


def add_cases() -> list[Case]:
    """One scale and several, right and left shifts, every pair of signs, ties, saturation, one lane and several.

    Differences and other weights, and a wide output that holds every sum.
    """
    cases = []
    for seed, (first, second, target, gains) in enumerate(
        [
            (QType(4, True, 2), QType(4, True, 2), QType(4, True, 2), (1, 1)),
            (QType(4, True, 2), QType(4, True, 2), QType(5, True, 2), (1, 1)),
            (QType(3, False, 1), QType(5, True, 3), QType(4, True, 1), (1, 1)),
            (QType(6, True, 4), QType(2, False, 0), QType(3, False, 1), (1, 1)),
            (QType(8, False, 8), QType(8, True, 5), QType(6, True, 6), (1, 1)),
            (QType(1, False, 0), QType(1, True, 0), QType(2, True, 3), (1, 1)),
            (QType(16, True, 12), QType(16, False, -4), QType(16, True, 2), (1, 1)),
            (QType(5, True, 2), QType(4, False, 3), QType(5, True, 2), (1, -1)),
            (QType(16, True, 0), QType(7, False, 3), QType(31, True, 3), (-1000, 3)),
            (QType(4, False, 2), QType(6, False, 3), QType(6, False, 2), (1, 1)),
            (QType(3, True, 1), QType(3, True, 1), QType(1, True, -1), (1, 1)),
            (QType(3, False, 1), QType(3, True, 1), QType(1, False, -1), (1, 1)),
            (QType(12, False, 4), QType(12, False, 4), QType(13, False, 4), (1, 1)),
            (QType(4, True, 2), QType(4, True, 2), QType(6, True, 2), (2, 1)),
            (QType(4, True, 2), QType(4, True, 2), QType(6, True, 2), (1, -2)),
        ]
    ):
        channels, lanes = ((4, 2), (3, 1), (5, 5))[seed % 3]
        shape = _EDGES.get(seed - 9, (3, 5))
        builder = GraphBuilder("net", *shape, channels, first, seed)
        builder.tensors.append(Tensor("other", (*shape, channels), second))
        builder.add("add", "image", "other", target, gains)
        cases.append(layer_case(builder.build(("image", "other")), Fold(lanes, lanes), seed=seed))
    return cases


def maximum_cases() -> list[Case]:
    """Signed and unsigned, one bit to sixteen, one lane and several; one pixel high and one pixel wide."""
    cases = []
    for seed, (shape, lanes, qtype) in enumerate(
        [
            ((3, 5, 4), 2, QType(4, True, 2)),
            ((1, 7, 3), 1, QType(5, False, 0)),
            ((7, 1, 5), 5, QType(1, True, 0)),
            ((3, 3, 2), 2, QType(16, True, 8)),
            ((3, 4, 2), 1, QType(1, False, 0)),
            ((4, 3, 3), 3, QType(3, False, 0)),
            ((2, 5, 4), 2, QType(7, True, 0)),
            ((5, 2, 2), 1, QType(12, False, 0)),
        ]
    ):
        builder = GraphBuilder("net", *shape, qtype, seed)
        builder.tensors.append(Tensor("other", shape, qtype))
        builder.maximum("maximum", "image", "other")
        cases.append(layer_case(builder.build(("image", "other")), Fold(lanes, lanes), seed=seed))
    return cases


def multiply_cases() -> list[Case]:
    """Gates and whole tensors, every pair of signs, one group of a pixel and several, the widest product."""
    cases = []
    for seed, (shape, lanes, first, second, channels) in enumerate(
        [
            ((3, 5, 6), 2, QType(4, True, 2), QType(3, False, 3), 1),
            ((5, 3, 4), 2, QType(4, False, 2), QType(5, True, 2), 4),
            ((1, 7, 3), 3, QType(8, False, 2), QType(8, False, 8), 1),
            ((7, 1, 5), 1, QType(1, True, 0), QType(6, True, 8), 1),
            ((3, 3, 1), 1, QType(16, True, 2), QType(16, True, 8), 1),
            ((2, 3, 4), 4, QType(16, False, 2), QType(16, False, 8), 4),
            ((3, 3, 2), 1, QType(16, False, 2), QType(1, True, 0), 2),
            ((2, 3, 4), 1, QType(3, True, 2), QType(4, True, 2), 1),
        ]
    ):
        builder = GraphBuilder("net", *shape, first, seed)
        builder.tensors.append(Tensor("other", (*shape[:2], channels), second))
        builder.multiply("multiply", "image", "other")
        cases.append(layer_case(builder.build(("image", "other")), Fold(lanes, lanes), seed=seed))
    return cases


def argmax_cases() -> list[Case]:
    """Lanes of every kind: one, all, powers of two and others; few values, so that many are equal; a wider output."""
    cases = []
    for seed, (shape, simd, source, wider) in enumerate(
        [
            ((3, 5, 6), 3, QType(2, True, 2), 0),
            ((5, 3, 4), 1, QType(2, False, 2), 0),
            ((1, 7, 5), 5, QType(3, True, 2), 2),
            ((7, 1, 16), 4, QType(2, True, 0), 0),
            ((3, 3, 2), 2, QType(16, True, 2), 0),
            ((2, 3, 12), 6, QType(1, False, 2), 0),
            ((3, 2, 4), 2, QType(1, True, 2), 0),
            ((2, 4, 3), 1, QType(7, True, 2), 0),
            ((2, 4, 4), 4, QType(6, False, 2), 0),
            ((3, 3, 2), 1, QType(12, False, 2), 0),
            ((2, 3, 6), 2, QType(3, True, 0), 0),  # three groups: their count does not wrap by itself
            ((2, 2, 16), 16, QType(3, True, 0), 0),  # a tree of four levels
        ]
    ):
        builder = GraphBuilder("net", *shape, source, seed)
        builder.argmax("argmax", "image")
        last = builder.tensors[-1]
        builder.tensors[-1] = dataclasses.replace(last, qtype=QType(last.qtype.bits + wider, False, 0))
        cases.append(layer_case(builder.build(), Fold(1, simd), seed=seed))
    return cases


def smallest_area_cases() -> list[Case]:
    """Height, width, area; frames on both sides of the area, one row, one column, an area of one pixel and of all.

    Frames of as many pixels as a shallow FIFO has places at most, and of one more.
    """
    cases = []
    for seed, (height, width, area) in enumerate(
        [(4, 5, 10), (1, 2, 2), (16, 1, 8), (1, 17, 9), (9, 7, 32), (3, 3, 1), (2, 3, 6), (5, 13, 30)]
    ):
        builder = GraphBuilder("net", height, width, 1, MASK_TYPE, seed)
        builder.smallest_area("mask", "image", area)
        case = layer_case(builder.build(), Fold(1, 1), frames=5, seed=seed)
        # A frame of as few pixels as are kept, between one with a pixel less and whatever comes by chance.
        frames = case.frames["image"].reshape(5, -1)
        frames[1:3] = np.arange(height * width) < np.array([[area - 1], [area]])
        frames[1:3] = np.random.default_rng(seed).permuted(frames[1:3], axis=1)
        case.frames["mask_out"][:] = smallest_area(case.frames["image"], area)
        foreground = frames.sum(axis=1)
        assert area in foreground and area - 1 in foreground
        cases.append(case)
    return cases


def affine_cases() -> list[Case]:
    """Every part of the module with and without: branches, splits, multipliers, groups, bounds, both roundings, wraps.

    Inputs of 1 to 48 bits, outputs of 1 to 16 and a wide one; multipliers of both signs, up to the largest sums.
    """
    both = (-(1 << 47), (1 << 47) - 1)
    cases = []
    for seed, (source, target, options) in enumerate(
        [
            (QType(24, True, 8), QType(8, True, 4), {}),
            (QType(8, True, 8), QType(5, True, 4), {"branches": False, "signs": False}),
            (QType(16, False, 4), QType(4, False, 3), {"shared": True, "signs": False, "even": True}),
            (QType(20, True, 0), QType(8, False, 0), {"splits": True, "bounds": (7, 201)}),
            (QType(48, True, 12), QType(16, True, 4), {"bits": 14, "splits": True, "even": True}),
            (QType(9, True, 4), QType(3, True, 1), {"bits": 1, "branches": False}),
            (
                QType(9, True, 4),
                QType(4, True, 1),
                {"bits": 1, "shift": 2, "branches": False, "shared": True, "wraps": True},
            ),
            (QType(10, False, 4), QType(4, True, 1), {"shift": 3, "even": True, "wraps": True, "splits": True}),
            (QType(1, True, 0), QType(1, False, 0), {"bits": 3, "shift": 1}),
            (QType(12, True, 0), QType(8, True, 0), {"bounds": (-127, 127), "shared": True, "branches": False}),
            (QType(17, True, 0), QType(48, True, 0), {"bits": 34, "shift": 2, "bounds": both, "even": True}),
            (QType(11, False, 0), QType(6, True, 0), {"bounds": (0, 15), "shared": True, "signs": False, "bits": 4}),
            (QType(1, False, 0), QType(1, True, 0), {"bits": 3, "shift": 1}),
            (QType(3, True, 1), QType(12, False, 3), {"bits": 6, "splits": True}),
            (QType(4, False, 1), QType(3, True, 0), {"bits": 3, "shift": 2}),
            (QType(7, False, 2), QType(5, False, 1), {"bits": 5, "shift": 3, "even": True}),
            (QType(9, True, 4), QType(5, True, 1), {"bits": 1, "splits": True}),
            (QType(20, True, 0), QType(8, False, 0), {"splits": True, "bounds": (7, 201), "even": True}),
            (QType(12, True, 0), QType(6, True, 0), {"bounds": (0, 15), "even": True}),
            (QType(8, True, 0), QType(6, True, 0), {"groups": 4}),
            (QType(12, True, 0), QType(8, True, 0), {"bounds": (-128, 100)}),
            (QType(48, True, 12), QType(16, True, 4), {"bits": 16, "shift": 1, "even": True, "wraps": True}),  # 63 bits
        ]
    ):
        groups = options.pop("groups", None)
        channels, lanes = (groups, 1) if groups else ((4, 2), (3, 1), (5, 5))[seed % 3]
        builder = GraphBuilder("net", *_EDGES.get(seed - 12, (3, 5)), channels, source, seed)
        builder.affine("affine", "image", target, **options)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def lookup_cases() -> list[Case]:
    """Real tables of signed and unsigned inputs, and random ones in which few neighbours agree, of 1 to 16 bits."""
    cases = []
    for seed, (channels, lanes, source, target) in enumerate(
        [
            (1, 1, QType(6, True, 3), None),
            (4, 2, QType(5, False, 3), QType(8, False, 8)),
            (3, 3, QType(8, True, 4), None),
            (2, 1, QType(2, True, 0), QType(8, True, 3)),
            (2, 2, QType(12, True, 0), QType(16, True, 3)),
            (3, 1, QType(1, True, 0), QType(1, False, 0)),
            (2, 2, QType(1, False, 0), QType(1, True, 0)),
            (2, 1, QType(3, False, 0), QType(3, True, 0)),
            (4, 2, QType(9, False, 0), QType(12, False, 0)),
            (2, 2, QType(4, True, 0), QType(4, False, 0)),
        ]
    ):
        builder = GraphBuilder("net", *_EDGES.get(seed - 6, (6, 5)), channels, source, seed)
        if target is None:
            builder.sigmoid("lookup", "image")
        else:
            builder.lookup("lookup", "image", random_table(source, target, seed), target)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def random_table(source: QType, target: QType, seed: int) -> IntArray:
    """Return a table with the greatest number of different entries."""
    entries = np.resize(np.arange(target.qmin, target.qmax + 1), max(1 << source.bits, 1 << target.bits))
    return IntArray.of(np.random.default_rng(seed).permutation(entries)[: 1 << source.bits])


def pad_cases() -> list[Case]:
    """Height, width, channels, lanes, bits, signed, sides, value; one pixel, one row, one column, single sides, all."""
    cases = []
    for seed, (height, width, channels, lanes, bits, signed, sides, value) in enumerate(
        [
            (3, 5, 4, 2, 5, True, (1, 1, 1, 1), -7),
            (1, 7, 3, 1, 4, False, (0, 2, 0, 1), 0),
            (4, 1, 2, 2, 3, True, (2, 0, 1, 0), 3),
            (1, 1, 2, 1, 16, True, (3, 2, 1, 4), -32768),
            (2, 3, 1, 1, 1, False, (0, 0, 0, 2), 1),
            (3, 2, 6, 3, 2, True, (1, 0, 0, 0), -1),
            (2, 3, 2, 2, 1, True, (0, 1, 1, 0), -1),
            (3, 2, 2, 1, 7, False, (1, 1, 0, 0), 100),
            (2, 2, 4, 2, 12, False, (0, 1, 0, 2), 4095),
        ]
    ):
        builder = GraphBuilder("net", height, width, channels, QType(bits, signed, 0), seed)
        builder.pad("pad", "image", sides, value)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def crop_cases() -> list[Case]:
    """Height, width, channels, lanes, bits, sides; one row, one column, single sides, one pixel left, all."""
    cases = []
    for seed, (height, width, channels, lanes, bits, sides) in enumerate(
        [
            (5, 7, 4, 2, 5, (1, 2, 1, 1)),
            (1, 9, 3, 1, 4, (0, 3, 0, 1)),
            (6, 1, 2, 2, 3, (2, 0, 1, 0)),
            (4, 5, 2, 1, 16, (2, 1, 1, 3)),
            (3, 3, 1, 1, 1, (0, 0, 2, 0)),
            (3, 4, 6, 3, 2, (0, 0, 0, 1)),
        ]
    ):
        builder = GraphBuilder("net", height, width, channels, QType(bits, seed % 2 == 0, 0), seed)
        builder.crop("crop", "image", sides)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def resize_nearest_cases() -> list[Case]:
    """Height, width, channels, lanes, bits, factor; one row, one column, one axis, unequal factors, odd sizes.

    The memory of the last is so deep that the bits beside whole columns are in one of their own.
    """
    cases = []
    for seed, (height, width, channels, lanes, bits, factor) in enumerate(
        [
            (3, 5, 4, 2, 5, (2, 2)),
            (1, 7, 3, 1, 4, (1, 2)),
            (3, 1, 2, 2, 3, (2, 1)),
            (2, 2, 2, 1, 16, (4, 4)),
            (3, 4, 1, 1, 1, (3, 1)),
            (2, 5, 6, 2, 2, (1, 3)),
            (2, 5, 2, 2, 4, (1, 3)),  # the beats behind the ring are one pixel
            (3, 1, 4, 1, 5, (2, 2)),  # a ring of two rows; four groups: their last number is not its own negative
            (2, 3, 1378, 2, 5, (2, 1)),
        ]
    ):
        builder = GraphBuilder("net", height, width, channels, QType(bits, seed % 2 == 0, 0), seed)
        builder.resize_nearest("resize", "image", factor)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def resize_bilinear_cases() -> list[Case]:
    """Height, width, channels, lanes, bits, signed, factor; one pixel, one row, one column, one axis, odd sizes."""
    cases = []
    for seed, (height, width, channels, lanes, bits, signed, factor) in enumerate(
        [
            (3, 5, 4, 2, 5, True, (2, 2)),
            (1, 7, 3, 1, 4, False, (1, 2)),
            (4, 1, 2, 2, 3, True, (2, 1)),
            (1, 1, 1, 1, 16, False, (2, 2)),
            (2, 3, 1, 1, 16, True, (2, 2)),
            (3, 2, 6, 2, 1, True, (2, 1)),
            (4, 4, 3, 3, 1, False, (2, 2)),
            (3, 3, 2, 1, 6, False, (2, 2)),
        ]
    ):
        builder = GraphBuilder("net", height, width, channels, QType(bits, signed, 0), seed)
        builder.resize_bilinear("resize", "image", factor)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def depth_to_space_cases() -> list[Case]:
    """Height, width, output channels, lanes, bits, block; in place over several rows, one row, one column, one axis."""
    cases = []
    for seed, (height, width, channels, lanes, bits, block) in enumerate(
        [
            (5, 3, 4, 2, 5, (2, 2)),
            (1, 5, 3, 1, 4, (1, 2)),
            (3, 1, 2, 2, 3, (2, 3)),
            (4, 2, 1, 1, 16, (2, 1)),
            (3, 4, 2, 1, 2, (3, 2)),
            (2, 5, 1, 1, 1, (4, 4)),
        ]
    ):
        qtype = QType(bits, seed % 2 == 0, 0)
        builder = GraphBuilder("net", height, width, channels * block[0] * block[1], qtype, seed)
        builder.depth_to_space("blocks", "image", block)
        cases.append(layer_case(builder.build(), Fold(lanes, lanes), seed=seed))
    return cases


def _streams(lanes: int, out_lanes: list[int], channels: int, bits: int, signed: bool) -> list[Stream]:
    qtype = QType(bits, signed, 0)
    names = ["x", *(f"y{index}" for index in range(len(out_lanes)))]
    return [
        Stream(name, count, qtype, (4, 5, channels)) for name, count in zip(names, [lanes, *out_lanes], strict=True)
    ]


def fork_cases() -> list[Case]:
    """Two, three and four outputs."""
    cases = []
    for seed, (outputs, lanes, bits) in enumerate([(2, 2, 3), (3, 1, 8), (4, 3, 5), (2, 1, 1), (2, 2, 16)]):
        streams = _streams(lanes, [lanes] * outputs, lanes, bits, signed=False)
        params = {"Bits": lanes * bits, "Outputs": outputs}
        cases.append(
            plumbing_case("qun_fork", params, streams, predicted=fork.cycles(params, streams[0].beats), seed=seed)
        )
    return cases


def fifo_cases() -> list[Case]:
    """The smallest, both sides of the limit between shallow and deep, depths that are no power of two, a very deep one.

    The memory of the last is in two parts, each of several banks. Every other one counts ``tlast``
    and does not store it.
    """
    cases = []
    for seed, (depth, channels, bits) in enumerate(
        [(2, 4, 3), (3, 4, 3), (16, 4, 3), (17, 4, 3), (29, 4, 3), (64, 4, 3), (5, 4, 1), (20, 4, 9), (4100, 416, 6)]
    ):
        streams = _streams(2, [2], channels, bits, signed=False)
        extras = [("level", depth.bit_length())]
        params = {"Bits": 2 * bits, "Depth": depth, "FrameBeats": streams[0].beats if seed % 2 else 0}
        predicted = fifo.cycles(params, streams[0].beats)
        cases.append(
            plumbing_case("qun_fifo", params, streams, predicted=predicted, extras=extras, frames=4, seed=seed)
        )
    return cases


def width_adapter_cases() -> list[Case]:
    """Wider, narrower, equal, and lane counts of which neither divides the other, both ways."""
    cases = []
    for seed, (in_lanes, out_lanes, bits) in enumerate(
        [
            (1, 4, 3),
            (4, 1, 3),
            (2, 2, 3),
            (3, 2, 3),
            (2, 3, 3),
            (4, 6, 3),
            (6, 4, 3),
            (1, 12, 3),
            (6, 2, 1),
            (3, 4, 8),
            (4, 3, 13),
        ]
    ):
        streams = _streams(in_lanes, [out_lanes], 12, bits, signed=True)
        params = {"InLanes": in_lanes, "OutLanes": out_lanes, "Bits": bits}
        predicted = width_adapter.cycles(params, streams[0].beats)
        cases.append(plumbing_case("qun_width_adapter", params, streams, predicted=predicted, seed=seed))
    return cases
