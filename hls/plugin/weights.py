"""Weights of hls4ml layers as integers of the types that the layers declare."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from quantunet.hls.plugin.precision import qtype_of, rule_of
from quantunet.hls.plugin.reading import Reader
from quantunet.ir import Array, QType


def integers(reader: Reader, layer: Any, name: str, what: str) -> tuple[Array, QType]:
    """Return weights as integers of the type that the layer declares for them, as :func:`rounded`."""
    weights = layer.weights[name]
    return rounded(reader, layer, weights.data, weights.type.precision, what)


def reals(reader: Reader, layer: Any, name: str, what: str) -> list[Fraction]:
    """Return weights as the real numbers that their declared type holds."""
    return held(*integers(reader, layer, name, what))


def held(codes: Array, qtype: QType) -> list[Fraction]:
    """Return the real numbers that integers of a type stand for."""
    step = Fraction(2) ** -qtype.frac
    return [int(code) * step for code in codes.reshape(-1).tolist()]


def rounded(reader: Reader, layer: Any, values: Any, precision: Any, what: str) -> tuple[Array, QType]:
    """Return real numbers as integers of a type, rounded as it says, which is what every backend of hls4ml does.

    Args:
        reader: Remembers the layers for which something was rounded.
        layer: The layer.
        values: Real numbers.
        precision: The hls4ml precision.
        what: What they are, for the message.

    Raises:
        UnsupportedOpError: Another precision than an integer or fixed-point one.
    """
    rule, qtype = rule_of(layer.name, precision), qtype_of(layer.name, precision)
    data = np.asarray(values, dtype=np.float64)
    scaled = np.ldexp(data, qtype.frac)
    codes = np.rint(scaled)
    exact = codes == scaled
    codes = np.clip(codes, -(2.0**62), 2.0**62).astype(np.int64)
    for place in zip(*np.nonzero(~exact), strict=True):
        codes[place] = rule.rounding(Fraction(float(data[place])) / rule.step)
    low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
    if low < rule.low or high > rule.high:
        codes = _limited(codes, qtype, rule.low, rule.high, wraps=rule.wraps)
    if not exact.all() or low < rule.low or high > rule.high:
        reader.rounded.setdefault(f"{what} to {precision}", []).append(layer.name)
    return codes, qtype


def _limited(codes: Array, qtype: QType, low: int, high: int, *, wraps: bool) -> Array:
    if not wraps:
        return np.clip(codes, low, high)
    span = np.int64(1 << qtype.bits)
    return np.asarray((codes - qtype.qmin) % span + qtype.qmin)
