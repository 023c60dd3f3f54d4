"""How an affine layer requantises a value: the constants, the sums that they are for, and the type of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from quantunet.accumulator import bits_for
from quantunet.errors import UnsupportedOpError
from quantunet.fraction_rounding import half_even, half_odd
from quantunet.ir import QType
from quantunet.ranges import clamped
from quantunet.reach import channel_steps, codes_of, real_reach
from quantunet.requantisation import Bend, Constants, Steps, find, tie_places
from quantunet.value_types import declared_type, holding
from quantunet.values import SumSource, TensorSource, Value, frac_of

_GAIN_BITS = (8, 12, 16, 20, 24, 28)
"""Bits of the factors of a sum of two scales, from the fewest on; then those of the scales themselves."""

_MAX_CUT = 1 << 17
"""Codes of a layer that cuts off first what the next one rounds; more of them take long to find."""


@dataclass(frozen=True)
class Requantisation:
    """What an affine layer does.

    Attributes:
        source: What it reads: the value's own source, or the same sum with factors of fewer bits.
        constants: Its integers.
        qtype: Type of the result.
        limits: The least and the greatest integer that it lets through.
        reach: The least and the greatest integer that can come out.
    """

    source: TensorSource | SumSource
    constants: Constants
    qtype: QType
    limits: tuple[int, int]
    reach: tuple[int, int]


@dataclass(frozen=True)
class Ties:
    """There are no constants, as ties would not stay ties; behind a cut at some more binary places they do.

    Attributes:
        places: How many.
    """

    places: int


class AffineSearch:
    """Finds affine layers; it remembers the sums of fewer bits, so that equal requests share a layer."""

    def __init__(self) -> None:
        self._narrower: dict[tuple[SumSource, int], SumSource | None] = {}

    def search(self, value: Value, step: Fraction, *, wide: bool) -> Requantisation | Ties:
        """Return the affine layer that computes a value.

        Args:
            value: A value of a tensor or of sums.
            step: Its step.
            wide: Whether only another affine layer reads it, so that its type may have any width.

        Raises:
            UnsupportedOpError: There are no integers for it: the message says why.
            WidthError: It needs more than 16 bits.
            ScaleError: A bound of the value lies between two integers.
        """
        low, high = codes_of(value, step)
        least, most = (end / step for end in real_reach(value))
        ends = clamped((int(least), int(most)), low, high)
        assert ends is not None
        bounds = (ends[0] if low is None else low, ends[1] if high is None else high)
        channels = _steps(value, step, (int(least), int(most)) if value.wraps else bounds)
        assert isinstance(value.source, TensorSource | SumSource)
        found, source = self._constants(channels, value.source)
        places = tie_places(channels) if found is None and value.rounding is half_even else None
        if places is not None and max(abs(end) for end in ends) << places < _MAX_CUT:
            return Ties(places)
        if found is None:
            raise UnsupportedOpError(
                value.place.name,
                expected="a quantizer that one multiplication, one addition and one shift compute exactly",
                got=_inexact(channels),
                hint="Change its scale a little, or use a power of two.",
            )
        declared = declared_type(value, step)
        held = declared is not None and declared.qmin <= ends[0] and ends[1] <= declared.qmax
        if declared is not None and (held or value.wraps):
            qtype = declared
        elif wide:
            qtype = QType(bits_for(*ends), True, frac_of(step) or 0)
        else:
            qtype = holding(value.place, ends, step)
        reach = (qtype.qmin, qtype.qmax) if value.wraps else (max(ends[0], qtype.qmin), min(ends[1], qtype.qmax))
        limits = reach if value.wraps else (max(bounds[0], qtype.qmin), min(bounds[1], qtype.qmax))
        return Requantisation(source, found, qtype, limits, reach)

    def _constants(
        self, channels: Sequence[Steps], source: TensorSource | SumSource
    ) -> tuple[Constants | None, TensorSource | SumSource]:
        """Return constants, and the source that they are for: a sum of two scales with factors of the fewest bits."""
        if not isinstance(source, SumSource) or not source.terms:
            return find(channels, source.reach), source
        for bits in _GAIN_BITS:
            if (source, bits) not in self._narrower:
                self._narrower[source, bits] = source.reduced(bits)
            other = self._narrower[source, bits]
            sums = None if other is None else other.sums()
            found = None if other is None or sums is None else find(channels, other.reach, sums)
            if found is not None and other is not None:
                return found, other
        return find(channels, source.reach, source.sums()), source


def _steps(value: Value, step: Fraction, bounds: tuple[int, int]) -> list[Steps]:
    """Return what becomes of the integers of each channel, in steps of the result."""
    return [
        Steps(_behind(bend.then(1 / step, Fraction(0)), one), value.rounding, *bounds)
        for bend, one in zip(value.channel_bends, channel_steps(value), strict=True)
    ]


def _behind(bend: Bend, step: Fraction) -> Bend:
    """Return a function of integers from one of real values: each integer stands for ``step``."""
    return Bend(replace(bend.upper, gain=bend.upper.gain * step), replace(bend.lower, gain=bend.lower.gain * step))


def _inexact(channels: Sequence[Steps]) -> str:
    """Return in words why there are no integers for a quantizer."""
    if channels[0].rounding is half_odd:
        return "an odd zero point: what lies in the middle between two integers is rounded now up, now down"
    if tie_places(channels) is not None and channels[0].rounding is half_even:
        return "a factor of no power of two by which sums fall in the middle between two integers, rounded to even"
    return "scales for which there are no such integers"
