"""Golden model of ``maxpool2d``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.golden.windows import taps
from quantunet.ir import Array, Graph, MaxPool2d, Pair


def maxpool2d(x: Array, kernel: Pair = (2, 2), stride: Pair = (2, 2)) -> Array:
    """Return ``y[h, w, c] = max x[h*sh + dy, w*sw + dx, c]`` over the windows that lie inside the image.

    Args:
        x: int64 ``(height, width, channels)``.
        kernel: Rows and columns of a window.
        stride: Rows and columns from one window to the next.

    Returns:
        int64 ``((height - kh) // sh + 1, (width - kw) // sw + 1, channels)``.

    >>> maxpool2d(np.array([[[1], [2]], [[-3], [0]]])).tolist()
    [[[2]]]
    >>> maxpool2d(np.array([[[1], [2], [0], [5]]]), kernel=(1, 3), stride=(1, 1)).tolist()
    [[[2], [5]]]
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(0, 1))[:: stride[0], :: stride[1]]
    return np.asarray(windows.max(axis=(3, 4)))


def evaluate(graph: Graph, node: MaxPool2d, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return maxpool2d(inputs[0], node.kernel, node.stride)


def evaluate_batch(cores: Cores, graph: Graph, node: MaxPool2d, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    x = inputs[0]
    if node.kernel == x.shape[1:3]:
        return np.asarray(x.max(axis=(1, 2), keepdims=True))
    (kernel_h, kernel_w), (stride_h, stride_w) = node.kernel, node.stride
    height, width, _ = graph.output_of(node).shape
    rows = reduce(np.maximum, (tap for _, tap in taps(x, (height, x.shape[2]), (kernel_h, 1), (stride_h, 1))))
    return reduce(np.maximum, (tap for _, tap in taps(rows, (height, width), (1, kernel_w), (1, stride_w))))
