"""Golden model of ``concat``."""

from __future__ import annotations

import numpy as np

from quantunet.ir import Array


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
