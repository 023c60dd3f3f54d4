"""Both ways to multiply, one product or two in a multiplier, at the limits of every pair of widths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.matrix_cases import FOLDED, cases_of, extremes, pairs, widest_pairs
from helpers.rtl import check_cases

from quantunet.hls.design import Fold, Style
from quantunet.hls.matrix.folded import products_per_multiplier
from quantunet.ir import Conv2d, Graph, IntArray, QType, Tensor

WIDTHS = range(2, 9)
SIMD = (8, 1, 2, 3, 4, 16, 5)
STYLES: tuple[Style, ...] = ("folded-lut", "folded-dsp")


def test_the_limits_of_the_widest_pairs(tmp_path: Path) -> None:
    cases = widest_pairs()
    assert all(pairs(case) for case in cases)
    cases += [extremes(QType(4, False, 0), 4, 3, 4, "folded-dsp"), extremes(QType(8, True, 0), 8, 4, 3, "folded-dsp")]
    padded = cases_of(FOLDED)
    assert [pairs(case) for case in padded] == [True, False]
    assert not pairs(cases[-1]) and not pairs(cases[-2]), "an odd PE and wide types take one product a multiplier"
    check_cases("conv2d", [*cases, *padded], tmp_path)


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
