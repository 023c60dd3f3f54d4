"""depth_to_space: where each channel goes, by the formula."""

from __future__ import annotations

import numpy as np
import pytest

from quantunet.errors import ShapeError, UnsupportedOpError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.depth_to_space import depth_to_space
from quantunet.ir import Pair, QType, Tensor
from quantunet.random_network import GraphBuilder


@pytest.mark.parametrize("block", [(2, 2), (1, 3), (4, 1), (3, 2)])
def test_every_pixel_fast_and_plain(block: Pair) -> None:
    rows, columns = block
    shape = (3, 5, 2 * rows * columns)
    builder = GraphBuilder("net", *shape, QType(7, True, 1), 1)
    builder.depth_to_space("blocks", "image", block)
    graph = builder.build()
    x = np.random.default_rng(2).integers(-64, 64, size=shape)
    y = depth_to_space(x, block)
    assert y.shape == (3 * rows, 5 * columns, 2)
    for h, w, i, j, c in np.ndindex(3, 5, rows, columns, 2):
        assert y[h * rows + i, w * columns + j, c] == x[h, w, (i * columns + j) * 2 + c]
    for plain in (False, True):
        assert np.array_equal(evaluate(graph, graph.nodes[0], [x], plain=plain), y)


def test_a_block_of_one_pixel_and_channels_that_do_not_divide_are_refused() -> None:
    builder = GraphBuilder("net", 3, 5, 6, QType(4, True, 1), 1)
    builder.depth_to_space("blocks", "image", (1, 1))
    with pytest.raises(UnsupportedOpError, match="blocks: expected a block of 1 or more rows and columns, not both 1"):
        builder.build()
    builder = GraphBuilder("net", 3, 5, 6, QType(4, True, 1), 1)
    builder.depth_to_space("blocks", "image", (2, 2))
    builder.tensors[-1] = Tensor("blocks_out", (6, 10, 1), QType(4, True, 1))
    with pytest.raises(ShapeError, match="blocks: expected channels that 2x2 pixels share, got 6.* a multiple of 4"):
        builder.build()
