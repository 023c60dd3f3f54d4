"""Cases of the two matrix ops for the module benches: chosen corners and random draws."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from helpers.benches.cases import Case, layer_case

from quantunet.hls.design import Fold, Style
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, IntArray, QType, Tensor


@dataclass(frozen=True)
class Layer:
    """A convolution to simulate.

    Attributes:
        shape: ``(height, width, channels)`` of the input.
        channels: Output channels.
        pe: PE.
        simd: SIMD.
        source: Input type as ``u4`` or ``s4``.
        bits_w: Width of the weights.
        target: Output type, likewise.
        kernel: 1 or 3; 2 for the transpose convolution.
        shift: Right shift of the requantisation; ``None`` for one that makes the output use its range.
        style: How it multiplies.
    """

    shape: tuple[int, int, int]
    channels: int
    pe: int
    simd: int
    source: str
    bits_w: int
    target: str
    kernel: int = 3
    shift: int | None = None
    style: Style = "folded-lut"


def _qtype(text: str, frac: int = 0) -> QType:
    return QType(int(text[1:]), text[0] == "s", frac)


def graph_of(layer: Layer, seed: int) -> Graph:
    """Return the layer as a graph with random weights and biases; the extreme values are among them."""
    rng = np.random.default_rng(seed)
    source, target = _qtype(layer.source), _qtype(layer.target)
    low = -(1 << (layer.bits_w - 1))
    weight = rng.integers(low + 1, -low, size=(layer.kernel, layer.kernel, layer.shape[2], layer.channels))
    weight.flat[rng.integers(weight.size)] = low
    axes = (2,) if layer.kernel == 2 else (0, 1, 2)
    middle = (source.qmax + source.qmin) / 2
    deviation = math.sqrt(float(np.sum(weight**2, axis=axes).mean())) * (source.qmax - source.qmin) / math.sqrt(12)
    # The bias puts the accumulators around the middle of the output's range, so that both of its limits are met.
    centre = 0 if target.signed else deviation / 2
    offset = np.sum(weight, axis=axes).reshape(-1, layer.channels).mean(axis=0) * middle
    bias = np.rint(rng.normal(centre - offset, deviation / 4)).astype(np.int64)
    shift = layer.shift
    if shift is None:
        shift = round(math.log2(max(deviation, 1) / (target.qmax - target.qmin)) + 1)
    kind, scale = (ConvTranspose2d, 2) if layer.kernel == 2 else (Conv2d, 1)
    node = kind("layer", ("x",), "y", IntArray.of(weight), QType(layer.bits_w, True, shift), IntArray.of(bias))
    height, width, _ = layer.shape
    x = Tensor("x", layer.shape, source)
    y = Tensor("y", (height * scale, width * scale, layer.channels), target)
    return Graph("layer", ("x",), "y", (x, y), (node,)).check()


def case_of(layer: Layer, seed: int, frames: int = 3) -> Case:
    """Return the bench case of a layer, after a look that its output is not trivial."""
    case = layer_case(graph_of(layer, seed), Fold(layer.pe, layer.simd, layer.style), frames=frames, seed=seed)
    output = case.frames["y"]
    assert len(np.unique(output)) > 1, f"{layer}: the output is constant"
    return case


def saturates(case: Case) -> bool:
    """Return whether the output holds both limits of its type, and values between them."""
    (_, target) = case.streams
    values = set(np.unique(case.frames["y"]).tolist())
    return {target.qtype.qmin, target.qtype.qmax} < values


def random_layer(rng: random.Random, *, transpose: bool) -> Layer:
    """Draw a small layer: any divisors as PE and SIMD, widths of 2 to 8 bits, both signs, any shift, both styles."""

    def draw_type() -> str:
        return f"{rng.choice('us')}{rng.randint(2, 8)}"

    def divisor(value: int) -> int:
        return rng.choice([factor for factor in range(1, value + 1) if value % factor == 0])

    channels_in, channels = rng.choice((1, 2, 3, 4, 6, 8, 12, 16)), rng.choice((1, 2, 3, 4, 6, 8, 10))
    return Layer(
        shape=(rng.randint(2, 7), rng.randint(2, 7), channels_in),
        channels=channels,
        pe=divisor(channels),
        simd=divisor(channels_in),
        source=draw_type(),
        bits_w=rng.randint(2, 8),
        target=draw_type(),
        kernel=2 if transpose else rng.choice((1, 3, 3)),
        shift=rng.randint(-3, 0) if rng.random() < 0.15 else None,
        style=rng.choice(("folded-lut", "folded-dsp", "folded-dsp")),
    )
