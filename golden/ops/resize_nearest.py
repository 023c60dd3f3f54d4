"""Golden model of ``resize_nearest``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, Pair, ResizeNearest


def resize_nearest(x: Array, factor: Pair) -> Array:
    """Return each pixel repeated: ``y[h, w, c] = x[h // fh, w // fw, c]``.

    Args:
        x: int64 ``(height, width, channels)``.
        factor: Rows and columns that a pixel becomes.

    Returns:
        int64 ``(height * fh, width * fw, channels)``.

    >>> resize_nearest(np.array([[[1], [2]]]), (2, 3))[..., 0].tolist()
    [[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2]]
    """
    rows = np.arange(x.shape[0] * factor[0]) // factor[0]
    columns = np.arange(x.shape[1] * factor[1]) // factor[1]
    repeated: Array = x[rows[:, None], columns]
    return repeated


def evaluate(graph: Graph, node: ResizeNearest, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return resize_nearest(inputs[0], node.factor)


def evaluate_batch(cores: Cores, graph: Graph, node: ResizeNearest, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    return inputs[0].repeat(node.factor[0], axis=1).repeat(node.factor[1], axis=2)
