"""Cases of the two matrix ops for the module benches: chosen corners and random draws."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from helpers.benches.cases import Case, layer_case

from quantunet.golden.inference import evaluate
from quantunet.graph_check import check
from quantunet.hls.design import Fold, Style
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, IntArray, Pair, QType, Sides, Tensor


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
        kernel: 1 or 3; 2 for the transpose convolution. Rows and columns where the geometry is not the native one.
        shift: Right shift of the requantisation; ``None`` for one that makes the output use its range.
        style: How it multiplies.
        stride: Rows and columns from window to window, or of a transpose convolution.
        dilation: Rows and columns from tap to tap.
        groups: Groups of channels.
        crop: Of a transpose convolution; ``None`` for a convolution.
    """

    shape: tuple[int, int, int]
    channels: int
    pe: int
    simd: int
    source: str
    bits_w: int
    target: str
    kernel: int | Pair = 3
    shift: int | None = None
    style: Style = "folded-lut"
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    crop: Sides | None = None

    @property
    def taps(self) -> Pair:
        """Rows and columns of the kernel."""
        return (self.kernel, self.kernel) if isinstance(self.kernel, int) else self.kernel

    @property
    def node_type(self) -> type[Conv2d] | type[ConvTranspose2d]:
        """The class of the node."""
        return ConvTranspose2d if self.kernel == 2 or self.crop is not None else Conv2d

    @property
    def geometry(self) -> dict[str, Any]:
        """The fields of the node that say where its windows stand."""
        if isinstance(self.kernel, int):
            return {}
        if self.crop is not None:
            return {"stride": self.stride, "crop": self.crop}
        return {"stride": self.stride, "dilation": self.dilation, "groups": self.groups, "padded": False}

    @property
    def output_pixels(self) -> Pair:
        """Rows and columns of the output."""
        if isinstance(self.kernel, int):
            scale = 2 if self.kernel == 2 else 1
            return self.shape[0] * scale, self.shape[1] * scale
        found = []
        for axis in (0, 1):
            taps, stride, pixels = self.taps[axis], self.stride[axis], self.shape[axis]
            if self.crop is not None:
                found.append((pixels - 1) * stride + taps - self.crop[axis] - self.crop[axis + 2])
            else:
                found.append((pixels - (taps - 1) * self.dilation[axis] - 1) // stride + 1)
        return found[0], found[1]


CONV2D: tuple[Layer, ...] = (
    Layer((8, 8, 8), 4, pe=2, simd=4, source="u4", bits_w=4, target="u4"),
    Layer((2, 2, 2), 3, pe=3, simd=1, source="u8", bits_w=8, target="u8"),
    Layer((1, 1, 4), 2, pe=1, simd=2, source="s3", bits_w=5, target="s4"),
    Layer((1, 6, 3), 2, pe=2, simd=3, source="s8", bits_w=2, target="u3"),
    Layer((6, 1, 2), 2, pe=1, simd=2, source="u2", bits_w=3, target="s8"),
    Layer((5, 7, 1), 1, pe=1, simd=1, source="u8", bits_w=6, target="u5"),
    Layer((3, 5, 12), 6, pe=6, simd=12, source="u5", bits_w=7, target="u2"),
    Layer((4, 4, 22), 2, pe=2, simd=11, source="s2", bits_w=3, target="s2"),
    Layer((4, 3, 16), 4, pe=4, simd=16, source="s4", bits_w=4, target="s6"),
    Layer((3, 4, 2), 2, pe=2, simd=2, source="u4", bits_w=3, target="s8", shift=0),
    Layer((3, 4, 2), 2, pe=1, simd=1, source="s2", bits_w=2, target="u8", shift=-2),
    Layer((3, 3, 4), 2, pe=1, simd=2, source="s16", bits_w=8, target="s16"),
    Layer((4, 5, 1), 1, pe=1, simd=1, source="u6", bits_w=4, target="s5", kernel=1),
    Layer((4, 5, 3), 1, pe=1, simd=1, source="u3", bits_w=8, target="s6", kernel=1),
    Layer((3, 3, 8), 8, pe=2, simd=4, source="s5", bits_w=2, target="u4", kernel=1),
    Layer((3, 4, 6), 10, pe=10, simd=6, source="u7", bits_w=5, target="s3", kernel=1),
    Layer((2, 3, 24), 20, pe=2, simd=2, source="u4", bits_w=4, target="u4"),  # 1080 words of weights: one more register
    Layer((3, 4, 4), 2, pe=1, simd=2, source="u1", bits_w=2, target="s1"),
    Layer((3, 4, 2), 2, pe=2, simd=2, source="s1", bits_w=3, target="u1"),
    Layer((2, 5, 2), 2, pe=1, simd=2, source="u16", bits_w=4, target="u16"),
)

FOLDED: tuple[Layer, ...] = (
    # Two products in a multiplier beside padding; outputs of a single tap, each with a bias of its own.
    Layer((3, 4, 4), 4, pe=4, simd=2, source="u4", bits_w=4, target="s4", style="folded-dsp"),
    Layer((3, 4, 4), 6, pe=2, simd=4, source="u4", bits_w=4, target="s6", kernel=1),
)
"""What decides how the matrix of a convolution reads its words."""

DEEP: tuple[Layer, ...] = (
    Layer((1, 2, 8), 130, pe=1, simd=1, source="u4", bits_w=3, target="s4", kernel=1),  # an output every eight cycles
)
"""A deep table of weights, where a step stands in a register when a reset comes."""

CONV_TRANSPOSE2D: tuple[Layer, ...] = (
    Layer((4, 4, 8), 4, pe=2, simd=4, source="u4", bits_w=4, target="s4", kernel=2),
    Layer((2, 2, 1), 1, pe=1, simd=1, source="u8", bits_w=8, target="s8", kernel=2),
    Layer((1, 1, 4), 2, pe=1, simd=2, source="s3", bits_w=5, target="s4", kernel=2),
    Layer((1, 5, 2), 2, pe=2, simd=2, source="s8", bits_w=2, target="u3", kernel=2),
    Layer((5, 1, 2), 2, pe=2, simd=1, source="u2", bits_w=3, target="s8", kernel=2),
    Layer((3, 5, 12), 6, pe=6, simd=12, source="u5", bits_w=7, target="u2", kernel=2),
    Layer((3, 2, 22), 2, pe=1, simd=11, source="s2", bits_w=3, target="s2", kernel=2),
    Layer((2, 3, 4), 2, pe=2, simd=4, source="u4", bits_w=3, target="s8", kernel=2, shift=-1),
    Layer((3, 3, 4), 4, pe=1, simd=1, source="s16", bits_w=8, target="s16", kernel=2),
    Layer((4, 3, 16), 4, pe=4, simd=16, source="s4", bits_w=6, target="s6", kernel=2),
    Layer((2, 2, 34), 16, pe=1, simd=2, source="u4", bits_w=4, target="s4", kernel=2),  # 1088 words of weights
    Layer((2, 3, 2), 2, pe=1, simd=2, source="u1", bits_w=2, target="s1", kernel=2),
    Layer((3, 2, 2), 2, pe=2, simd=2, source="s1", bits_w=3, target="u1", kernel=2),
    Layer((2, 3, 2), 2, pe=1, simd=2, source="u16", bits_w=4, target="u16", kernel=2),
)


WINDOW_CONV2D: tuple[Layer, ...] = (
    Layer((5, 6, 2), 4, 2, 1, "u4", 4, "u4", (3, 3)),
    Layer((9, 8, 2), 3, 3, 1, "u8", 8, "u8", (3, 3), stride=(2, 2)),
    Layer((9, 8, 2), 2, 2, 2, "s3", 5, "s4", (7, 7), stride=(2, 1)),
    Layer((1, 13, 3), 2, 2, 3, "s8", 2, "u3", (1, 5), stride=(1, 2)),
    Layer((11, 1, 2), 2, 1, 2, "u2", 3, "s8", (3, 1), dilation=(2, 1)),
    Layer((9, 10, 2), 2, 2, 2, "u5", 3, "s6", (3, 3), dilation=(2, 3)),
    Layer((9, 12, 2), 1, 1, 2, "u4", 3, "u4", (1, 1), stride=(8, 8)),  # the input is the busiest
    Layer((10, 13, 1), 2, 2, 1, "s4", 4, "s4", (2, 3), stride=(3, 5)),
    Layer((4, 5, 3), 6, 2, 3, "u4", 4, "s5", (4, 5)),  # the whole image
    Layer((1, 1, 6), 4, 4, 3, "s1", 2, "s5", (1, 1), stride=(2, 2)),
    Layer((4, 5, 8), 4, 2, 2, "u4", 4, "u4", (3, 3), groups=2),
    Layer((5, 4, 12), 6, 2, 2, "s4", 4, "s4", (3, 2), stride=(2, 2), groups=3),
    Layer((4, 5, 4), 8, 2, 1, "u3", 3, "u3", (1, 1), stride=(1, 2), groups=4),
    Layer((5, 5, 2), 4, 4, 2, "u4", 4, "s18", (1, 2), shift=0, style="folded-dsp"),  # every sum
    # Transpose convolutions.
    Layer((3, 4, 4), 2, 2, 2, "u4", 4, "s4", (3, 3), stride=(2, 2), crop=(1, 1, 1, 1)),
    Layer((4, 4, 2), 2, 2, 1, "s4", 4, "s4", (4, 4), stride=(2, 2), crop=(3, 2, 2, 3)),
    Layer((1, 6, 3), 2, 1, 3, "u8", 3, "u5", (1, 2), stride=(1, 2), crop=(0, 0, 0, 0)),
    Layer((5, 4, 2), 3, 3, 2, "u3", 3, "s5", (3, 5), stride=(1, 3), crop=(2, 2, 2, 4)),
    Layer((4, 3, 1), 2, 1, 1, "s5", 4, "s5", (7, 3), stride=(3, 2), crop=(9, 3, 4, 1)),
    # Narrow and wide types.
    Layer((5, 1, 2), 2, 2, 1, "u1", 3, "s1", (3, 1)),
    Layer((5, 1, 4), 2, 2, 2, "s1", 3, "u16", (2, 1), shift=0),
    Layer((4, 4, 2), 2, 1, 1, "u16", 4, "s16", (2, 2)),
    Layer((3, 4, 1), 2, 1, 1, "s16", 2, "u1", (2, 3)),
    # Four folds of a group's input, and two of its output.
    Layer((3, 4, 8), 8, 2, 1, "u3", 3, "s5", (2, 2), groups=2),
)


def _divisor(rng: random.Random, value: int) -> int:
    return rng.choice([factor for factor in range(1, value + 1) if value % factor == 0])


def random_windows(rng: random.Random) -> Layer:
    """Draw a small layer of any geometry: a convolution, or a transpose convolution of a kernel at least its stride."""
    transposed, groups = rng.random() < 0.4, rng.choice((1, 1, 2, 3))
    groups = 1 if transposed else groups
    shape, kernel, stride, dilation, crop = [0, 0], [0, 0], [0, 0], [1, 1], [0, 0, 0, 0]
    for axis in (0, 1):
        stride[axis] = rng.choice((1, 1, 2, 3))
        kernel[axis] = rng.choice((1, 2, 3, 4, 5))
        if transposed:
            kernel[axis] = max(kernel[axis], stride[axis])
            overlap = kernel[axis] - stride[axis]
            crop[axis], crop[axis + 2] = overlap + rng.randint(0, 2), overlap + rng.randint(0, 2)
            least = -(-(crop[axis] + crop[axis + 2] + 1 - kernel[axis]) // stride[axis]) + 1
            shape[axis] = max(least, 1) + rng.randint(0, 3)
        else:
            dilation[axis] = rng.choice((1, 1, 2))
            shape[axis] = (kernel[axis] - 1) * dilation[axis] + 1 + rng.randint(0, 5)
    channels_in, channels = groups * rng.choice((1, 2, 3, 4)), groups * rng.choice((1, 2, 4))
    return Layer(
        shape=(shape[0], shape[1], channels_in),
        channels=channels,
        pe=_divisor(rng, channels // groups),
        simd=_divisor(rng, channels_in // groups),
        source=f"{rng.choice('us')}{rng.randint(2, 8)}",
        bits_w=rng.randint(2, 8),
        target=f"{rng.choice('us')}{rng.randint(3, 8)}",
        kernel=(kernel[0], kernel[1]),
        stride=(stride[0], stride[1]),
        dilation=(dilation[0], dilation[1]),
        groups=groups,
        crop=(crop[0], crop[1], crop[2], crop[3]) if transposed else None,
    )


def unfolded(layer: Layer) -> Layer:
    """Return the layer with all its channels at once, its weights as constants."""
    return replace(layer, pe=layer.channels, simd=layer.shape[2], style="constant")


CONV2D_CONSTANT: tuple[Layer, ...] = tuple(
    unfolded(layer)
    for layer in (
        Layer((8, 8, 8), 4, 4, 8, source="u4", bits_w=4, target="u4"),
        Layer((2, 2, 2), 3, 3, 2, source="u8", bits_w=8, target="u8"),
        Layer((1, 1, 4), 2, 2, 4, source="s3", bits_w=5, target="s4"),
        Layer((1, 6, 3), 2, 2, 3, source="s8", bits_w=2, target="u3"),
        Layer((6, 1, 2), 2, 2, 2, source="u2", bits_w=3, target="s8"),
        Layer((1, 2, 3), 2, 2, 3, source="u4", bits_w=4, target="u4"),
        Layer((2, 1, 3), 2, 2, 3, source="u4", bits_w=4, target="u4"),
        Layer((3, 2, 3), 2, 2, 3, source="u3", bits_w=8, target="s6"),
        # Sixteen outputs that nobody takes leave the window in the last row.
        Layer((2, 10, 1), 2, 2, 1, source="s2", bits_w=2, target="s2"),
        Layer((5, 7, 1), 1, 1, 1, source="u8", bits_w=6, target="u5"),
        Layer((3, 4, 2), 2, 2, 2, source="u4", bits_w=3, target="s8", shift=0),
        Layer((3, 4, 2), 2, 2, 2, source="s2", bits_w=2, target="u8", shift=-2),
        Layer((3, 3, 4), 2, 2, 4, source="s16", bits_w=8, target="s16"),
        # A row and a column of more outputs than the FIFO has places.
        Layer((1, 40, 1), 2, 2, 1, source="s2", bits_w=2, target="s2"),
        Layer((20, 1, 1), 2, 2, 1, source="s2", bits_w=2, target="s2"),
        Layer((1, 1, 2), 3, 3, 2, source="u4", bits_w=4, target="u4", kernel=1),
        Layer((4, 5, 3), 1, 1, 3, source="u3", bits_w=8, target="s6", kernel=1),
        Layer((3, 4, 6), 10, 10, 6, source="u7", bits_w=5, target="s3", kernel=1),
    )
)


def _qtype(text: str, frac: int = 0) -> QType:
    return QType(int(text[1:]), text[0] == "s", frac)


def graph_of(layer: Layer, seed: int) -> Graph:
    """Return the layer as a graph with random weights and biases; the extreme values are among them."""
    rng = np.random.default_rng(seed)
    source, target = _qtype(layer.source), _qtype(layer.target)
    low = -(1 << (layer.bits_w - 1))
    weight = rng.integers(low + 1, -low, size=(*layer.taps, layer.shape[2] // layer.groups, layer.channels))
    weight.flat[rng.integers(weight.size)] = low
    axes = (2,) if layer.node_type is ConvTranspose2d else (0, 1, 2)
    middle = (source.qmax + source.qmin) / 2
    deviation = math.sqrt(float(np.sum(weight**2, axis=axes).mean())) * (source.qmax - source.qmin) / math.sqrt(12)
    # The bias puts the accumulators around the middle of the output's range, so that both of its limits are met.
    centre = 0 if target.signed else deviation / 2
    offset = np.sum(weight, axis=axes).reshape(-1, layer.channels).mean(axis=0) * middle
    bias = np.rint(rng.normal(centre - offset, deviation / 4)).astype(np.int64)
    shift = layer.shift
    if shift is None:
        shift = round(math.log2(max(deviation, 1) / (target.qmax - target.qmin)) + 1)
    node = layer.node_type(
        "layer", ("x",), "y", IntArray.of(weight), QType(layer.bits_w, True, shift), IntArray.of(bias), **layer.geometry
    )
    x = Tensor("x", layer.shape, source)
    y = Tensor("y", (*layer.output_pixels, layer.channels), target)
    return check(Graph("layer", ("x",), "y", (x, y), (node,)))


def case_of(layer: Layer, seed: int, frames: int = 3) -> Case:
    """Return the bench case of a layer, after a look that its output is not trivial."""
    case = layer_case(graph_of(layer, seed), Fold(layer.pe, layer.simd, layer.style), frames=frames, seed=seed)
    output = case.frames["y"]
    assert len(np.unique(output)) > 1, f"{layer}: the output is constant"
    return case


def cases_of(layers: Sequence[Layer]) -> list[Case]:
    """Return the cases of layers, each with a seed of its own."""
    return [case_of(layer, seed) for seed, layer in enumerate(layers)]


def window_conv2d_cases() -> list[Case]:
    """Return the cases of ``qun_window_conv2d``: each geometry once."""
    return cases_of(WINDOW_CONV2D)


def saturates(case: Case) -> bool:
    """Return whether the output holds both limits of its type, and values between them."""
    (_, target) = case.streams
    values = set(np.unique(case.frames["y"]).tolist())
    return {target.qtype.qmin, target.qtype.qmax} < values


def random_layer(rng: random.Random, *, transpose: bool) -> Layer:
    """Draw a small layer: any divisors as PE and SIMD, widths of 2 to 8 bits, both signs, any shift, both styles."""

    def draw_type() -> str:
        return f"{rng.choice('us')}{rng.randint(2, 8)}"

    channels_in, channels = rng.choice((1, 2, 3, 4, 6, 8, 12, 16)), rng.choice((1, 2, 3, 4, 6, 8, 10))
    return Layer(
        shape=(rng.randint(2, 7), rng.randint(2, 7), channels_in),
        channels=channels,
        pe=_divisor(rng, channels),
        simd=_divisor(rng, channels_in),
        source=draw_type(),
        bits_w=rng.randint(2, 8),
        target=draw_type(),
        kernel=2 if transpose else rng.choice((1, 3, 3)),
        shift=rng.randint(-3, 0) if rng.random() < 0.15 else None,
        style=rng.choice(("folded-lut", "folded-dsp", "folded-dsp")),
    )


def extremes(source: QType, bits_w: int, pe: int, simd: int, style: Style) -> Case:
    """Return a 1x1 convolution on pixels and weights at their limits and between; no output saturates."""
    rng = np.random.default_rng(bits_w * 100 + source.bits)
    low, high, channels = -(1 << (bits_w - 1)), (1 << (bits_w - 1)) - 1, 2 * simd
    weight = rng.integers(low, high + 1, size=(channels, 2 * pe))
    # The first output fold pairs the smallest and the largest weights in every way; the second is random.
    weight[:, :pe] = np.where(np.arange(pe) * 4 // pe % 2 ^ (np.arange(pe) % 2), high, low)
    bias = rng.integers(low, high + 1, size=2 * pe)
    shift = max(0, bits_w + source.bits + (2 * simd - 1).bit_length() - 16)
    target = QType(16, True, 0)
    node = Conv2d("layer", ("x",), "y", IntArray.of(weight[None, None]), QType(bits_w, True, shift), IntArray.of(bias))
    shape = (1, 4, channels)
    graph = Graph("layer", ("x",), "y", (Tensor("x", shape, source), Tensor("y", (1, 4, 2 * pe), target)), (node,))
    case = layer_case(check(graph), Fold(pe, simd, style), frames=2)
    pixels = case.frames["x"].copy()
    pixels[0, 0, 0], pixels[0, 0, 1] = source.qmax, source.qmin
    pixels[0, 0, 2, ::2], pixels[0, 0, 2, 1::2] = source.qmin, source.qmax
    outputs = np.stack([evaluate(graph, node, [frame], plain=True) for frame in pixels])
    assert outputs.min() == outputs[0, 0].min() and len(np.unique(outputs)) > 8
    return replace(case, frames={"x": pixels, "y": outputs})


def pairs(case: Case) -> bool:
    """Return whether the case has two products in a multiplier."""
    return bool(dict(case.instance.params)["PairProducts"])


def widest_pairs() -> list[Case]:
    """Return the widest types of which two products fit into a multiplier, with lanes that are no powers of two too."""
    widths = [(5, 8, False), (5, 7, True), (6, 6, False), (7, 4, False), (8, 2, False), (4, 4, False), (4, 4, True)]
    return [
        extremes(QType(bits, signed, 0), bits_w, 4, simd, "folded-dsp")
        for (bits_w, bits, signed), simd in zip(widths, (8, 1, 2, 3, 4, 16, 5), strict=True)
    ]
