"""Golden model of ``resize_bilinear``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, Pair, ResizeBilinear


def resize_bilinear(x: Array, factor: Pair) -> Array:
    """Return the image doubled, linear between the centres of pixels, edges repeated; four times the value an axis.

    Along an axis that doubles, ``y[2i] = x[i - 1] + 3 * x[i]`` and ``y[2i + 1] = 3 * x[i] + x[i + 1]``, with indices
    held inside the image.

    Args:
        x: int64 ``(height, width, channels)``.
        factor: 2 or 1, of rows and of columns.

    Returns:
        int64 ``(height * fh, width * fw, channels)``.

    >>> resize_bilinear(np.array([[[0], [4]]]), (1, 2))[..., 0].tolist()
    [[0, 4, 12, 16]]
    """
    for axis in (axis for axis in range(2) if factor[axis] == 2):
        places = np.arange(x.shape[axis])
        before = x.take(places - 1, axis, mode="clip") + 3 * x
        after = 3 * x + x.take(places + 1, axis, mode="clip")
        doubled = [*x.shape[:axis], 2 * x.shape[axis], *x.shape[axis + 1 :]]
        x = np.stack([before, after], axis=axis + 1).reshape(doubled)
    return x


def evaluate(graph: Graph, node: ResizeBilinear, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return resize_bilinear(inputs[0], node.factor)


def evaluate_batch(cores: Cores, graph: Graph, node: ResizeBilinear, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    x = inputs[0].astype(code_dtype(graph.output_of(node).qtype))
    for axis in (axis for axis in range(2) if node.factor[axis] == 2):
        rows = np.moveaxis(x, axis + 1, 0)
        threefold = 3 * rows
        y = np.repeat(threefold, 2, axis=0)
        y[0] += rows[0]
        y[2::2] += rows[:-1]
        y[1:-1:2] += rows[1:]
        y[-1] += rows[-1]
        x = np.moveaxis(y, 0, axis + 1)
    return x
