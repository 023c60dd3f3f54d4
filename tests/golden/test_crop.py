"""crop: what is left of the image."""

from __future__ import annotations

import numpy as np
import pytest

from quantunet.errors import ShapeError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.crop import crop
from quantunet.golden.ops.pad import pad
from quantunet.ir import QType, Sides, Tensor
from quantunet.random_network import GraphBuilder


@pytest.mark.parametrize("sides", [(1, 1, 1, 1), (0, 3, 0, 0), (2, 0, 1, 4)])
def test_it_takes_away_what_padding_adds(sides: Sides) -> None:
    x = np.random.default_rng(0).integers(-8, 8, size=(3, 4, 2))
    assert np.array_equal(crop(pad(x, sides, 7), sides), x)


def test_fast_equals_plain() -> None:
    builder = GraphBuilder("net", 5, 6, 3, QType(4, True, 1), 1)
    builder.crop("crop", "image", (2, 0, 1, 3))
    graph = builder.build()
    x = np.random.default_rng(2).integers(-8, 8, size=(5, 6, 3))
    plain = evaluate(graph, graph.nodes[0], [x], plain=True)
    assert np.array_equal(plain, x[2:4, 0:3])
    assert (evaluate(graph, graph.nodes[0], [x]) == plain).all() and plain.size == 2 * 3 * 3


@pytest.mark.parametrize("sides", [(0, 0, 0, 0), (1, -1, 0, 0), (3, 0, 2, 0), (0, 6, 0, 0)])
def test_sides_that_leave_all_or_nothing_are_refused(sides: Sides) -> None:
    builder = GraphBuilder("net", 5, 6, 3, QType(4, True, 1), 1)
    builder.crop("crop", "image", sides)
    builder.tensors[-1] = Tensor("crop_out", (1, 1, 3), QType(4, True, 1))
    with pytest.raises(ShapeError, match=r"crop: expected sides (of 0 or more|that leave a pixel of 5x6)"):
        builder.build()
