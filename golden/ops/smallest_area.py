"""Golden model of ``smallest_area``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, SmallestArea

_Pixel = TypeVar("_Pixel", bound=np.generic)


def smallest_area(masks: npt.NDArray[_Pixel], area: int) -> npt.NDArray[_Pixel]:
    """Return masks, those empty whose foreground is smaller than an area: ``y = x`` if ``sum x >= area``, else 0.

    Args:
        masks: ``(masks, height, width)`` of bool, or of the integers 0 and 1 with any axes behind.
        area: Pixels of the smallest foreground that is kept.

    Returns:
        Of the same shape and type; new memory.

    >>> smallest_area(np.array([[[0, 1, 0], [0, 0, 0]], [[0, 1, 0], [1, 0, 0]]]), 2).tolist()
    [[[0, 0, 0], [0, 0, 0]], [[0, 1, 0], [1, 0, 0]]]
    """
    pixels = np.count_nonzero(masks.reshape(len(masks), -1), axis=1)
    kept = (pixels >= area).reshape(-1, *(1,) * (masks.ndim - 1))
    return np.where(kept, masks, np.zeros((), masks.dtype))


def evaluate(graph: Graph, node: SmallestArea, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return np.asarray(smallest_area(inputs[0][np.newaxis], node.area)[0])


def evaluate_batch(cores: Cores, graph: Graph, node: SmallestArea, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    return smallest_area(inputs[0], node.area)
