"""The exact sigmoid table that the integer graph stores."""

from __future__ import annotations

import numpy as np

from quantunet.ir import IntArray, QType


def sigmoid_table(source: QType, target: QType) -> IntArray:
    """Return ``clamp(round_half_even(2**frac_out / (1 + exp(-q * 2**-frac_in))))`` for every integer of the input.

    A tie is only possible at ``q = 0``, where the value is exact, so that float64 rounds every entry correctly.

    Args:
        source: The input's type.
        target: The output's type.

    Returns:
        ``(2**source.bits,)``, entry 0 for ``source.qmin``.

    >>> sigmoid_table(QType(3, True, 0), QType(8, False, 8)).array
    array([  5,  12,  31,  69, 128, 187, 225, 244])
    """
    values = np.arange(source.qmin, source.qmax + 1) * source.scale
    scaled = np.rint(np.ldexp(1.0 / (1.0 + np.exp(-values)), target.frac))
    return IntArray.of(np.clip(scaled, target.qmin, target.qmax).astype(np.int64))
