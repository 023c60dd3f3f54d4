"""What a tensor of a file is on its way to the hardware: an exact source, and what is done to each of its values.

A :class:`Value` is ``clamp(R(bend(source)), low, high)`` in real numbers: two straight lines a channel (a factor,
BatchNorm, the slopes of a LeakyReLU), a rounding to multiples of a step, and a clamp. Everything is a fraction, so that
nothing is lost before the integers of the hardware are chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from quantunet.fraction_rounding import Rounding, half_even
from quantunet.ir import Add, Node, Pair, QType, Shape, Sides, Tensor
from quantunet.ranges import Bound, limited
from quantunet.requantisation import Bend, Sums

Steps: TypeAlias = tuple[Fraction, ...]
"""The real value of the integer 1: one for the whole tensor, or one of each channel."""


def frac_of(step: Fraction) -> int | None:
    """Return ``frac`` such that ``step == 2**-frac``; ``None`` where there is none.

    >>> frac_of(Fraction(1, 8)), frac_of(Fraction(4)), frac_of(Fraction(3, 8))
    (3, -2, None)
    """
    top, bottom = step.numerator, step.denominator
    if top < 1 or top & (top - 1) or bottom & (bottom - 1):
        return None
    return bottom.bit_length() - top.bit_length()


def step_of(tensor: Tensor) -> Fraction:
    """Return the real value of the integer 1 of a tensor."""
    return Fraction(2) ** -tensor.qtype.frac if tensor.unit is None else tensor.unit


@dataclass(frozen=True)
class Form:
    """A type that an author wrote, with any scale.

    Attributes:
        bits: Width.
        signed: Two's complement if true.
        step: The real value of the integer 1.
    """

    bits: int
    signed: bool
    step: Fraction

    @classmethod
    def of(cls, qtype: QType) -> Form:
        """Return a type with a power-of-two scale."""
        return cls(qtype.bits, qtype.signed, Fraction(2) ** -qtype.frac)

    @property
    def qtype(self) -> QType:
        """The type in the graph; another scale than a power of two stands beside it."""
        return QType(self.bits, self.signed, frac_of(self.step) or 0)


@dataclass(frozen=True)
class Place:
    """Where a value was made: for the names of layers and for messages.

    Attributes:
        name: The layer's name, an identifier; also what messages call it.
        order: Its place in the file; layers stand in this order in the graph.
        output: The name of the tensor that the layer writes.
    """

    name: str
    order: int
    output: str

    def numbered(self, index: int, what: str = "") -> Place:
        """Return the place of one of several layers that stand for one op."""
        return replace(self, name=f"{self.name}_{what}{index}", output=f"{self.output}_{what}{index}")

    def part(self, what: str) -> Place:
        """Return the place of a layer in front of the op's own."""
        return replace(self, name=f"{self.name}_{what}", output=f"{self.output}_{what}")


@dataclass(frozen=True)
class Rule:
    """What a quantizer does: ``y = clamp(R(x / step), low, high)``, and ``y`` stands for ``y * step``.

    Attributes:
        step: The real value of the integer 1.
        low: The least integer.
        high: The greatest integer.
        declared: The type that the author wrote; ``None`` where the integers are those of no type.
        rounding: From a fraction to an integer.
        wraps: Values outside are not clamped but wrap around in the declared type.
    """

    step: Fraction
    low: int
    high: int
    declared: Form | None
    rounding: Rounding = half_even
    wraps: bool = False

    @classmethod
    def of(cls, qtype: QType) -> Rule:
        """The rule of a type: round half to even, and saturate."""
        return cls(Fraction(2) ** -qtype.frac, qtype.qmin, qtype.qmax, Form.of(qtype))

    def within(self, code: int) -> int:
        """Return what becomes of an integer outside the limits: it wraps around, or is clamped.

        >>> Rule.of(QType(4, True, 2)).within(9), replace(Rule.of(QType(4, True, 2)), wraps=True).within(9)
        (7, -7)
        """
        if self.wraps and self.declared is not None:
            qtype = self.declared.qtype
            return (code - qtype.qmin) % (1 << qtype.bits) + qtype.qmin
        return min(max(code, self.low), self.high)


@dataclass(frozen=True, eq=False)
class TensorSource:
    """A tensor of the graph.

    Attributes:
        tensor: The tensor.
        reach: The least and the greatest integer.
    """

    tensor: Tensor
    reach: tuple[int, int]


