"""Golden model of ``sumpool2d``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.golden.windows import taps
from quantunet.ir import Array, Graph, Pair, SumPool2d


def sumpool2d(x: Array, kernel: Pair, stride: Pair) -> Array:
    """Return ``y[h, w, c] = sum x[h*sh + dy, w*sw + dx, c]`` over the windows that lie inside the image.

    Args:
        x: int64 ``(height, width, channels)``.
        kernel: Rows and columns of a window.
        stride: Rows and columns from one window to the next.

    Returns:
        int64 ``((height - kh) // sh + 1, (width - kw) // sw + 1, channels)``.

    >>> sumpool2d(np.arange(6).reshape(2, 3, 1), kernel=(2, 2), stride=(1, 1))[..., 0]
    array([[ 8, 12]])
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(0, 1))[:: stride[0], :: stride[1]]
    return np.asarray(windows.sum(axis=(3, 4)))


def evaluate(graph: Graph, node: SumPool2d, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return sumpool2d(inputs[0], node.kernel, node.stride)


def evaluate_batch(cores: Cores, graph: Graph, node: SumPool2d, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    x, output = inputs[0], graph.output_of(node)
    dtype = code_dtype(output.qtype)  # holds every partial sum: every type holds 0
    if node.kernel == x.shape[1:3]:
        return np.asarray(x.sum(axis=(1, 2), keepdims=True, dtype=dtype))
    y = np.zeros((len(x), *output.shape), dtype)
    for _, tap in taps(x, output.shape[:2], node.kernel, node.stride):
        y += tap
    return y
