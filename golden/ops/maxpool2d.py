"""Golden model of ``maxpool2d``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, MaxPool2d


def maxpool2d(x: Array) -> Array:
    """Return ``y[h, w, c] = max(x[2h + dy, 2w + dx, c])`` over ``dy, dx`` in 0..1.

    Args:
        x: int64 ``(height, width, channels)``, height and width even.

    Returns:
        int64 ``(height // 2, width // 2, channels)``.

    >>> maxpool2d(np.array([[[1], [2]], [[-3], [0]]])).tolist()
    [[[2]]]
    """
    height, width, channels = x.shape
    windows = x.reshape(height // 2, 2, width // 2, 2, channels)
    return np.asarray(windows.max(axis=(1, 3)))


def evaluate(graph: Graph, node: MaxPool2d, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return maxpool2d(inputs[0])


def evaluate_batch(cores: Cores, graph: Graph, node: MaxPool2d, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    x = inputs[0]
    rows = np.maximum(x[:, 0::2], x[:, 1::2])
    return np.maximum(rows[:, :, 0::2], rows[:, :, 1::2])
