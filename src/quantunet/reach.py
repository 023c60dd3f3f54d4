"""What is known of a value without making a layer: the integers that can come, real limits, and the grid they lie on.

A plain value needs no other requantisation than one by a power of two, rounded half to even, as every layer has it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from quantunet.errors import ScaleError
from quantunet.fraction_rounding import bipolar, half_even
from quantunet.ranges import Range, limited
from quantunet.values import InputSource, Source, SumSource, TensorSource, Value, frac_of, root, steps_of


def codes_of(value: Value, step: Fraction) -> tuple[int | None, int | None]:
    """Return a value's bounds as integers of a step.

    Raises:
        ScaleError: A bound lies between two integers.
    """
    found: list[int | None] = []
    for bound in (value.low, value.high):
        scaled = None if bound is None else bound / step
        if scaled is not None and scaled.denominator != 1:
            raise ScaleError(
                value.place.name,
                expected=f"a limit that is a multiple of {shown(step)}",
                got=str(float(bound or 0)),
                hint="Put a quantizer behind it, or clip at a multiple of the scale.",
            )
        found.append(None if scaled is None else int(scaled))
    return found[0], found[1]


def channel_steps(value: Value) -> tuple[Fraction, ...]:
    """Return the real value of the integer 1 of each channel."""
    steps, channels = steps_of(value.source), value.channels
    assert steps is not None
    return steps if len(steps) == channels else steps * channels


def grid_of(value: Value) -> Fraction:
    """Return the step of the tensor that a plain value becomes."""
    if value.step is not None:
        return value.step
    steps = steps_of(value.source)
    assert steps is not None
    declared = None if value.declared is None else value.declared.step
    finer = declared is not None and frac_of(declared) is not None and frac_of(steps[0]) is not None
    return declared if finer and declared is not None and declared <= steps[0] else steps[0]


def is_on_grid(value: Value, step: Fraction) -> bool:
    """Return whether a value is already a multiple of a step, and an integer shifted left at most."""
    grid = value.step
    if grid is None:
        steps = None if value.bends else steps_of(value.source)
        if steps is None or len(steps) > 1:
            return False
        grid = steps[0]
    ratio = grid / step
    return ratio == 1 or (ratio.denominator == 1 and frac_of(grid) is not None and frac_of(step) is not None)


def is_plain(value: Value) -> bool:
    """Return whether a value needs no other requantisation than one by a power of two, half to even."""
    steps, base = steps_of(value.source), root(value.source)
    if value.bends or value.wraps or steps is None or len(steps) > 1:
        return False
    if isinstance(base, SumSource) and base.beside:
        return False
    if isinstance(base, TensorSource) and base.tensor.unit is not None and base.tensor.qtype.frac:
        return False
    if value.step is None:
        return True
    powers = frac_of(steps[0]) is not None and frac_of(value.step) is not None
    return (value.rounding is half_even and powers) or (value.step == steps[0] and value.rounding is not bipolar)


def integers(source: Source) -> tuple[int, int]:
    """Return the least and the greatest integer of a source."""
    found = root(source)
    assert not isinstance(found, InputSource)
    return found.reach


def rounded_reach(source: Source, step: Fraction) -> Range:
    """Return the integers of a source of one step behind a rounding, half to even, to another step.

    ``None`` of the network's input, of which nothing is known.
    """
    if isinstance(root(source), InputSource):
        return None
    steps, (low, high) = steps_of(source), integers(source)
    assert steps is not None
    scale = steps[0] / step
    return round(low * scale), round(high * scale)


def real_reach(value: Value) -> tuple[Fraction, Fraction]:
    """Return the least and the greatest real value, rounded and not clamped."""
    steps, (low, high) = channel_steps(value), integers(value.source)
    ends = []
    for step, bend in zip(steps, value.channel_bends, strict=True):
        inner = bend if bend.straight else None
        places = {low, high}
        if inner is None:
            corner = bend.corner / step
            places |= {min(max(each, low), high) for each in (math.floor(corner), math.ceil(corner))}
        for place in places:
            line = bend.upper if bend.straight or place * step >= bend.corner else bend.lower
            real = line.gain * place * step + line.offset
            ends.append(real if value.step is None else value.rounding(real / value.step) * value.step)
    return min(ends), max(ends)


def is_inside(value: Value, least: Fraction, most: Fraction) -> bool:
    """Return whether every value lies between two limits."""
    if isinstance(root(value.source), InputSource):
        return value.low is not None and value.high is not None and value.low >= least and value.high <= most
    low, high = real_reach(value)
    ends = [limited(end, value.low, value.high) for end in (low, high)]
    return min(ends) >= least and max(ends) <= most


def without_idle_bounds(value: Value) -> Value:
    """Forget bounds that no value reaches, so that a convolution with its whole accumulator is one again."""
    if not is_plain(value):
        return value
    steps = steps_of(value.source)
    assert steps is not None
    step = steps[0] if value.step is None else value.step
    reach = rounded_reach(value.source, step)
    if reach is None:
        return value
    least, most = (code * step for code in reach)
    low = None if value.low is not None and least >= value.low else value.low
    high = None if value.high is not None and most <= value.high else value.high
    return replace(value, low=low, high=high)


def shown(step: Fraction) -> str:
    """Return a step in words, a power of two as one.

    >>> shown(Fraction(1, 8)), shown(Fraction(3, 8))
    ('2**-3', '0.375')
    """
    frac = frac_of(step)
    return f"{float(step):g}" if frac is None else f"2**{-frac}"
