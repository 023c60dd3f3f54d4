"""Golden model of ``pad``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, Pad, Sides


def pad(x: Array, sides: Sides, value: int) -> Array:
    """Return the image with pixels of one constant around it.

    Args:
        x: int64 ``(height, width, channels)``.
        sides: Rows at the top, columns at the left, rows at the bottom, columns at the right.
        value: Of every channel of these pixels.

    Returns:
        int64 ``(top + height + bottom, left + width + right, channels)``.

    >>> pad(np.array([[[1], [2]]]), (1, 0, 0, 1), -3)[..., 0].tolist()
    [[-3, -3, -3], [1, 2, -3]]
    """
    top, left, bottom, right = sides
    return np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=value)


def evaluate(graph: Graph, node: Pad, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return pad(inputs[0], node.sides, node.value)


def evaluate_batch(cores: Cores, graph: Graph, node: Pad, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    top, left, bottom, right = node.sides
    return np.pad(inputs[0], ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=node.value)
