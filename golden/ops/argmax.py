"""Golden model of ``argmax``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.ir import Argmax, Array, Graph


def argmax(x: Array) -> Array:
    """Return the channel of the greatest value of each pixel, the first of equals.

    Args:
        x: int64 ``(..., channels)``.

    Returns:
        int64 ``(..., 1)``.

    >>> argmax(np.array([[1, 3, 3], [-2, -4, -2]]))
    array([[1],
           [0]])
    """
    return np.asarray(x.argmax(axis=-1, keepdims=True))


def evaluate(graph: Graph, node: Argmax, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return argmax(inputs[0])


def evaluate_batch(cores: Cores, graph: Graph, node: Argmax, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    return np.asarray(inputs[0].argmax(axis=-1, keepdims=True).astype(code_dtype(graph.output_of(node).qtype)))
