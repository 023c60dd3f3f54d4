"""Widths of layers for hls4ml's own calculation of them, which quantizers in a model start: HGQ2's networks.

hls4ml's pass ``bit_exact`` asks each layer for the widths of its exact results and stops with an error of its own at a
layer that it does not know. What it does not know of a U-Net says it here, one width for all values of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hls4ml.model.layers import (
    Cropping1D,
    Cropping2D,
    GlobalPooling1D,
    GlobalPooling2D,
    Layer,
    Resize,
    ZeroPadding1D,
    ZeroPadding2D,
)
from hls4ml.model.optimizer.passes import bit_exact
from hls4ml.utils.qinterval import minimal_kif

from quantunet.hls.csim.extension import QunConv2D
from quantunet.hls.plugin.hls_layers import QunReLU
from quantunet.ir import Array

Widths = tuple[Array, Array, Array]
"""Of every value: signed, integer bits without the sign, fraction bits."""

_hls4ml: dict[type[Layer], Callable[[Layer], Widths]] = {}
"""hls4ml's own answers, where they are put right."""

_BILINEAR_BITS = 2
"""Fraction bits that halving the distance of pixels adds in each direction: the weights are quarters."""


def register_widths() -> None:
    """Make the layers known to hls4ml's pass; a second call changes nothing."""
    widths = bit_exact._produce_kif
    for moved in (Cropping1D, Cropping2D, QunReLU, Resize, ZeroPadding1D, ZeroPadding2D):
        widths.register(moved, _moved)
    widths.register(QunConv2D, _convolved)
    for kind in (GlobalPooling1D, GlobalPooling2D):
        if kind not in _hls4ml:
            _hls4ml[kind] = widths.dispatch(kind)
            widths.register(kind, _global_pool)


def _global_pool(layer: Layer) -> Widths:
    """Return what hls4ml says, in the shape of the result: of an image it leaves an axis too many."""
    kind = GlobalPooling1D if isinstance(layer, GlobalPooling1D) else GlobalPooling2D
    signed, integer, fraction = _hls4ml[kind](layer)
    shape = bit_exact.get_output_shape(layer)
    return signed.reshape(shape), integer.reshape(shape), fraction.reshape(shape)


def _greatest(layer: Layer) -> tuple[int, int, int]:
    signed, integer, fraction = bit_exact.get_input_kifs(layer)[0]
    return int(np.max(signed)), int(np.max(integer)), int(np.max(fraction))


def _everywhere(layer: Layer, signed: int, integer: int, fraction: int) -> Widths:
    shape = bit_exact.get_output_shape(layer)
    return np.full(shape, signed, np.int16), np.full(shape, integer, np.int16), np.full(shape, fraction, np.int16)


def _moved(layer: Layer) -> Widths:
    """Return the widths of values that are handed on, limited, or averaged where a map is resized."""
    signed, integer, fraction = _greatest(layer)
    if layer.attributes.get("algorithm") == "bilinear":
        sides = (("in_height", "out_height"), ("in_width", "out_width"))
        grown = [layer.attributes[before] != layer.attributes[after] for before, after in sides]
        fraction += _BILINEAR_BITS * sum(grown)
    return _everywhere(layer, signed, integer, fraction)


def _convolved(layer: Layer) -> Widths:
    """Return the widths of sums, from the weights' own values."""
    signed, integer, fraction = _greatest(layer)
    weight, bias = (_data(layer.weights.get(name)) for name in ("weight", "bias"))
    largest = 2.0**integer * np.abs(weight).sum(axis=tuple(range(weight.ndim - 1))) + np.abs(bias)
    parts = [fraction + int(np.max(minimal_kif(weight)[2])), int(np.max(minimal_kif(bias)[2]))]
    negative = signed or weight.min() < 0 or bias.min() < 0
    return _everywhere(layer, int(negative), math.ceil(math.log2(largest.max() or 1)) + 1, max(parts))


def _data(variable: Any) -> Any:
    return np.zeros(1) if variable is None else np.asarray(variable.data, dtype=np.float64)
