"""Ranges of values, clamps, and the integer types that saturate as a clamp does."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias, overload

from quantunet.ir import MAX_BITS, QType

Bound: TypeAlias = Fraction | None
"""A bound of a range; ``None`` is no bound."""

Range: TypeAlias = tuple[int, int] | None
"""The least and the greatest integer of a source; ``None`` where nothing is known."""


def fitting_type(reach: Range, low: int | None, high: int | None, declared: QType | None, frac: int) -> QType | None:
    """Return a type whose saturation is ``clamp(·, low, high)`` for every integer that can come.

    Args:
        reach: The integers that can come, before the clamp; ``None`` for any.
        low: The least integer; ``None`` for no clamp.
        high: The greatest integer; ``None`` for no clamp.
        declared: The type to prefer.
        frac: Fractional bits of all of these.

    >>> str(fitting_type((-100, 100), 0, 7, QType(4, True, 2), 2))
    'u3.2'
    >>> str(fitting_type((-7, 7), -7, 7, QType(4, True, 2), 2))
    's4.2'
    >>> fitting_type((-100, 100), -7, 7, QType(4, True, 2), 2) is None
    True
    """
    wanted = () if declared is None or declared.frac != frac else (declared,)
    return next((qtype for qtype in (*wanted, *types(frac)) if saturates_like(qtype, reach, low, high)), None)


def types(frac: int) -> list[QType]:
    """Return every integer type at ``frac``, from the smallest on."""
    return [QType(bits, signed, frac) for bits in range(1, MAX_BITS + 1) for signed in (False, True)]


def saturates_like(qtype: QType, reach: Range, low: int | None, high: int | None) -> bool:
    """Return whether a type saturates as ``clamp(·, low, high)`` does, for every integer of a range."""
    least, most = (None, None) if reach is None else reach
    below = qtype.qmin == low or (least is not None and least >= (qtype.qmin if low is None else max(low, qtype.qmin)))
    above = qtype.qmax == high or (most is not None and most <= (qtype.qmax if high is None else min(high, qtype.qmax)))
    return below and above


@overload
def limited(value: Fraction, low: Bound, high: Bound) -> Fraction: ...


@overload
def limited(value: Fraction | float, low: Bound, high: Bound) -> Fraction | float: ...


def limited(value: Fraction | float, low: Bound, high: Bound) -> Fraction | float:
    """Return ``clamp(value, low, high)``, where ``None`` is no bound."""
    raised = value if low is None or value >= low else low
    return raised if high is None or raised <= high else high


def clamped(reach: Range, low: int | None, high: int | None) -> Range:
    """Return the integers that come out of a clamp."""
    if reach is None:
        return None if low is None or high is None else (low, high)
    least, most = reach
    if low is not None:
        least, most = max(least, low), max(most, low)
    if high is not None:
        least, most = min(least, high), min(most, high)
    return least, most
