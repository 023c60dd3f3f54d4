"""resize_nearest: each pixel repeated, by the formula."""

from __future__ import annotations

import numpy as np
import pytest

from quantunet.errors import UnsupportedOpError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.resize_nearest import resize_nearest
from quantunet.ir import Pair, QType, Tensor
from quantunet.random_network import GraphBuilder


@pytest.mark.parametrize("factor", [(2, 2), (1, 3), (4, 1), (3, 2)])
def test_every_pixel_fast_and_plain(factor: Pair) -> None:
    builder = GraphBuilder("net", 3, 5, 2, QType(4, True, 1), 1)
    builder.resize_nearest("resize", "image", factor)
    graph = builder.build()
    x = np.random.default_rng(2).integers(-8, 8, size=(3, 5, 2))
    y = resize_nearest(x, factor)
    assert y.shape == (3 * factor[0], 5 * factor[1], 2)
    for h, w, c in np.ndindex(y.shape):
        assert y[h, w, c] == x[h // factor[0], w // factor[1], c]
    for plain in (False, True):
        assert np.array_equal(evaluate(graph, graph.nodes[0], [x], plain=plain), y)


@pytest.mark.parametrize("factor", [(1, 1), (0, 2)])
def test_other_factors_are_refused(factor: Pair) -> None:
    builder = GraphBuilder("net", 3, 5, 2, QType(4, True, 1), 1)
    builder.resize_nearest("resize", "image", factor)
    builder.tensors[-1] = Tensor("resize_out", (3, 5, 2), QType(4, True, 1))
    with pytest.raises(UnsupportedOpError, match="resize: expected a factor of 1 or more rows and columns, not both 1"):
        builder.build()