@dataclass(frozen=True, eq=False)
class SumSource:
    """Exact sums or products before requantisation.

    Attributes:
        place: The op.
        node: The layer that computes them.
        shape: Of its result.
        steps: The real value of the integer 1.
        reach: The least and the greatest integer.
        span: The integers that the tensor must hold, by the types in front; ``None`` where those are the reach.
        terms: Of a sum of two tensors: factor, least and greatest integer of each, since not every integer of the reach
            is a sum of theirs; empty where nothing is known.
        frac: Fractional bits of the sums to the layer, which knows only the types of what it reads; ``None`` where it
            may say any.
        limits: Of a sum of two tensors: the limits of their types.
        gains: Of a sum of two tensors: the layer's own factors.
        held: Of a sum of two tensors: the factors of what the tensor holds, where those are not the terms' own.
        ratio: What the integer 1 of the tensor stands for, in steps of the terms.
        unsigned: Whether the layer writes them without a sign: they have the sign of what it reads.
    """

    place: Place
    node: Node
    shape: Shape
    steps: Steps
    reach: tuple[int, int]
    span: tuple[int, int] | None = None
    terms: tuple[tuple[int, int, int], ...] = ()
    frac: int | None = None
    limits: tuple[tuple[int, int], ...] = ()
    gains: Pair | None = None
    held: tuple[int, ...] = ()
    ratio: Fraction = Fraction(1)
    unsigned: bool = False

    @property
    def beside(self) -> bool:
        """Whether the scale stands beside the type of the sums, whose fractional bits mean something else."""
        power = frac_of(self.steps[0]) if len(self.steps) == 1 else None
        return self.frac is not None and self.frac != (power or 0)

    def sums(self) -> Sums | None:
        """Return the sums that can come; ``None`` where that is the whole reach, or too much."""
        counts = [high - low + 1 for _, low, high in self.terms]
        most = sum(abs(gain) * max(abs(low), abs(high)) for gain, low, high in self.terms)
        if not counts or math.prod(counts) > _MAX_SUMS or most >= 1 << 62:
            return None
        exact = held = np.zeros((1, 1), dtype=np.int64)
        for index, (gain, low, high) in enumerate(self.terms):
            codes = np.arange(low, high + 1, dtype=np.int64)
            exact = exact.reshape(-1, 1) + gain * codes
            held = held.reshape(-1, 1) + (self.held[index] if self.held else gain) * codes
        order = exact.reshape(-1).argsort(kind="stable")
        return Sums(exact.reshape(-1)[order], held.reshape(-1)[order], self.ratio)

    def reduced(self, bits: int) -> SumSource | None:
        """Return the sum with factors of fewer bits, which lie near the exact ones; ``None`` where it has no more.

        Whether they are near enough is for the search for constants to say.
        """
        node = self.node
        if self.gains is None:
            return None
        ratio = 1 << max(max(map(abs, self.gains)).bit_length() - bits, 0)
        first, second = (round(Fraction(gain, ratio)) for gain in self.gains)
        if ratio == 1 or not first or not second:
            return None
        held = tuple(
            term * gain // old for (term, _, _), old, gain in zip(self.terms, self.gains, (first, second), strict=True)
        )
        ends = [sorted((g * low, g * high)) for g, (_, low, high) in zip(held, self.terms, strict=True)]
        assert self.span is not None
        spans = [sorted((g * low, g * high)) for g, (low, high) in zip(held, self.limits, strict=True)]
        return replace(
            self,
            node=Add(node.name, node.inputs, node.output, (first, second)),
            gains=(first, second),
            steps=(self.steps[0] * ratio,),
            reach=(ends[0][0] + ends[1][0], ends[0][1] + ends[1][1]),
            span=(spans[0][0] + spans[1][0], spans[0][1] + spans[1][1]),
            held=held,
            ratio=Fraction(ratio),
        )


_MAX_SUMS = 1 << 20


@dataclass(frozen=True, eq=False)
class InputSource:
    """The network's input before its quantizer: real numbers ``gain * x + offset``, one of each a channel.

    Attributes:
        shape: The picture's.
        gain: Factors; empty for 1.
        offset: Summands; empty for 0.
    """

    shape: Shape
    gain: tuple[Fraction, ...] = ()
    offset: tuple[Fraction, ...] = ()


@dataclass(frozen=True, eq=False)
class MovedSource:
    """Values of another source that an op has chosen or moved: it may as well do so behind the quantizer.

    Attributes:
        place: The op.
        source: What it reads.
        node: The layer, whose names are not final.
        shape: Of its result.
        pads: Rows and columns of the least value around what it reads.
        compares: Whether it takes the greatest of several values: no falling function may stand behind it.
        enlarges: Whether it makes more values than it reads: it stands behind a requantisation then.
    """

    place: Place
    source: Source
    node: Node
    shape: Shape
    pads: Sides = (0, 0, 0, 0)
    compares: bool = False
    enlarges: bool = False


Source: TypeAlias = TensorSource | SumSource | InputSource | MovedSource


