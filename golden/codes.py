"""Tensors as the fast path keeps them: codes in the smallest integer types, a batch of images at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quantunet.ir import QType

Codes = npt.NDArray[np.integer]
"""Integers of one tensor, ``(images, height, width, channels)``."""


def code_dtype(qtype: QType) -> np.dtype[np.integer]:
    """Return the smallest integer dtype that holds a type.

    >>> code_dtype(QType(8, False, 0)), code_dtype(QType(9, True, 0)), code_dtype(QType(33, True, 0))
    (dtype('uint8'), dtype('int16'), dtype('int64'))
    """
    size = next(size for size in (1, 2, 4, 8) if qtype.bits <= 8 * size)
    return np.dtype(f"{'i' if qtype.signed else 'u'}{size}")
