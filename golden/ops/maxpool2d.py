"""Golden model of ``maxpool2d``."""

from __future__ import annotations

import numpy as np

from quantunet.ir import Array


def maxpool2d(x: Array) -> Array:
    """Return ``y[h, w, c] = max(x[2h + dy, 2w + dx, c])`` over ``dy, dx`` in 0..1.

    Args:
        x: int64 ``(height, width, channels)``, height and width even.

    Returns:
        int64 ``(height // 2, width // 2, channels)``.

    >>> maxpool2d(np.array([[[1], [2]], [[-3], [0]]])).tolist()
    [[[2]]]
    """
    height, width, channels = x.shape
    windows = x.reshape(height // 2, 2, width // 2, 2, channels)
    return np.asarray(windows.max(axis=(1, 3)))
