"""Both ways to multiply, one product or two in a multiplier, at the limits of every pair of widths."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from helpers.benches.cases import Case, layer_case
from helpers.faults import library_with
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError
from quantunet.golden.inference import evaluate
from quantunet.hls.design import Fold, Style
from quantunet.hls.matrix_vector import products_per_multiplier
from quantunet.ir import Conv2d, Graph, IntArray, QType, Tensor

WIDTHS = range(2, 9)
SIMD = (8, 1, 2, 3, 4, 16, 5)
STYLES: tuple[Style, ...] = ("folded-lut", "folded-dsp")

FAULTS = {
    "the borrow forgotten": ("(signed'(pair) >>> Gap) + borrow", "signed'(pair) >>> Gap"),
    "no room for the sums": ("+ $clog2(SplitLanes);", "+ $clog2((SplitLanes + 1) / 2);"),
    "the signs of the weights forgotten": ("input_sum_q <= sum_inputs();", "input_sum_q <= 0;"),
    "pairs swapped": ("sum_lanes[p+Pairs] = high", "sum_lanes[Pe-1-p] = high"),
}


def extremes(source: QType, bits_w: int, pe: int, simd: int, style: Style) -> Case:
    """Return a 1x1 convolution on pixels and weights at their limits and between; no output saturates."""
    rng = np.random.default_rng(bits_w * 100 + source.bits)
    low, high, channels = -(1 << (bits_w - 1)), (1 << (bits_w - 1)) - 1, 2 * simd
    weight = rng.integers(low, high + 1, size=(channels, 2 * pe))
    # The first output fold pairs the smallest and the largest weights in every way; the second is random.
    weight[:, :pe] = np.where(np.arange(pe) * 4 // pe % 2 ^ (np.arange(pe) % 2), high, low)
    bias = rng.integers(low, high + 1, size=2 * pe)
    shift = max(0, bits_w + source.bits + (2 * simd - 1).bit_length() - 16)
    target = QType(16, True, 0)
    node = Conv2d("layer", ("x",), "y", IntArray.of(weight[None, None]), QType(bits_w, True, shift), IntArray.of(bias))
    shape = (1, 4, channels)
    graph = Graph("layer", ("x",), "y", (Tensor("x", shape, source), Tensor("y", (1, 4, 2 * pe), target)), (node,))
    case = layer_case(graph.check(), Fold(pe, simd, style), frames=2)
    pixels = case.frames["x"].copy()
    pixels[0, 0, 0], pixels[0, 0, 1] = source.qmax, source.qmin
    pixels[0, 0, 2, ::2], pixels[0, 0, 2, 1::2] = source.qmin, source.qmax
    outputs = np.stack([evaluate(graph, node, [frame], plain=True) for frame in pixels])
    assert outputs.min() == outputs[0, 0].min() and len(np.unique(outputs)) > 8
    return dataclasses.replace(case, frames={"x": pixels, "y": outputs})


def pairs(case: Case) -> bool:
    """Return whether the case has two products in a multiplier."""
    return bool(dict(case.instance.params)["PairProducts"])


def test_the_limits_of_the_widest_pairs(tmp_path: Path) -> None:
    widths = [(5, 8, False), (5, 7, True), (6, 6, False), (7, 4, False), (8, 2, False), (4, 4, False), (4, 4, True)]
    cases = [
        extremes(QType(bits, signed, 0), bits_w, 4, simd, "folded-dsp")
        for (bits_w, bits, signed), simd in zip(widths, SIMD, strict=True)
    ]
    assert all(pairs(case) for case in cases)
    cases += [extremes(QType(4, False, 0), 4, 3, 4, "folded-dsp"), extremes(QType(8, True, 0), 8, 4, 3, "folded-dsp")]
    assert not pairs(cases[-1]) and not pairs(cases[-2]), "an odd PE and wide types take one product a multiplier"
    check_cases("conv2d", cases, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_the_limits_of_all_widths(tmp_path: Path, style: Style, signed: bool) -> None:
    cases = [
        extremes(
            QType(bits, signed, 0), bits_w, (4, 2, 8, 3)[(bits_w + bits) % 4], SIMD[(bits_w * 3 + bits) % 7], style
        )
        for bits_w in WIDTHS
        for bits in WIDTHS
    ]
    assert sum(pairs(case) for case in cases) >= (20 if style == "folded-dsp" else 0)
    check_cases("conv2d", cases, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", "qun_pair_products.sv", *FAULTS[fault])
    case = extremes(QType(4, True, 0), 4, 4, 4, "folded-dsp")
    assert pairs(case)
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("conv2d", [case], tmp_path / "run", rtl_folder=folder)


def test_two_products_need_the_style_an_even_pe_and_room() -> None:
    def products(source: QType, bits_w: int, fold: Fold) -> int:
        case = extremes(source, bits_w, fold.pe, fold.simd, fold.style)
        weight = IntArray.of(np.ones((1, 1, 2 * fold.simd, 2 * fold.pe), dtype=np.int64))
        bias = IntArray.of(np.zeros(2 * fold.pe, dtype=np.int64))
        node = Conv2d("layer", ("x",), "y", weight, QType(bits_w, True, 0), bias)
        tensors = tuple(Tensor(stream.name, stream.shape, stream.qtype) for stream in case.streams)
        return products_per_multiplier(Graph("layer", ("x",), "y", tensors, (node,)), node, fold)

    assert products(QType(4, False, 0), 4, Fold(4, 2, "folded-dsp")) == 2
    assert products(QType(4, False, 0), 4, Fold(4, 2, "folded-lut")) == 1
    assert products(QType(4, False, 0), 4, Fold(3, 2, "folded-dsp")) == 1
    assert products(QType(8, False, 0), 5, Fold(4, 2, "folded-dsp")) == 2
    assert products(QType(8, True, 0), 5, Fold(4, 2, "folded-dsp")) == 1
    assert products(QType(2, False, 0), 8, Fold(4, 2, "folded-dsp")) == 2
    assert products(QType(3, False, 0), 8, Fold(4, 2, "folded-dsp")) == 1
