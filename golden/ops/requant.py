"""Golden model of ``requant``."""

from __future__ import annotations

from quantunet.ir import Array, QType
from quantunet.rounding import requantise


def requant(x: Array, input_type: QType, output_type: QType) -> Array:
    """Return ``clamp(round_half_even(x * 2**(frac_out - frac_in)), qmin, qmax)``.

    Args:
        x: int64 of any shape in ``input_type``.
        input_type: The input's type.
        output_type: The output's type.

    >>> import numpy as np
    >>> requant(np.array([1, 2, 3, 6, 15]), QType(4, False, 2), QType(3, True, 1))
    array([0, 1, 2, 3, 3])
    """
    return requantise(x, input_type.frac, output_type)