@dataclass(frozen=True, eq=False)
class Value:
    """``clamp(R(bend(source)), low, high)``, in real numbers; ``R`` rounds to multiples of ``step``.

    Attributes:
        source: What is clamped and rounded.
        place: The op that did so last.
        bends: The function of each channel of the root of the source; empty where nothing is done.
        low: Least value; ``None`` where nothing is clamped below.
        high: Greatest value; ``None`` where nothing is clamped above.
        step: The grid that the value was rounded to; ``None`` where it was not rounded.
        rounding: How.
        declared: The type that the last quantizer declared.
        wraps: Whether what is outside the declared type wraps around.
    """

    source: Source
    place: Place
    bends: tuple[Bend, ...] = ()
    low: Bound = None
    high: Bound = None
    step: Fraction | None = None
    rounding: Rounding = half_even
    declared: Form | None = None
    wraps: bool = False

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        return shape_of(self.source)

    @property
    def channels(self) -> int:
        """Channels of the root of the source; where they have become pixels, those of a channel stand apart."""
        return shape_of(root(self.source))[2]

    @property
    def channel_bends(self) -> tuple[Bend, ...]:
        """The function of each channel, also where nothing is done."""
        return self.bends or (Bend(),) * self.channels

    @property
    def untouched(self) -> bool:
        """Whether it is the source itself."""
        return not self.bends and (self.low, self.high, self.step) == (None, None, None)

    @property
    def uniform(self) -> Fraction | None:
        """The one positive factor of all channels, where nothing else is done to the source; ``None`` otherwise."""
        if (self.low, self.high, self.step) != (None, None, None):
            return None
        found = set(self.bends) or {Bend()}
        (bend,) = found if len(found) == 1 else (None,)
        plain = bend is not None and bend.straight and bend.upper.gain > 0 and not bend.upper.offset
        return bend.upper.gain if bend is not None and plain else None

    def clipped(self, place: Place, low: Bound, high: Bound) -> Value:
        """Return the value behind one more clamp."""
        new_low = low if self.low is None else limited(self.low, low, high)
        new_high = high if self.high is None else limited(self.high, low, high)
        return replace(self, place=place, low=new_low, high=new_high)


@dataclass(frozen=True, eq=False)
class Joined:
    """A concatenation that is not in the graph yet; each leg can still be quantised on its own."""

    place: Place
    legs: tuple[Value, ...]

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        return (*self.legs[0].shape[:2], sum(leg.shape[2] for leg in self.legs))


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of one tensor that waits for its quantizer.

    Attributes:
        place: The op.
        source: The tensor, of few enough bits for a table.
        values: The real value for each of its integers, from the least on: a fraction where it is exact, or a float64
            of a function that has no exact value.
        sigmoid: Whether it is the sigmoid of the tensor itself.
    """

    place: Place
    source: Tensor
    values: tuple[Fraction | float, ...]
    sigmoid: bool = False

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        return self.source.shape

    def then(self, place: Place, function: Callable[[Fraction | float], Fraction | float]) -> Curve:
        """Return the function behind another one."""
        return Curve(place, self.source, tuple(function(each) for each in self.values))


AnyValue: TypeAlias = Value | Joined | Curve


def root(source: Source) -> TensorSource | SumSource | InputSource:
    """Return what stands before all that was chosen or moved."""
    while isinstance(source, MovedSource):
        source = source.source
    return source


def as_value(value: AnyValue) -> Value:
    """Return what an op makes of a leg of a concatenation, which is a value again."""
    assert isinstance(value, Value)
    return value


def shape_of(source: Source) -> Shape:
    """Return height, width and channels of a source."""
    return source.tensor.shape if isinstance(source, TensorSource) else source.shape


def compared(source: Source) -> bool:
    """Return whether the greatest of several values was taken on the way."""
    return isinstance(source, MovedSource) and (source.compares or compared(source.source))


def steps_of(source: Source) -> Steps | None:
    """Return the real value of the integer 1 of a source; ``None`` of the network's input."""
    found = root(source)
    if isinstance(found, TensorSource):
        return (step_of(found.tensor),)
    return found.steps if isinstance(found, SumSource) else None


def common(values: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return one value where all are equal, else all of them."""
    return (values[0],) if len(set(values)) == 1 else tuple(values)


def windows(size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Pair:
    """Return the rows and columns of the result of valid windows; 0 or less where none fits."""
    rows, columns = (
        (length - reach * (taps - 1) - 1) // step + 1
        for length, taps, step, reach in zip(size, kernel, stride, dilation, strict=True)
    )
    return rows, columns


def whole(value: Fraction) -> int | None:
    """Return a fraction as an integer, where it is one."""
    return int(value) if value.denominator == 1 else None


def least_common(first: Fraction, second: Fraction) -> Fraction:
    """Return the greatest step of which both are whole multiples.

    >>> least_common(Fraction(3, 8), Fraction(1, 6))
    Fraction(1, 24)
    """
    bottom = math.lcm(first.denominator, second.denominator)
    top = math.gcd(first.numerator * (bottom // first.denominator), second.numerator * (bottom // second.denominator))
    return Fraction(top, bottom)
