"""Random integer networks with the structure of the trained ones, for tests and benchmarks that need no training."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from quantunet.accumulator import bits_for, product_type
from quantunet.graph_check import check
from quantunet.ir import (
    INPUT_TYPE,
    MAX_BITS,
    PROBABILITY_TYPE,
    Add,
    Affine,
    Argmax,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Crop,
    DepthToSpace,
    DepthwiseConv2d,
    Graph,
    IntArray,
    Lookup,
    MatrixNode,
    Maximum,
    MaxPool2d,
    Multiply,
    Node,
    Pad,
    Pair,
    QType,
    Requant,
    ResizeBilinear,
    ResizeNearest,
    Shape,
    Sides,
    SmallestArea,
    SumPool2d,
    Tensor,
    window_places,
)
from quantunet.sigmoid_table import sigmoid_table


class GraphBuilder:
    """Adds layers with random weights one by one; the output's scale is set so that its values are not trivial."""

    def __init__(self, name: str, height: int, width: int, channels: int, input_type: QType, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.name = name
        self.tensors = [Tensor("image", (height, width, channels), input_type)]
        self.nodes: list[Node] = []

    def _tensor(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def _add(self, node: Node, shape: tuple[int, int, int], qtype: QType) -> str:
        self.tensors.append(Tensor(node.output, shape, qtype))
        self.nodes.append(node)
        return node.output

    def _weights(self, shape: tuple[int, ...], bits: int) -> IntArray:
        limit = (1 << (bits - 1)) - 1
        return IntArray.of(self.rng.integers(-limit, limit + 1, size=shape))

    def matrix(
        self, kind: type[Conv2d] | type[ConvTranspose2d], name: str, source: str, channels: int, kernel: int,
        bits_w: int, output: QType,
    ) -> str:  # fmt: skip
        """Add a convolution. The weights' scale is set so that the output uses its range without clipping much.

        A wide output has the scale of the sums, which it holds as they are.
        """
        x = self._tensor(source)
        weight = self._weights((kernel, kernel, x.shape[2], channels), bits_w)
        terms = x.shape[2] * (kernel * kernel if kind is Conv2d else 1)
        deviation = float(np.std(weight.array)) * x.qtype.qmax / 2 * terms**0.5 + 1
        # Unsigned inputs have a positive mean; the bias takes its share away, so that outputs of both signs appear.
        mean = 0 if x.qtype.signed else x.qtype.qmax / 5
        axes = (0, 1, 2) if kind is Conv2d else (2,)
        centre = np.rint(-mean * weight.array.sum(axis=axes).reshape(-1, channels).mean(axis=0)).astype(np.int64)
        bias = IntArray.of(centre + self.rng.integers(-int(deviation) - 1, int(deviation) + 2, size=channels))
        shift = 0 if output.bits > MAX_BITS else int(np.round(np.log2(deviation * 2 / max(output.qmax, 1))))
        weight_type = QType(bits_w, True, output.frac + shift - x.qtype.frac)
        scale = 1 if kind is Conv2d else 2
        shape = (x.shape[0] * scale, x.shape[1] * scale, channels)
        return self._add(kind(name, (source,), f"{name}_out", weight, weight_type, bias), shape, output)

    def convolution(
        self, name: str, source: str, channels: int, kernel: Pair, bits_w: int, output: QType, *, stride: Pair = (1, 1),
        dilation: Pair = (1, 1), groups: int = 1, crop: Sides | None = None,
    ) -> str:  # fmt: skip
        """Add a convolution of any geometry, without padding, or with ``crop`` a transpose convolution."""
        x = self._tensor(source)
        weight = self._weights((*kernel, x.shape[2] // groups, channels), bits_w)
        frac, pixels = x.qtype.frac, []
        for axis in (0, 1):
            if crop is not None:
                pixels.append((x.shape[axis] - 1) * stride[axis] + kernel[axis] - crop[axis] - crop[axis + 2])
            else:
                pixels.append((x.shape[axis] - (kernel[axis] - 1) * dilation[axis] - 1) // stride[axis] + 1)
        node: MatrixNode
        if crop is None:
            node = Conv2d(
                name, (source,), f"{name}_out", weight, QType(bits_w, True, 0), IntArray.of([0] * channels),
                stride=stride, dilation=dilation, groups=groups, padded=False,
            )  # fmt: skip
        else:
            node = ConvTranspose2d(
                name, (source,), f"{name}_out", weight, QType(bits_w, True, 0), IntArray.of([0] * channels),
                stride=stride, crop=crop,
            )  # fmt: skip
        deviation = float(np.std(weight.array)) * x.qtype.qmax / 2 * node.terms**0.5 + 1
        mean = 0 if x.qtype.signed else x.qtype.qmax / 5
        centre = np.rint(-mean * np.mean([part.sum(axis=(0, 1, 2)) for part in node.phases], axis=0)).astype(np.int64)
        bias = IntArray.of(centre + self.rng.integers(-int(deviation) - 1, int(deviation) + 2, size=channels))
        shift = int(np.round(np.log2(deviation * 2 / max(output.qmax, 1))))
        node = dataclasses.replace(node, bias=bias, weight_type=QType(bits_w, True, output.frac + shift - frac))
        return self._add(node, (pixels[0], pixels[1], channels), output)

    def depthwise_conv2d(
        self, name: str, source: str, kernel: Pair, bits_w: int, output: QType, stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
    ) -> str:  # fmt: skip
        """Add a depthwise convolution, with scales as in :meth:`matrix`."""
        x = self._tensor(source)
        weight = self._weights((*kernel, 1, x.shape[2]), bits_w)
        deviation = float(np.std(weight.array)) * x.qtype.qmax / 2 * (kernel[0] * kernel[1]) ** 0.5 + 1
        mean = 0 if x.qtype.signed else x.qtype.qmax / 2
        centre = np.rint(-mean * weight.array.sum(axis=(0, 1, 2))).astype(np.int64)
        bias = IntArray.of(centre + self.rng.integers(-int(deviation) - 1, int(deviation) + 2, size=x.shape[2]))
        shift = int(np.round(np.log2(deviation * 2 / max(output.qmax, 1))))
        weight_type = QType(bits_w, True, output.frac + shift - x.qtype.frac)
        node = DepthwiseConv2d(name, (source,), f"{name}_out", weight, weight_type, bias, stride, dilation)
        return self._add(node, self._windows(source, kernel, stride, dilation), output)

    def _windows(self, source: str, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Shape:
        """Return the shape of a pixel for each window that lies inside a tensor."""
        height, width, channels = self._tensor(source).shape
        rows, columns = (window_places(*sizes) for sizes in zip((height, width), kernel, stride, dilation, strict=True))
        return rows, columns, channels

    def maxpool2d(self, name: str, source: str, kernel: Pair = (2, 2), stride: Pair = (2, 2)) -> str:
        """Add a maximum over windows."""
        node = MaxPool2d(name, (source,), f"{name}_out", kernel, stride)
        return self._add(node, self._windows(source, kernel, stride), self._tensor(source).qtype)

    def sumpool2d(self, name: str, source: str, kernel: Pair = (2, 2), stride: Pair = (2, 2)) -> str:
        """Add a sum over windows in the smallest type; where a window has a power of two of pixels, it is the mean."""
        x, pixels = self._tensor(source).qtype, kernel[0] * kernel[1]
        bits = bits_for(pixels * x.qmin, pixels * x.qmax) - (not x.signed)
        finer = pixels.bit_length() - 1 if pixels & (pixels - 1) == 0 else 0
        node = SumPool2d(name, (source,), f"{name}_out", kernel, stride)
        return self._add(node, self._windows(source, kernel, stride), QType(bits, x.signed, x.frac + finer))

    def requant(self, name: str, source: str, qtype: QType) -> str:
        """Add a requantisation to exactly ``qtype``."""
        return self._add(Requant(name, (source,), f"{name}_out"), self._tensor(source).shape, qtype)

    def concat(self, name: str, skip: str, up: str) -> str:
        """Add a concatenation."""
        first, second = self._tensor(skip), self._tensor(up)
        shape = (*first.shape[:2], first.shape[2] + second.shape[2])
        return self._add(Concat(name, (skip, up), f"{name}_out"), shape, first.qtype)

    def add(self, name: str, first: str, second: str, qtype: QType, gains: tuple[int, int] = (1, 1)) -> str:
        """Add a weighted sum of two tensors, requantised to ``qtype``."""
        return self._add(Add(name, (first, second), f"{name}_out", gains), self._tensor(first).shape, qtype)

    def affine(
        self, name: str, source: str, qtype: QType, *, bits: int = 8, shift: int | None = None, shared: bool = False,
        branches: bool = True, splits: bool = False, signs: bool = True, bounds: tuple[int, int] | None = None,
        even: bool = False, wraps: bool = False,
    ) -> str:  # fmt: skip
        """Add a general requantisation to ``qtype`` with random constants.

        Args:
            name: The layer's name.
            source: Its input.
            qtype: Its output's type.
            bits: Width of the multipliers; 1 makes each of them 1, which leaves rounding alone.
            shift: Binary places that are dropped; what brings most values into the output's range, unless given.
            shared: Whether all channels have the same constants.
            branches: Whether the lower branch has constants of its own.
            splits: Whether it begins below another value than 0.
            signs: Whether multipliers may be negative.
            bounds: Of the output, where they are not its type's.
            even: Whether it rounds half to even.
            wraps: Whether what does not fit wraps around.
        """
        x = self._tensor(source)
        count, rng = 1 if shared else x.shape[2], self.rng
        most = max((1 << (bits - 1)) - 1, 1)
        reach = max(x.qtype.qmax, -x.qtype.qmin) * most
        if shift is None:  # some values of most channels saturate
            shift = max(reach.bit_length() - max(qtype.qmax, 1).bit_length() - 1, 0)

        def of_channels(low: int, high: int, factors: tuple[int, ...] = (1,)) -> IntArray:
            values = rng.integers(low, high + 1, size=count) * rng.choice(factors, size=count)
            return IntArray.of(np.resize(values, x.shape[2]))

        def pair() -> tuple[IntArray, IntArray]:
            step = 1 << shift
            return of_channels(most // 2 + 1, most, (-1, 1) if signs and bits > 1 else (1,)), of_channels(
                -step, 2 * step
            )

        split = of_channels(x.qtype.qmin // 2, x.qtype.qmax // 2) if splits else IntArray.of(np.zeros(x.shape[2], int))
        first = pair()
        low, high = (qtype.qmin, qtype.qmax) if bounds is None else bounds
        constants = (*first, split, *(pair() if branches else first))
        node = Affine(name, (source,), f"{name}_out", *constants, shift, low, high, even, wraps)
        return self._add(node, x.shape, qtype)

    def maximum(self, name: str, first: str, second: str) -> str:
        """Add the greater of two tensors."""
        x = self._tensor(first)
        return self._add(Maximum(name, (first, second), f"{name}_out"), x.shape, x.qtype)

    def multiply(self, name: str, first: str, second: str) -> str:
        """Add the exact product of two tensors; the second may be a gate."""
        x, y = self._tensor(first), self._tensor(second)
        return self._add(Multiply(name, (first, second), f"{name}_out"), x.shape, product_type(x.qtype, y.qtype))

    def argmax(self, name: str, source: str) -> str:
        """Add the channel of the greatest value."""
        height, width, channels = self._tensor(source).shape
        qtype = QType((channels - 1).bit_length(), False, 0)
        return self._add(Argmax(name, (source,), f"{name}_out"), (height, width, 1), qtype)

    def smallest_area(self, name: str, source: str, area: int) -> str:
        """Add a mask without foregrounds of fewer than ``area`` pixels."""
        x = self._tensor(source)
        return self._add(SmallestArea(name, (source,), f"{name}_out", area), x.shape, x.qtype)

    def lookup(self, name: str, source: str, table: IntArray, qtype: QType) -> str:
        """Add a table whose entries are of ``qtype``."""
        return self._add(
            Lookup(name, (source,), f"{name}_out", table, probability=False), self._tensor(source).shape, qtype
        )

    def sigmoid(self, name: str, source: str) -> str:
        """Add a sigmoid table."""
        x = self._tensor(source)
        table = sigmoid_table(x.qtype, PROBABILITY_TYPE)
        node = Lookup(name, (source,), f"{name}_out", table)
        return self._add(node, x.shape, PROBABILITY_TYPE)

    def pad(self, name: str, source: str, sides: Sides, value: int = 0) -> str:
        """Add pixels of one constant around the image."""
        x = self._tensor(source)
        shape = (x.shape[0] + sides[0] + sides[2], x.shape[1] + sides[1] + sides[3], x.shape[2])
        return self._add(Pad(name, (source,), f"{name}_out", sides, value), shape, x.qtype)

    def crop(self, name: str, source: str, sides: Sides) -> str:
        """Take rows and columns away at the image's sides."""
        x = self._tensor(source)
        shape = (x.shape[0] - sides[0] - sides[2], x.shape[1] - sides[1] - sides[3], x.shape[2])
        return self._add(Crop(name, (source,), f"{name}_out", sides), shape, x.qtype)

    def resize_nearest(self, name: str, source: str, factor: Pair = (2, 2)) -> str:
        """Repeat each pixel."""
        x = self._tensor(source)
        shape = (x.shape[0] * factor[0], x.shape[1] * factor[1], x.shape[2])
        return self._add(ResizeNearest(name, (source,), f"{name}_out", factor), shape, x.qtype)

    def resize_bilinear(self, name: str, source: str, factor: Pair = (2, 2)) -> str:
        """Double the size, linear between pixels; the output has two bits more for each axis."""
        x, more = self._tensor(source), 2 * (sum(factor) - 2)
        shape = (x.shape[0] * factor[0], x.shape[1] * factor[1], x.shape[2])
        qtype = QType(x.qtype.bits + more, x.qtype.signed, x.qtype.frac + more)
        return self._add(ResizeBilinear(name, (source,), f"{name}_out", factor), shape, qtype)

    def depth_to_space(self, name: str, source: str, block: Pair = (2, 2)) -> str:
        """Make pixels of channels."""
        (height, width, channels), qtype = self._tensor(source).shape, self._tensor(source).qtype
        shape = (height * block[0], width * block[1], channels // (block[0] * block[1]))
        return self._add(DepthToSpace(name, (source,), f"{name}_out", block), shape, qtype)

    def build(self, inputs: Sequence[str] = ("image",)) -> Graph:
        """Return the checked graph; the last node writes the output."""
        return check(Graph(self.name, tuple(inputs), self.nodes[-1].output, tuple(self.tensors), tuple(self.nodes)))


def random_unet(base: int = 4, depth: int = 2, size: int = 32, seed: int = 0, name: str = "random_unet") -> Graph:
    """Return a U-Net with random weights and widths of 2 to 8 bits, differing between layers."""
    builder = GraphBuilder(name, size, size, 1, INPUT_TYPE, seed)
    rng = np.random.default_rng(seed + 1)

    def bits() -> int:
        return int(rng.integers(2, 9))

    def unsigned() -> QType:
        width = bits()
        return QType(width, False, width - 1)

    def signed() -> QType:
        width = bits()
        return QType(width, True, width - 2)

    def conv(name: str, source: str, channels: int) -> str:
        return builder.matrix(Conv2d, name, source, channels, 3, bits(), unsigned())

    x = "image"
    skips: list[str] = []
    for level in range(depth):
        x = conv(f"enc{level}_conv0", x, base << level)
        x = conv(f"enc{level}_conv1", x, base << level)
        skips.append(x)
        x = builder.maxpool2d(f"pool{level}", x)
    x = conv("bottleneck_conv0", x, base << depth)
    x = conv("bottleneck_conv1", x, base << depth)
    for level in reversed(range(depth)):
        up = builder.matrix(ConvTranspose2d, f"up{level}", x, base << level, 2, bits(), signed())
        skip = builder.requant(f"skip{level}_requant", skips[level], builder._tensor(up).qtype)
        x = builder.concat(f"concat{level}", skip, up)
        x = conv(f"dec{level}_conv0", x, base << level)
        x = conv(f"dec{level}_conv1", x, base << level)
    logits = builder.matrix(Conv2d, "head", x, 1, 1, bits(), QType(6, True, 3))
    builder.sigmoid("sigmoid", logits)
    return builder.build()


def random_windows(seed: int = 0, name: str = "random_windows") -> Graph:
    """Return a network of convolutions of many geometries with random weights."""
    builder = GraphBuilder(name, 25, 23, 2, INPUT_TYPE, seed)
    x = builder.convolution("stem", "image", 4, (7, 5), 3, QType(4, False, 3), stride=(2, 2))
    y = builder.convolution("wide", x, 6, (5, 5), 3, QType(3, False, 2))
    y = builder.convolution("up", y, 4, (4, 4), 4, QType(4, True, 2), stride=(2, 2), crop=(2, 2, 2, 2))
    x = builder.add("join", x, y, QType(5, True, 2))
    x = builder.convolution("grouped", x, 4, (3, 3), 3, QType(4, True, 2), groups=2)
    x = builder.convolution("dilated", x, 4, (3, 2), 3, QType(4, False, 3), dilation=(2, 3))
    x = builder.convolution("up_columns", x, 2, (1, 3), 3, QType(5, True, 3), stride=(1, 3), crop=(0, 0, 0, 0))
    x = builder.convolution("strided", x, 4, (2, 2), 4, QType(4, False, 3), stride=(2, 1))
    builder.convolution("up_more", x, 4, (5, 4), 4, QType(7, True, 4), stride=(3, 2), crop=(2, 3, 4, 2))
    return builder.build()


def random_pools(seed: int = 0, name: str = "random_pools") -> Graph:
    """Return a network of depthwise convolutions and pools with random weights; a gate of the whole image joins it."""
    builder = GraphBuilder(name, 9, 10, 2, INPUT_TYPE, seed)
    x = builder.convolution("stem", "image", 4, (1, 3), 3, QType(4, False, 3))
    y = builder.depthwise_conv2d("depthwise", x, (2, 3), 4, QType(4, False, 3))
    x = builder.concat("join", builder.maxpool2d("overlapping", x, (2, 3), (1, 1)), y)
    y = builder.requant("mean", builder.sumpool2d("sum", x), QType(4, False, 3))
    y = builder.depthwise_conv2d("strided", y, (3, 3), 4, QType(4, True, 2), (1, 2))
    y = builder.convolution("up", y, 4, (8, 6), 4, QType(4, True, 2), stride=(4, 6), crop=(4, 0, 4, 0))
    y = builder.requant("up_type", y, QType(4, False, 3))
    x = builder.concat("skip", builder.maxpool2d("rows", x, (5, 1), (1, 1)), y)
    y = builder.requant("average", builder.sumpool2d("whole", x, (4, 6), (1, 1)), QType(6, False, 0))
    y = builder.convolution("gate", y, 12, (4, 6), 4, QType(4, True, 2), stride=(4, 6), crop=(0, 0, 0, 0))
    x = builder.add("gated", x, y, QType(5, True, 2))
    builder.convolution("head", x, 1, (1, 1), 4, QType(6, True, 3))
    return builder.build()


def random_image(graph: Graph, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return a smooth random image with noise in the input's whole range."""
    tensor = graph.tensor(graph.input)
    rng = np.random.default_rng(seed)
    height, width, channels = tensor.shape
    rows = np.linspace(0, 3, height)[:, None, None] + np.linspace(0, 4, width)[None, :, None]
    wave = (np.sin(rows + rng.uniform(0, 6, size=channels)) + 1) / 2
    values = wave * 0.7 + rng.uniform(0, 0.3, size=tensor.shape)
    span = tensor.qtype.qmax - tensor.qtype.qmin
    codes: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = np.rint(values * span).astype(np.int64) + tensor.qtype.qmin
    return codes.clip(tensor.qtype.qmin, tensor.qtype.qmax)
