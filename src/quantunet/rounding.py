"""All rounding and saturation of the project's integers.

Source: IEEE 754 round half to even on exact binary fractions; ONNX/QONNX ``ROUND``; hls4ml ``RND_CONV`` with ``SAT``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quantunet.ir import MAX_BITS, Array, QType

_MAX_RIGHT_SHIFT = 62
"""More than an accumulator has bits, so that nothing but 0 is left; the rounding constant still fits int64."""


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


def wrap(values: Array, qtype: QType) -> Array:
    """Return the integers of a type that the low bits of ``values`` say.

    >>> wrap(np.array([-9, 3, 20]), QType(4, True, 0))
    array([7, 3, 4])
    """
    return ((values - qtype.qmin) & ((1 << qtype.bits) - 1)) + qtype.qmin


def shift_down(values: Array, shift: int, *, even: bool) -> Array:
    """Return ``values / 2**shift`` rounded down, or half to even.

    Args:
        values: int64 of any shape, below ``2**62`` in magnitude.
        shift: Bits to remove, 0 to 62.
        even: Whether it rounds half to even.

    >>> shift_down(np.array([-3, 5, 7]), 1, even=False), shift_down(np.array([-3, 5, 7]), 1, even=True)
    (array([-2,  2,  3]), array([-2,  2,  4]))
    """
    return round_half_even_shift(values, shift) if even else values >> shift


def clamp(values: Array, low: int, high: int) -> Array:
    """Return ``values`` held between two bounds.

    >>> clamp(np.array([-9, 3, 20]), -7, 7)
    array([-7,  3,  7])
    """
    return np.clip(values, low, high)


def _shift(frac: int, qtype: QType) -> int:
    """Return the right shift from ``frac`` to a type, held where a larger one gives the same integers.

    A left shift by ``MAX_BITS`` already saturates every value but 0, and keeps an accumulator inside int64.
    """
    return min(max(frac - qtype.frac, -MAX_BITS), _MAX_RIGHT_SHIFT)


def requantise(accumulator: Array, frac: int, qtype: QType) -> Array:
    """Return ``clamp(round_half_even(accumulator * 2**(qtype.frac - frac)), qmin, qmax)``.

    Args:
        accumulator: int64 at ``frac`` fractional bits.
        frac: Fractional bits of the accumulator.
        qtype: The output type.

    >>> requantise(np.array([5, 6, -40]), 2, QType(4, True, 0))
    array([ 1,  2, -8])
    """
    return saturate(round_half_even_shift(accumulator, _shift(frac, qtype)), qtype)


def requantise_floats(accumulator: npt.NDArray[np.floating], frac: int, qtype: QType) -> None:
    """Do what :func:`requantise` does, in place, on integers that a float type holds exactly.

    A power of two as factor changes the exponent alone, and ``rint`` rounds half to even: both are exact.

    Args:
        accumulator: Integers as floats, at ``frac`` fractional bits.
        frac: Fractional bits of the accumulator.
        qtype: The output type.

    >>> values = np.array([5, 6, -40], dtype=np.float32)
    >>> requantise_floats(values, 2, QType(4, True, 0))
    >>> values
    array([ 1.,  2., -8.], dtype=float32)
    """
    accumulator *= 2.0 ** -_shift(frac, qtype)
    np.rint(accumulator, out=accumulator)
    np.clip(accumulator, qtype.qmin, qtype.qmax, out=accumulator)
