"""The search for exact requantisation constants: any real scale becomes one multiplication, one addition and one shift.

What a file says between a sum ``x`` and a code is a step function of ``x``: a quantizer behind a factor and a summand,
perhaps with another slope below zero. :func:`find` looks for integers with which ``floor((x*m + b) / 2**s)`` makes the
same steps. Both sides are monotone, so that they are equal for every ``x`` exactly where each step begins at the same
``x``: that is what is compared, in integers. The constants are therefore right or there are none; nothing is near.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from quantunet.fraction_rounding import (
    SYMMETRIC,
    Rounding,
    away,
    half_away,
    half_down,
    half_even,
    half_to_zero,
    half_up,
)
from quantunet.ir import MAX_PRODUCT_BITS, Array

MAX_SHIFT = 62
"""The largest shift that is tried: that of :class:`quantunet.ir.Affine`."""

_NARROW = 8
"""Bits of a multiplier up to which an exact product, rounded half to even, is taken without a search."""

_MANY_CODES = 1 << 10
"""Codes above which a search for a smaller multiplier than the exact one takes too long to be worth it."""

_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Line:
    """``gain * x + offset``.

    Attributes:
        gain: Factor.
        offset: Summand.
    """

    gain: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def then(self, gain: Fraction, offset: Fraction) -> Line:
        """Return the line behind another factor and summand."""
        return Line(self.gain * gain, self.offset * gain + offset)


@dataclass(frozen=True)
class Bend:
    """The function of one channel: one line from a corner on, and another below it; they meet there.

    Attributes:
        upper: From the corner on.
        lower: Below the corner; equal to ``upper`` where there is no corner.
    """

    upper: Line = Line()
    lower: Line = Line()

    @property
    def straight(self) -> bool:
        """Whether there is no corner."""
        return self.upper == self.lower

    @property
    def corner(self) -> Fraction:
        """Where the two lines meet."""
        return (self.lower.offset - self.upper.offset) / (self.upper.gain - self.lower.gain)

    @property
    def rises(self) -> bool:
        """Whether it never falls."""
        return self.upper.gain >= 0 and self.lower.gain >= 0

    def at(self, x: int) -> Fraction:
        """Return the value of an integer.

        >>> leaky = Bend().then(Fraction(1), Fraction(2)).leaking(Fraction(1, 2))
        >>> [str(leaky.at(x)) for x in (-6, -2, 4)]
        ['-2', '0', '6']
        """
        line = self.upper if self.straight or x >= self.corner else self.lower
        return line.gain * x + line.offset

    def then(self, gain: Fraction, offset: Fraction) -> Bend:
        """Return the function behind a factor and a summand."""
        return Bend(self.upper.then(gain, offset), self.lower.then(gain, offset))

    def leaking(self, slope: Fraction) -> Bend:
        """Return a straight function behind a slope below zero."""
        line, below = self.upper, self.upper.then(slope, Fraction(0))
        if not line.gain:
            return Bend(below, below) if line.offset < 0 else self
        return Bend(line, below) if line.gain > 0 else Bend(below, line)


@dataclass(frozen=True)
class Steps:
    """What becomes of the sums of one channel: ``clamp(rounding(bend(x)), low, high)``.

    Attributes:
        bend: In steps of the output.
        rounding: From a fraction to an integer, monotone.
        low: The least code.
        high: The greatest code.
    """

    bend: Bend
    rounding: Rounding
    low: int
    high: int

    def __call__(self, x: int) -> int:
        """Return the code of a sum.

        >>> Steps(Bend().then(Fraction(1, 3), Fraction(0)), half_even, 0, 7)(5)
        2
        """
        return min(max(self.rounding(self.bend.at(x)), self.low), self.high)


@dataclass(frozen=True)
class Constants:
    """Integers for :class:`quantunet.ir.Affine`, one of each a channel, and one shift for all.

    Attributes:
        multiplier: At and above ``split``.
        offset: At and above ``split``.
        split: Where the upper branch begins.
        lower_multiplier: Below ``split``.
        lower_offset: Below ``split``.
        shift: Binary places that are dropped.
        even: Whether the shift rounds half to even instead of down.
    """

    multiplier: tuple[int, ...]
    offset: tuple[int, ...]
    split: tuple[int, ...]
    lower_multiplier: tuple[int, ...]
    lower_offset: tuple[int, ...]
    shift: int
    even: bool


@dataclass(frozen=True)
class _Line:
    """One branch of one channel: ``(x * multiplier + offset) / 2**shift``."""

    multiplier: int
    offset: int
    shift: int

    def at(self, shift: int) -> _Line:
        """Return the same line with a larger shift."""
        more = shift - self.shift
        return _Line(self.multiplier << more, self.offset << more, shift)


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums that can come, where those are few in a wide range.

    Attributes:
        exact: What a channel's function is one of, rising.
        held: What the tensor holds of each: itself, or a number of fewer bits that is near ``exact / ratio``.
        ratio: How much one of the tensor's integers stands for.
    """

    exact: Array
    held: Array
    ratio: Fraction = Fraction(1)


