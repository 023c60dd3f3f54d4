"""What is done to each value of a channel alike: factors and summands, slopes below zero, clamps and quantizers.

A concatenation has it done to each of its legs, and a function of a tensor becomes another function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from quantunet.curve_tables import CurveTables
from quantunet.exact_sums import with_bias
from quantunet.fraction_rounding import bipolar
from quantunet.layer_list import LayerList
from quantunet.ranges import Bound, limited
from quantunet.reach import is_inside, is_on_grid, without_idle_bounds
from quantunet.settle import Settler
from quantunet.value_types import fits, settled_type
from quantunet.values import (
    AnyValue,
    Curve,
    InputSource,
    Joined,
    Place,
    Rule,
    TensorSource,
    Value,
    as_value,
    compared,
    root,
)


class Pointwise:
    """Puts an operation behind a value.

    Args:
        layers: The graph's layers.
        settler: Makes the tensors of values that no further operation can wait for.
        tables: Makes the tables of functions.
    """

    def __init__(self, layers: LayerList, settler: Settler, tables: CurveTables) -> None:
        self._layers = layers
        self._settler = settler
        self._tables = tables

    def scale(self, place: Place, value: AnyValue, gain: Sequence[Fraction], offset: Sequence[Fraction]) -> AnyValue:
        """Return ``gain * value + offset``, one of each a channel: a normalisation, BatchNorm, or a bias.

        Raises:
            UnsupportedOpError: The value cannot be held before the operation.
        """
        if isinstance(value, Joined):
            return self._scaled_legs(place, value, gain, offset)
        if isinstance(value, Curve):
            if len(set(gain)) > 1 or len(set(offset)) > 1:
                return self.scale(place, self._settler.held(value, place), gain, offset)
            return value.then(place, lambda each: _times(each, gain[0], offset[0]))
        if isinstance(value.source, InputSource) and value.untouched and value.declared is None:
            return _scaled_input(place, value.source, gain, offset)
        summed = with_bias(self._layers, value, offset) if set(gain) == {1} else None
        if summed is not None:
            return replace(summed, place=place)
        factor = gain[0] if len(set(gain)) == 1 and not any(offset) and gain[0] > 0 else None
        if factor is not None and not value.wraps:
            if isinstance(root(value.source), InputSource):
                value = self._settler.held(value, value.place)
            return _relabelled(place, value, factor)
        value = _with_slope(value)
        if (value.low, value.high, value.step) != (None, None, None):
            value = self._settler.held(value, value.place)
        if any(each < 0 for each in gain) and compared(value.source):
            value = self._settler.held(value, value.place)  # the greatest value becomes the least
        lines = zip(value.channel_bends, _spread(value, gain), _spread(value, offset), strict=True)
        bends = tuple(bend.then(factor, summand) for bend, factor, summand in lines)
        return replace(value, place=place, bends=bends, declared=None)

    def leaky(self, place: Place, value: AnyValue, slopes: Sequence[Fraction]) -> AnyValue:
        """Return a value with a slope below zero, one of each channel: LeakyReLU, PReLU.

        Raises:
            UnsupportedOpError: The value cannot be held before the operation.
        """
        if isinstance(value, Joined):
            legs, at = [], 0
            for number, leg in enumerate(value.legs):
                channels = leg.shape[2]
                legs.append(as_value(self.leaky(place.numbered(number), leg, slopes[at : at + channels])))
                at += channels
            return replace(value, legs=tuple(legs))
        if isinstance(value, Curve):
            if len(set(slopes)) > 1:
                return self.leaky(place, self._settler.held(value, place), slopes)
            return value.then(place, lambda each: each if each >= 0 else _times(each, slopes[0], Fraction(0)))
        if not any(slopes):
            return value.clipped(place, Fraction(0), None)
        held = (value.low, value.high, value.step) != (None, None, None)
        if held or not all(bend.straight for bend in value.bends):
            value = self._settler.held(value, value.place)
        bends = tuple(b.leaking(slope) for b, slope in zip(value.channel_bends, _spread(value, slopes), strict=True))
        return replace(value, place=place, bends=bends, declared=None)

    def clip(self, place: Place, value: AnyValue, low: Bound, high: Bound) -> AnyValue:
        """Return ``clamp(value, low, high)``; a ReLU is a clip at 0."""
        if isinstance(value, Joined):
            return replace(value, legs=tuple(as_value(self.clip(place, leg, low, high)) for leg in value.legs))
        if isinstance(value, Curve):
            return value.then(place, lambda each: limited(each, low, high))
        if value.wraps:
            value = self._settler.held(value, value.place)
        return value.clipped(place, low, high)

    def quantise(self, place: Place, value: AnyValue, rule: Rule) -> AnyValue:
        """Return a value behind a quantizer."""
        if isinstance(value, Joined):
            if len({settled_type(leg) for leg in value.legs}) > 1 or settled_type(value.legs[0]) is None:
                legs = tuple(
                    as_value(self.quantise(place.numbered(index), leg, rule)) for index, leg in enumerate(value.legs)
                )
                return replace(value, legs=legs)
            value = self._layers.value(self._settler.tensor(value, place), value.place)
        if isinstance(value, Curve):
            return self._tables.tabulated(place, value, rule)
        return self._quantised(place, value, rule)

    def _scaled_legs(self, place: Place, value: Joined, gain: Sequence[Fraction], offset: Sequence[Fraction]) -> Joined:
        legs, at = [], 0
        for number, leg in enumerate(value.legs):
            part = slice(at, at + leg.shape[2])
            legs.append(as_value(self.scale(place.numbered(number), leg, gain[part], offset[part])))
            at = part.stop
        return replace(value, legs=tuple(legs))

    def _quantised(self, place: Place, value: Value, rule: Rule) -> Value:
        sign = rule.rounding is bipolar
        if value.wraps or (value.step is not None and (value.step != rule.step or sign)):
            value = self._rounded_first(value)  # a second rounding is a layer of its own
        rounds = sign or not is_on_grid(value, rule.step)

        def rounded(bound: Bound) -> Bound:
            return None if bound is None else rule.rounding(bound / rule.step) * rule.step

        low, high = rounded(value.low), rounded(value.high)
        least, most = rule.low * rule.step, rule.high * rule.step
        behind = replace(value, place=place, low=low, high=high, declared=rule.declared)
        if rounds or rule.declared is None:  # the limits are multiples of the rule's step, not of the sums'
            behind = replace(behind, step=rule.step, rounding=rule.rounding)
        if rule.wraps and not is_inside(behind, least, most):
            sloped = _with_slope(value)
            if sloped is not value:
                return self._quantised(place, sloped, rule)
            chosen = compared(value.source) and value.untouched and isinstance(root(value.source), TensorSource)
            if chosen or (value.low, value.high) != (None, None):
                return self._quantised(place, self._settler.held(value, value.place), rule)
            return replace(behind, step=rule.step, rounding=rule.rounding, wraps=True)
        result = replace(
            behind,
            low=least if low is None else limited(low, least, most),
            high=most if high is None else limited(high, least, most),
        )
        settled = without_idle_bounds(result)
        if not fits(settled) and settled_type(value) is None and value.declared is not None and fits(value):
            # Together they saturate at no type's limits; one behind the other they do.
            return self._quantised(place, self._settler.held(value, value.place), rule)
        same = (settled.low, settled.high, settled.step, settled.declared)
        return value if same == (value.low, value.high, value.step, value.declared) else settled

    def _rounded_first(self, value: Value) -> Value:
        """Return the value of the tensor behind a first quantizer, with limits between two of its integers left to do.

        ``clamp(x, low, high)`` is the same behind a clamp to the integers around the limits.
        """
        step = value.step
        if step is None:
            return self._settler.held(value, value.place)
        low = None if value.low is None else math.floor(value.low / step) * step
        high = None if value.high is None else math.ceil(value.high / step) * step
        done = self._settler.held(replace(value, low=low, high=high), value.place)
        return done if (low, high) == (value.low, value.high) else done.clipped(value.place, value.low, value.high)


def _spread(value: Value, each: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return what each channel has for every channel of the root: pixels were made of several of those."""
    return tuple(each) * (value.channels // len(each))


def _times(value: Fraction | float, gain: Fraction, offset: Fraction) -> Fraction | float:
    return value * gain + offset if isinstance(value, Fraction) else value * float(gain) + float(offset)


def _with_slope(value: Value) -> Value:
    """Return a value with a ReLU at its end as one with a slope of 0, which a factor or a wrapping may follow."""
    rectified = value.low == 0 and value.high is None and value.step is None
    if not rectified or not all(bend.straight for bend in value.bends):
        return value
    return replace(value, bends=tuple(bend.leaking(Fraction(0)) for bend in value.channel_bends), low=None)


def _relabelled(place: Place, value: Value, factor: Fraction) -> Value:
    """Return a value times one positive factor: nothing but the meaning of its integers changes."""
    if factor == 1:
        return value
    form = value.declared
    return replace(
        value,
        place=place,
        bends=tuple(bend.then(factor, Fraction(0)) for bend in value.channel_bends),
        low=None if value.low is None else value.low * factor,
        high=None if value.high is None else value.high * factor,
        step=None if value.step is None else value.step * factor,
        declared=None if form is None else replace(form, step=form.step * factor),
    )


def _scaled_input(place: Place, source: InputSource, gain: Sequence[Fraction], offset: Sequence[Fraction]) -> Value:
    before = source.gain or (Fraction(1),) * len(gain), source.offset or (Fraction(0),) * len(gain)
    gains = tuple(new * old for new, old in zip(gain, before[0], strict=True))
    offsets = tuple(g * old + new for g, old, new in zip(gain, before[1], offset, strict=True))
    return Value(InputSource(source.shape, gains, offsets), place)
