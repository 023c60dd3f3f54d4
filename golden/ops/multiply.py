"""Golden model of ``multiply``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, Multiply


def multiply(first: Array, second: Array) -> Array:
    """Return ``y[..., c] = first[..., c] * second[..., c]``, or ``* second[..., 0]``.

    Args:
        first: int64 ``(..., channels)``.
        second: int64 ``(..., channels)``, or ``(..., 1)``: a gate for all channels.

    >>> multiply(np.array([[3, -2], [5, 7]]), np.array([[4], [-1]]))
    array([[12, -8],
           [-5, -7]])
    """
    return first * second


def evaluate(graph: Graph, node: Multiply, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return multiply(inputs[0], inputs[1])


def evaluate_batch(cores: Cores, graph: Graph, node: Multiply, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    dtype = code_dtype(graph.output_of(node).qtype)  # holds every product, so that the factors' low bits are enough
    return np.multiply(inputs[0], inputs[1], dtype=dtype, casting="unsafe")