def find(channels: Sequence[Steps], reach: tuple[int, int], sums: Sums | None = None) -> Constants | None:
    """Return constants that make the code of every channel for every sum; ``None`` where there are none.

    Args:
        channels: What becomes of the sums of each channel; all with one rounding.
        reach: The least and the greatest integer of the tensor.
        sums: The sums that can come, where not every integer of the reach does.

    >>> channel = Steps(Bend().then(Fraction(1, 3), Fraction(0)), half_even, 0, 7)
    >>> found = find([channel], (-20, 40))
    >>> (found.multiplier, found.offset, found.shift)
    ((11,), (12,), 5)
    >>> all(min(max((x * 11 + 12) >> 5, 0), 7) == channel(x) for x in range(-20, 41))
    True
    """
    exact = _exact(channels, reach) if sums is None or sums.ratio == 1 else None
    if exact is not None:
        bits = max(abs(m).bit_length() for m in (*exact.multiplier, *exact.lower_multiplier))
        if bits <= _NARROW or max(channel.high - channel.low for channel in channels) > _MANY_CODES:
            return exact
    lines: list[tuple[_Line, int, _Line]] = []
    known: dict[Steps, tuple[_Line, int, _Line] | None] = {}
    for channel in channels:
        if channel not in known:
            known[channel] = _channel(channel, reach, sums)
        found = known[channel]
        if found is None:
            return exact
        lines.append(found)
    shift = max(max(upper.shift, lower.shift) for upper, _, lower in lines)
    raised = [(upper.at(shift), split, lower.at(shift)) for upper, split, lower in lines]
    searched = Constants(
        tuple(upper.multiplier for upper, _, _ in raised),
        tuple(upper.offset for upper, _, _ in raised),
        tuple(split for _, split, _ in raised),
        tuple(lower.multiplier for _, _, lower in raised),
        tuple(lower.offset for _, _, lower in raised),
        shift,
        even=False,
    )
    return searched if _fits(searched, reach) else exact


def tie_places(channels: Sequence[Steps]) -> int | None:
    """Return the binary places behind which no value lies between the middle of two codes and what is cut off above it.

    ``None`` where no integer of any channel lies in the middle between two codes.

    >>> sixth = Steps(Bend().then(Fraction(1, 6), Fraction(0)), half_even, 0, 7)  # 3/6, 9/6
    >>> tie_places([sixth]), tie_places([Steps(Bend().then(Fraction(1, 9), Fraction(0)), half_even, 0, 7)])
    (3, None)
    """
    ties, most = False, 1
    for channel in channels:
        for line in (channel.bend.upper, channel.bend.lower):
            bottom = math.lcm(line.gain.denominator, line.offset.denominator, 2)
            gain, rest = int(line.gain * bottom), int((_HALF - line.offset) * bottom)
            ties, most = ties or rest % math.gcd(gain, bottom) == 0, max(most, bottom)
    return most.bit_length() if ties else None


def _fits(found: Constants, reach: tuple[int, int]) -> bool:
    """Return whether every product with its offset fits the integers of the hardware."""
    most = max(abs(end) for end in reach)
    pairs = [*zip(found.multiplier, found.offset, strict=True)]
    pairs += zip(found.lower_multiplier, found.lower_offset, strict=True)
    return max((most + 1) * abs(m) + abs(b) for m, b in pairs) < 1 << (MAX_PRODUCT_BITS - 1)


_SHIFTED: Mapping[Rounding, tuple[int, int]] = {
    math.floor: (0, 0),
    math.ceil: (2, -1),
    half_up: (1, 0),
    half_down: (1, -1),
}
"""Roundings as a floor behind a summand: halves of the dropped range, and units of its last place."""

_MIRRORED: Mapping[Rounding, tuple[Rounding, Rounding]] = {
    math.trunc: (math.floor, math.ceil),
    away: (math.ceil, math.floor),
    half_away: (half_up, half_down),
    half_to_zero: (half_down, half_up),
}
"""Roundings that differ from 0 on, and below it."""


