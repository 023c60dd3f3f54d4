"""Golden model of ``concat``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Concat, Graph


def concat(skip: Array, up: Array) -> Array:
    """Return the channels of the skip leg followed by those of the up leg.

    Args:
        skip: int64 ``(height, width, channels_skip)``.
        up: int64 ``(height, width, channels_up)`` of the same type.

    Returns:
        int64 ``(height, width, channels_skip + channels_up)``.

    >>> concat(np.array([[[1, 2]]]), np.array([[[3]]])).tolist()
    [[[1, 2, 3]]]
    """
    return np.concatenate([skip, up], axis=2)


def evaluate(graph: Graph, node: Concat, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return concat(inputs[0], inputs[1])


def evaluate_batch(cores: Cores, graph: Graph, node: Concat, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    return np.concatenate(inputs, axis=3)
