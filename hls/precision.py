"""hls4ml precisions as integer types, and what a conversion between them does."""

from __future__ import annotations

from typing import Any

from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType, RoundingMode, SaturationMode

from quantunet.errors import UnsupportedOpError
from quantunet.ir import QType

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


def check_requantisation(where: str, source_range: Range, source_frac: int, precision: Any) -> QType:
    """Return the integer type of a result, whose conversion must be what the hardware does.

    The hardware rounds half to even and saturates. A precision with other modes is accepted where they have nothing to
    do: no fractional bits are dropped, no value lies outside.

    Args:
        where: The layer.
        source_range: The least and the greatest integer before the conversion.
        source_frac: Their fractional bits.
        precision: The hls4ml precision of the result.

    Raises:
        UnsupportedOpError: The rounding or the saturation would differ.
    """
    qtype = qtype_of(where, precision)
    rounding = getattr(precision, "rounding_mode", RoundingMode.TRN)
    saturation = getattr(precision, "saturation_mode", SaturationMode.WRAP)
    if qtype.frac < source_frac and rounding is not RoundingMode.RND_CONV:
        raise UnsupportedOpError(
            where,
            expected="rounding half to even (RND_CONV) of the result",
            got=f"{rounding} in {precision}",
            hint="Set the result precision to (u)fixed<W,I,RND_CONV,SAT>.",
        )
    # Rounding can go up by one code at most; a type with saturation catches it.
    shift = max(source_frac - qtype.frac, 0)
    rounded = (source_range[0] >> shift, -(-source_range[1] >> shift))
    if saturation is not SaturationMode.SAT and not holds(qtype, rounded, min(source_frac, qtype.frac)):
        raise UnsupportedOpError(
            where,
            expected="saturation (SAT) of the result",
            got=f"{saturation} in {precision}",
            hint="Set the result precision to (u)fixed<W,I,RND_CONV,SAT>.",
        )
    return qtype
