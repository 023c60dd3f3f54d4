"""Golden model of ``maximum``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, Maximum


def maximum(first: Array, second: Array) -> Array:
    """Return the greater value of each pair.

    Args:
        first: int64 of any shape.
        second: int64 of the same shape, of the same type.

    >>> maximum(np.array([1, -2, 3]), np.array([2, -5, 3]))
    array([ 2, -2,  3])
    """
    return np.maximum(first, second)


def evaluate(graph: Graph, node: Maximum, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return maximum(inputs[0], inputs[1])


def evaluate_batch(cores: Cores, graph: Graph, node: Maximum, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    return np.maximum(inputs[0], inputs[1])