def _exact(channels: Sequence[Steps], reach: tuple[int, int]) -> Constants | None:
    """Return the factors themselves, where all of them are binary fractions; ``None`` otherwise."""
    rounding = channels[0].rounding
    if rounding is not half_even and rounding not in _SHIFTED and rounding not in _MIRRORED:
        return None
    lines = [line for channel in channels for line in (channel.bend.upper, channel.bend.lower)]
    numbers = [number for line in lines for number in (line.gain, line.offset)]
    if any(number.denominator & (number.denominator - 1) for number in numbers):
        return None
    shift = max(number.denominator for number in numbers).bit_length() - 1
    if shift > MAX_PRODUCT_BITS:
        return None
    found: list[list[tuple[int, int]]] = [[], []]
    for channel in channels:
        # The value has one sign from the split on, and the other below it.
        rises = channel.bend.upper.gain > 0 or (not channel.bend.upper.gain and channel.bend.lower.gain > 0)
        corner = channel.bend.straight or not _corner_value(channel)
        if rounding in _MIRRORED and not corner:
            return None
        for side, line in enumerate((channel.bend.upper, channel.bend.lower)):
            own = _MIRRORED[rounding][side if rises else 1 - side] if rounding in _MIRRORED else rounding
            halves, units = _SHIFTED.get(own, (0, 0))
            more = (halves << shift) // 2 + units if shift else 0
            found[side].append((int(line.gain * (1 << shift)), int(line.offset * (1 << shift)) + more))
    upper, lower = found
    constants = Constants(
        tuple(m for m, _ in upper),
        tuple(b for _, b in upper),
        tuple(_split(channel, reach) for channel in channels),
        tuple(m for m, _ in lower),
        tuple(b for _, b in lower),
        shift,
        even=rounding is half_even,
    )
    return constants if _fits(constants, reach) else None


def _corner_value(channel: Steps) -> Fraction:
    """Return what the two lines of a channel are where they meet."""
    return channel.bend.upper.gain * channel.bend.corner + channel.bend.upper.offset


def _split(channel: Steps, reach: tuple[int, int]) -> int:
    """Return the least sum of the upper branch, held to just outside the range.

    That is the corner, or else where the value changes its sign, which is a corner to some roundings.
    """
    low, high = reach
    bend = channel.bend
    if not bend.straight:
        split = math.ceil(bend.corner)
    elif not bend.upper.gain:
        return low
    else:
        zero = -bend.upper.offset / bend.upper.gain
        split = math.ceil(zero) if bend.upper.gain > 0 else math.floor(zero) + 1
    return min(max(split, low), high + 1)


def _channel(channel: Steps, reach: tuple[int, int], sums: Sums | None) -> tuple[_Line, int, _Line] | None:
    """Return the branches of one channel and where the upper one begins."""
    low, high = reach if sums is None else (int(sums.exact[0]), int(sums.exact[-1]))
    if channel.bend.straight and channel.rounding not in SYMMETRIC:
        line = _line(channel, channel.bend.upper, _Branch(low, high, sums))
        if line is not None:
            return line, reach[0], line
    split = _split(channel, (low, high))
    above, below = _Branch(split, high, sums), _Branch(low, split - 1, sums)
    upper, lower = _line(channel, channel.bend.upper, above), _line(channel, channel.bend.lower, below)
    if (upper is None and len(above)) or (lower is None and len(below)):
        return None
    if len(above) and len(below) and below.ends()[1] >= above.ends()[0]:
        return None
    split = above.ends()[0] if upper is not None else reach[1]
    upper, lower = upper or lower, lower or upper
    assert upper is not None and lower is not None
    return upper, reach[0] if upper is lower else split, lower


class _Branch:
    """The sums of one branch: every integer of a range, or some of them.

    Args:
        low: The least of the range.
        high: The greatest of the range; there is none where it is less.
        sums: Those that can come; ``None`` for all.
    """

    def __init__(self, low: int, high: int, sums: Sums | None) -> None:
        self._low, self._count = low, max(high - low + 1, 0)
        self._exact: Array | None = None
        self.ratio = Fraction(1)
        if sums is not None:
            inside = (sums.exact >= low) & (sums.exact <= high)
            self._exact, held, self.ratio = sums.exact[inside], sums.held[inside], sums.ratio
            self._most = np.maximum.accumulate(held)
            self._least = np.minimum.accumulate(held[::-1])[::-1]

    def __len__(self) -> int:
        return self._count if self._exact is None else len(self._exact)

    def __getitem__(self, index: int) -> int:
        return self._low + index if self._exact is None else int(self._exact[index])

    def near(self, sum_: int) -> int:
        """Return the index of a sum, or of the next one."""
        found = sum_ - self._low if self._exact is None else int(np.searchsorted(self._exact, sum_))
        return min(max(found, 0), len(self) - 1)

    def ends(self) -> tuple[int, int]:
        """Return the least and the greatest integer of the tensor."""
        if self._exact is None:
            return self[0], self[len(self) - 1]
        return int(self._least[0]), int(self._most[-1])

    def edge(self, at: int, falls: bool) -> tuple[int, int]:
        """Return where a code begins, and the integer before it; seen from the other end, where a falling line rises.

        Args:
            at: The index of its first sum; of the last one, if it falls.
            falls: Whether the code belongs to smaller sums.
        """
        if self._exact is None:
            return (-self[at], -self[at + 1]) if falls else (self[at], self[at - 1])
        if falls:
            return -int(self._most[at]), -int(self._least[at + 1])
        return int(self._least[at]), int(self._most[at - 1])


