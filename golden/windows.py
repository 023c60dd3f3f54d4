"""Windows that lie inside the image, tap by tap: a tap of all windows at once is a view with strides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from quantunet.ir import Pair


def taps(
    x: npt.NDArray[Any], places: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)
) -> Iterator[tuple[Pair, npt.NDArray[Any]]]:
    """Yield the row and the column of each tap, and what all windows see there.

    Args:
        x: ``(..., height, width, channels)``.
        places: Rows and columns of windows.
        kernel: Rows and columns of taps.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.

    Yields:
        ``(dy, dx)``, and the view ``x[..., h*sh + dy*dh, w*sw + dx*dw, :]`` of shape ``(..., *places, channels)``.

    >>> import numpy as np
    >>> [int(tap[0, 0, 0]) for _, tap in taps(np.arange(6).reshape(2, 3, 1), (1, 2), (2, 2), (2, 1))]
    [0, 1, 3, 4]
    """
    for dy in range(kernel[0]):
        for dx in range(kernel[1]):
            rows, columns = (
                slice(tap * step, tap * step + (count - 1) * hop + 1, hop)
                for tap, step, count, hop in zip((dy, dx), dilation, places, stride, strict=True)
            )
            yield (dy, dx), x[..., rows, columns, :]
