"""All rounding and saturation of the project's integers.

Source: IEEE 754 round half to even on exact binary fractions; ONNX/QONNX ``ROUND``; hls4ml ``RND_CONV`` with ``SAT``.
"""

from __future__ import annotations

import numpy as np

from quantunet.ir import Array, QType


def round_half_even_shift(values: Array, shift: int) -> Array:
    """Return ``round_half_even(values / 2**shift)``; a negative shift multiplies.

    For ``shift > 0`` the sum ``v + 2**(shift-1) - 1 + bit(v, shift)`` carries into the kept bits exactly when the
    removed part is above one half, or equal to it while the kept part is odd.

    Args:
        values: int64, any shape, far enough from the type's limits that the sum does not overflow.
        shift: Bits to remove.

    Returns:
        int64 of the same shape.

    >>> round_half_even_shift(np.array([1, 2, 3, 5, 6, 7, -2, -6]), 2)
    array([ 0,  0,  1,  1,  2,  2,  0, -2])
    >>> round_half_even_shift(np.array([3]), -2)
    array([12])
    """
    if shift <= 0:
        return values << np.int64(-shift)
    half_less_one = (1 << (shift - 1)) - 1
    return (values + half_less_one + ((values >> shift) & 1)) >> shift


def saturate(values: Array, qtype: QType) -> Array:
    """Return ``clamp(values, qmin, qmax)``.

    >>> saturate(np.array([-9, 3, 20]), QType(4, True, 0))
    array([-8,  3,  7])
    """
    return np.clip(values, qtype.qmin, qtype.qmax)


def requantise(accumulator: Array, frac: int, qtype: QType) -> Array:
    """Return ``clamp(round_half_even(accumulator * 2**(qtype.frac - frac)), qmin, qmax)``.

    Args:
        accumulator: int64 at ``frac`` fractional bits.
        frac: Fractional bits of the accumulator.
        qtype: The output type.

    >>> requantise(np.array([5, 6, -40]), 2, QType(4, True, 0))
    array([ 1,  2, -8])
    """
    return saturate(round_half_even_shift(accumulator, frac - qtype.frac), qtype)
