"""Golden model of ``depth_to_space``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, DepthToSpace, Graph, Pair


def depth_to_space(x: Array, block: Pair) -> Array:
    """Return channels as pixels: ``y[h*bh + i, w*bw + j, c] = x[h, w, (i*bw + j) * channels_out + c]``.

    Args:
        x: int64 ``(height, width, bh * bw * channels_out)``.
        block: Rows and columns that a pixel becomes.

    Returns:
        int64 ``(height * bh, width * bw, channels_out)``.

    >>> depth_to_space(np.arange(8).reshape(1, 2, 4), (2, 2))[..., 0].tolist()
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    (height, width, channels), (rows, columns) = x.shape, block
    blocks = x.reshape(height, width, rows, columns, channels // (rows * columns))
    return blocks.transpose(0, 2, 1, 3, 4).reshape(height * rows, width * columns, -1)


def evaluate(graph: Graph, node: DepthToSpace, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return depth_to_space(inputs[0], node.block)


def evaluate_batch(cores: Cores, graph: Graph, node: DepthToSpace, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    return np.concatenate([depth_to_space(x, node.block)[None] for x in inputs[0]])