def _line(channel: Steps, real: Line, sums: _Branch) -> _Line | None:
    """Return a line whose floor is the code of every sum of a branch, in which the channel's value is one line."""
    if not len(sums):
        return None
    first, last = channel(sums[0]), channel(sums[len(sums) - 1])
    if first == last:
        return _Line(0, first, 0)
    low, high = sums.ends()
    falls = first > last
    codes = np.arange(min(first, last) + 1, max(first, last) + 1, dtype=np.int64)
    edges = [sums.edge(_begin(channel, real, sums, code, falls), falls) for code in codes.tolist()]
    begins, before = np.array(edges, dtype=np.int64).T
    # What the output's clamp does not end, the line must: no code below the first, none above the last.
    least = None if min(first, last) <= channel.low else (min(first, last), -high if falls else low)
    most = None if max(first, last) >= channel.high else (max(first, last) + 1, -low if falls else high)
    wanted = abs(real.gain) * sums.ratio
    for shift in range(MAX_SHIFT + 1):
        scaled = wanted * (1 << shift)
        below = math.floor(scaled)
        for multiplier in sorted({below, below + 1}, key=lambda each: abs(each - scaled)):
            if multiplier * max(abs(low), abs(high), 1) >= 1 << (MAX_PRODUCT_BITS - 1):
                return None
            offset = _offset(multiplier, shift, codes, (begins, before), least, most) if multiplier else None
            if offset is not None:
                return _Line(-multiplier if falls else multiplier, offset, shift)
    return None


def _offset(
    multiplier: int,
    shift: int,
    codes: Array,
    edges: tuple[Array, Array],
    least: tuple[int, int] | None,
    most: tuple[int, int] | None,
) -> int | None:
    """Return the summand with the most trailing zeros for which each code begins where it should; ``None`` if none.

    ``floor((x*m + b) / 2**s) >= k`` from the sum on at which the code begins: ``b >= k*2**s - m*begin``, and not at the
    sum before it: ``b < k*2**s - m*before``.

    Args:
        multiplier: ``m``.
        shift: ``s``.
        codes: The codes ``k``.
        edges: Where each of them begins, and the sum before that.
        least: A code and a sum at which it must be reached.
        most: A code and a sum at which it must not be reached.
    """
    begins, before = edges
    low = int(((codes << shift) - multiplier * begins).max())
    high = int(((codes << shift) - multiplier * before).min()) - 1
    if least is not None:
        low = max(low, (least[0] << shift) - multiplier * least[1])
    if most is not None:
        high = min(high, (most[0] << shift) - multiplier * most[1] - 1)
    if low > high:
        return None
    return _roundest(low, high)


def _roundest(low: int, high: int) -> int:
    """Return the integer of a range that has the most trailing zeros.

    >>> _roundest(13, 19), _roundest(-3, 5), _roundest(7, 7)
    (16, 0, 7)
    """
    if low <= 0 <= high:
        return 0
    if high < 0:
        return -_roundest(-high, -low)
    zeros = high.bit_length()
    while (high >> zeros) << zeros < low:
        zeros -= 1
    return (high >> zeros) << zeros


def _begin(channel: Steps, real: Line, sums: _Branch, code: int, falls: bool) -> int:
    """Return the index of the sum at which a code begins: the least with at least that code, the greatest if it falls.

    Guessed by a formula, and believed only where the channel itself says so; else found by halving.
    """
    at = (code - _HALF - real.offset) / real.gain
    guess = sums.near(math.floor(at) if falls else math.ceil(at))
    last, before = len(sums) - 1, 1 if falls else -1
    for each in (guess, guess + 1, guess - 1):
        if not 0 <= each <= last or channel(sums[each]) < code:
            continue
        if not 0 <= each + before <= last or channel(sums[each + before]) < code:
            return each
    low, high = 0, last
    while low < high:
        if falls:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if channel(sums[middle]) >= code else (low, middle - 1)
        else:
            middle = (low + high) // 2
            low, high = (low, middle) if channel(sums[middle]) >= code else (middle + 1, high)
    return low
