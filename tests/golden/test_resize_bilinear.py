"""resize_bilinear: the exact value of linear interpolation between the centres of pixels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from quantunet.errors import TypeMismatchError, UnsupportedOpError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.resize_bilinear import resize_bilinear
from quantunet.ir import Array, Pair, QType, Tensor
from quantunet.random_network import GraphBuilder


def _at(x: Array, row: Fraction, column: Fraction, channel: int) -> Fraction:
    """Return the value between the centres of pixels, which are whole numbers; edges are repeated."""
    total = Fraction(0)
    for h, w, _ in np.ndindex(*x.shape[:2], 1):
        held = [
            min(max(place, Fraction(0)), Fraction(size - 1)) for place, size in ((row, len(x)), (column, x.shape[1]))
        ]
        weight = max(1 - abs(held[0] - h), Fraction(0)) * max(1 - abs(held[1] - w), Fraction(0))
        total += weight * int(x[h, w, channel])
    return total


@pytest.mark.parametrize("factor", [(2, 2), (1, 2), (2, 1)])
@pytest.mark.parametrize("shape", [(3, 4, 2), (1, 3, 1), (2, 1, 1), (1, 1, 3)])
@pytest.mark.parametrize("qtype", [QType(5, True, 2), QType(16, False, 0)])
def test_every_pixel_fast_and_plain(factor: Pair, shape: tuple[int, int, int], qtype: QType) -> None:
    builder = GraphBuilder("net", *shape, qtype, 1)
    builder.resize_bilinear("resize", "image", factor)
    graph = builder.build()
    x = np.random.default_rng(2).integers(qtype.qmin, qtype.qmax + 1, size=shape)
    x.flat[0] = qtype.qmax
    y = resize_bilinear(x, factor)
    scale = 4 ** (sum(factor) - 2)
    assert y.shape == (shape[0] * factor[0], shape[1] * factor[1], shape[2])
    for h, w, c in np.ndindex(y.shape):
        row, column = (
            Fraction(2 * place + 1, 2 * each) - Fraction(1, 2) for place, each in zip((h, w), factor, strict=True)
        )
        assert y[h, w, c] == scale * _at(x, row, column, c)
    for plain in (False, True):
        assert np.array_equal(evaluate(graph, graph.nodes[0], [x], plain=plain), y)


@pytest.mark.parametrize("factor", [(1, 1), (3, 2), (0, 2)])
def test_other_factors_are_refused(factor: Pair) -> None:
    builder = GraphBuilder("net", 3, 5, 2, QType(4, True, 1), 1)
    builder.resize_bilinear("resize", "image", factor)
    builder.tensors[-1] = Tensor("resize_out", (3, 5, 2), QType(4, True, 1))
    with pytest.raises(UnsupportedOpError, match="resize: expected a factor of 1 to 2 rows and columns, not both 1"):
        builder.build()


def test_an_output_that_is_not_the_exact_sum_is_refused() -> None:
    builder = GraphBuilder("net", 3, 5, 2, QType(4, True, 1), 1)
    builder.resize_bilinear("resize", "image", (1, 2))
    builder.tensors[-1] = Tensor("resize_out", (3, 10, 2), QType(6, True, 2))
    with pytest.raises(TypeMismatchError, match=r"resize: expected an output of s6\.3, the exact sum of s4\.1"):
        builder.build()
