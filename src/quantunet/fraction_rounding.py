"""Every rounding of a fraction to an integer that a file may ask for, by name; the hardware: ``rounding.py``."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

Rounding = Callable[[Fraction], int]

_HALF = Fraction(1, 2)


def half_even(value: Fraction) -> int:
    """Round to the nearest integer, half to even."""
    return round(value)


def half_odd(value: Fraction) -> int:
    """Round to the nearest integer, half to odd: half to even beside an odd zero point."""
    return round(value + 1) - 1


def half_away(value: Fraction) -> int:
    """Round to the nearest integer, half away from zero."""
    return math.floor(value + _HALF) if value >= 0 else math.ceil(value - _HALF)


def half_to_zero(value: Fraction) -> int:
    """Round to the nearest integer, half towards zero."""
    return math.ceil(value - _HALF) if value >= 0 else math.floor(value + _HALF)


def half_up(value: Fraction) -> int:
    """Round to the nearest integer, half up: hls4ml's ``RND``."""
    return math.floor(value + _HALF)


def half_down(value: Fraction) -> int:
    """Round to the nearest integer, half down: hls4ml's ``RND_MIN_INF``."""
    return math.ceil(value - _HALF)


def away(value: Fraction) -> int:
    """Round away from zero."""
    return math.ceil(value) if value >= 0 else math.floor(value)


def bipolar(value: Fraction) -> int:
    """Return 1 or -1, the sign: there is no 0."""
    return 1 if value >= 0 else -1


HALF_EVEN = "half_even"

ROUNDINGS: dict[str, Rounding] = {
    HALF_EVEN: half_even,
    "half_odd": half_odd,
    "half_away": half_away,
    "half_to_zero": half_to_zero,
    "half_up": half_up,
    "half_down": half_down,
    "away": away,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "bipolar": bipolar,
}
"""By the name that a graph's file has for them."""

SYMMETRIC: tuple[Rounding, ...] = (half_away, half_to_zero, away, math.trunc, bipolar)
"""Roundings that treat values below zero as the mirror image of those above: a branch of their own."""
