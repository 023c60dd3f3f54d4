"""pad: the constant is around the image and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from quantunet.errors import ShapeError, WidthError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.pad import pad
from quantunet.ir import QType, Sides
from quantunet.random_network import GraphBuilder


@pytest.mark.parametrize("sides", [(1, 1, 1, 1), (0, 3, 0, 0), (2, 0, 1, 4)])
def test_every_pixel(sides: Sides) -> None:
    x = np.random.default_rng(0).integers(-8, 8, size=(3, 4, 2))
    y = pad(x, sides, -5)
    assert y.shape == (3 + sides[0] + sides[2], 4 + sides[1] + sides[3], 2)
    for h, w, c in np.ndindex(y.shape):
        row, column = h - sides[0], w - sides[1]
        assert y[h, w, c] == (x[row, column, c] if 0 <= row < 3 and 0 <= column < 4 else -5)


def test_fast_equals_plain() -> None:
    builder = GraphBuilder("net", 5, 6, 3, QType(4, True, 1), 1)
    builder.pad("pad", "image", (2, 0, 1, 3), -8)
    graph = builder.build()
    x = np.random.default_rng(2).integers(-8, 8, size=(5, 6, 3))
    plain = evaluate(graph, graph.nodes[0], [x], plain=True)
    assert (evaluate(graph, graph.nodes[0], [x]) == plain).all() and plain.size == 8 * 9 * 3


@pytest.mark.parametrize("sides", [(0, 0, 0, 0), (1, -1, 0, 0)])
def test_sides_that_pad_nothing_are_refused(sides: Sides) -> None:
    builder = GraphBuilder("net", 5, 6, 3, QType(4, True, 1), 1)
    builder.pad("pad", "image", sides)
    with pytest.raises(ShapeError, match="pad: expected sides of 0 or more"):
        builder.build()


@pytest.mark.parametrize(("qtype", "value"), [(QType(4, True, 1), 8), (QType(4, False, 1), -1)])
def test_a_constant_outside_the_type_is_refused(qtype: QType, value: int) -> None:
    builder = GraphBuilder("net", 5, 6, 3, qtype, 1)
    builder.pad("pad", "image", (1, 1, 1, 1), value)
    with pytest.raises(WidthError, match="pad: expected a value in"):
        builder.build()
