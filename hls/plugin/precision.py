"""hls4ml precisions as integer types, and what a conversion between them does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType, RoundingMode, SaturationMode

from quantunet.errors import UnsupportedOpError
from quantunet.fraction_rounding import Rounding, half_away, half_down, half_even, half_to_zero, half_up
from quantunet.ir import QType
from quantunet.values import Form, Rule

_ROUNDINGS: Mapping[RoundingMode, Rounding] = {
    RoundingMode.TRN: math.floor,
    RoundingMode.TRN_ZERO: math.trunc,
    RoundingMode.RND: half_up,
    RoundingMode.RND_ZERO: half_to_zero,
    RoundingMode.RND_INF: half_away,
    RoundingMode.RND_MIN_INF: half_down,
    RoundingMode.RND_CONV: half_even,
}

_ONE = Fraction(1)

Range = tuple[int, int]
"""The least and the greatest integer that a value can take."""


def qtype_of(where: str, precision: Any) -> QType:
    """Return the integer type of an hls4ml precision.

    Args:
        where: The layer, for the error message.
        precision: An hls4ml precision: ``fixed``, ``ufixed``, ``int`` or ``uint``.

    Raises:
        UnsupportedOpError: Another precision (floating point, exponent, binary, not chosen).
    """
    if isinstance(precision, FixedPrecisionType):
        return QType(int(precision.width), bool(precision.signed), int(precision.width - precision.integer))
    if isinstance(precision, IntegerPrecisionType):
        return QType(int(precision.width), bool(precision.signed), 0)
    raise UnsupportedOpError(
        where,
        expected="a precision fixed<>, ufixed<>, int<> or uint<>",
        got=str(precision),
        hint="Choose a fixed-point precision in the hls4ml configuration.",
    )


def holds(target: QType, source_range: Range, source_frac: int) -> bool:
    """Return whether a type holds every integer of a range at ``source_frac`` without rounding or overflow."""
    shift = target.frac - source_frac
    low, high = source_range
    return shift >= 0 and low << shift >= target.qmin and high << shift <= target.qmax


def rule_of(where: str, precision: Any) -> Rule:
    """Return what the conversion to an hls4ml precision does.

    Args:
        where: The layer.
        precision: The hls4ml precision of the result.

    Raises:
        UnsupportedOpError: Another precision than an integer or fixed-point one.
    """
    qtype = qtype_of(where, precision)
    rounding = getattr(precision, "rounding_mode", None) or RoundingMode.TRN
    saturation = getattr(precision, "saturation_mode", SaturationMode.WRAP)
    symmetric = saturation is SaturationMode.SAT_SYM and qtype.signed
    return Rule(
        Fraction(2) ** -qtype.frac,
        qtype.qmin + symmetric,
        qtype.qmax,
        Form.of(qtype),
        _ROUNDINGS[rounding],
        wraps=saturation not in (SaturationMode.SAT, SaturationMode.SAT_SYM),
    )


def held(rule: Rule, value: Fraction) -> Fraction:
    """Return what a conversion makes of a real number.

    >>> held(Rule.of(QType(4, True, 2)), Fraction(3, 10)), held(Rule.of(QType(4, True, 2)), Fraction(9))
    (Fraction(1, 4), Fraction(7, 4))
    """
    return rule.within(rule.rounding(value / rule.step)) * rule.step


def behind(first: Rule, second: Rule, factor: Fraction = _ONE) -> Rule:
    """Return a conversion of what another one makes of real numbers, times a factor, as one conversion."""

    def rounding(scaled: Fraction) -> int:
        return second.rounding(factor * held(first, scaled * second.step) / second.step)

    return replace(second, rounding=rounding)
