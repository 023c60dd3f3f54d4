"""Golden model of ``sigmoid``: a table."""

from __future__ import annotations

import numpy as np

from quantunet.ir import Array, IntArray, QType


def sigmoid(x: Array, table: IntArray, input_type: QType) -> Array:
    """Return ``y = table[x - qmin]``.

    Args:
        x: int64 of any shape in ``input_type``.
        table: ``(2**bits,)`` integers of the output type.
        input_type: The input's type.

    >>> sigmoid(np.array([-2, 0, 1]), IntArray.of([10, 20, 30, 40]), QType(2, True, 0))
    array([10, 30, 40])
    """
    return np.asarray(table.array[x - input_type.qmin])
