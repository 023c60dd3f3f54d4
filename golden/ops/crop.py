"""Golden model of ``crop``."""

from __future__ import annotations

from collections.abc import Sequence

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Crop, Graph, Sides


def crop(x: Array, sides: Sides) -> Array:
    """Return the image without some rows and columns at its sides.

    Args:
        x: int64 ``(height, width, channels)``.
        sides: Rows at the top, columns at the left, rows at the bottom, columns at the right.

    Returns:
        int64 ``(height - top - bottom, width - left - right, channels)``.

    >>> import numpy as np
    >>> crop(np.arange(12).reshape(3, 4, 1), (1, 0, 0, 2))[..., 0].tolist()
    [[4, 5], [8, 9]]
    """
    top, left, bottom, right = sides
    return x[top : x.shape[0] - bottom, left : x.shape[1] - right]


def evaluate(graph: Graph, node: Crop, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return crop(inputs[0], node.sides)


def evaluate_batch(cores: Cores, graph: Graph, node: Crop, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    (top, left, bottom, right), (_, height, width, _) = node.sides, inputs[0].shape
    return inputs[0][:, top : height - bottom, left : width - right]
