"""What docs/numerics.md says that a graph computes, value by value in exact fractions.

It shares nothing with golden, neither its formulas nor its arrays: every value is a number of Python, a type's scale is
a power of two that is multiplied out, and what is rounded is rounded by ``round`` of a fraction, which takes halves to
even.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from quantunet.ir import Array, Graph, Node, QType

Values = dict[tuple[int, int, int], int]
"""The integers of a tensor by row, column and channel."""

Rule = Callable[[Graph, Any, "Reader"], Callable[[int, int, int], int]]


class Reader:
    """The inputs of a node.

    Args:
        graph: The graph.
        node: The node.
        known: The tensors that there are.
    """

    def __init__(self, graph: Graph, node: Node, known: Mapping[str, Values]) -> None:
        self.shape = graph.input_of(node).shape
        self.types = [graph.tensor(name).qtype for name in node.inputs]
        self.target = graph.output_of(node).qtype
        self._values = [known[name] for name in node.inputs]
        self._widths = [graph.tensor(name).shape[2] for name in node.inputs]

    def __call__(self, row: int, column: int, channel: int, leg: int = 0) -> int:
        """Return an integer of an input; 0 outside of the image, and a gate's for every channel."""
        return self._values[leg].get((row, column, channel if self._widths[leg] > 1 else 0), 0)

    def rounded(self, real: Fraction) -> int:
        """Return a real value in the output's type: halves to even, then clamped."""
        return clamped(round(real / real_value(1, self.target)), self.target)


def real_value(integer: int, qtype: QType) -> Fraction:
    """Return what an integer of a type stands for."""
    return Fraction(integer) * Fraction(2) ** -qtype.frac


def clamped(value: int, qtype: QType) -> int:
    """Return the integer of a type that is nearest."""
    low, high = (-(2 ** (qtype.bits - 1)), 2 ** (qtype.bits - 1) - 1) if qtype.signed else (0, 2**qtype.bits - 1)
    return min(max(value, low), high)


def run(graph: Graph, image: Array) -> dict[str, Array]:
    """Return every tensor of an image, int64 ``(height, width, channels)``."""
    shape = graph.tensor(graph.input).shape
    known = {graph.input: {place: int(image[place]) for place in _places(shape)}}
    for node in graph.nodes:
        rule = RULES[node.op](graph, node, Reader(graph, node, known))
        known[node.output] = {place: rule(*place) for place in _places(graph.output_of(node).shape)}
    return {
        name: np.array([values[place] for place in _places(graph.tensor(name).shape)], dtype=np.int64).reshape(
            graph.tensor(name).shape
        )
        for name, values in known.items()
    }


def _places(shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    rows, columns, channels = shape
    return itertools.product(range(rows), range(columns), range(channels))


def _scaled(node: Any, read: Reader) -> Callable[[int], int]:
    """Return what brings a sum of products to the output's type."""
    ratio = real_value(1, node.weight_type) * real_value(1, read.types[0]) / real_value(1, read.target)
    return lambda total: clamped(round(Fraction(total * ratio.numerator, ratio.denominator)), read.target)


def _conv2d(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    weight, bias = node.weight.array.tolist(), node.bias.array.tolist()
    rows, columns, depth, outputs = node.weight.shape
    scaled = _scaled(node, read)
    top, left = (rows // 2, columns // 2) if node.padded else (0, 0)

    def value(row: int, column: int, channel: int) -> int:
        first = channel // (outputs // node.groups) * depth
        total = bias[channel]
        for i, j, k in itertools.product(range(rows), range(columns), range(depth)):
            y, x = row * node.stride[0] + i * node.dilation[0] - top, column * node.stride[1] + j * node.dilation[1]
            total += read(y, x - left, first + k) * weight[i][j][k][channel]
        return scaled(total)

    return value


def _depthwise_conv2d(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    weight, bias, scaled = node.weight.array.tolist(), node.bias.array.tolist(), _scaled(node, read)

    def value(row: int, column: int, channel: int) -> int:
        total = bias[channel]
        for i, j in itertools.product(*map(range, node.weight.shape[:2])):
            y, x = row * node.stride[0] + i * node.dilation[0], column * node.stride[1] + j * node.dilation[1]
            total += read(y, x, channel) * weight[i][j][0][channel]
        return scaled(total)

    return value


def _conv_transpose2d(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    bias, scaled = node.bias.array.tolist(), _scaled(node, read)
    full: dict[tuple[int, int, int], int] = {}
    for row, column, k in _places(read.shape):
        for (i, j, into, channel), weight in np.ndenumerate(node.weight.array):
            if into == k:
                place = row * node.stride[0] + i - node.crop[0], column * node.stride[1] + j - node.crop[1], channel
                full[place] = full.get(place, 0) + read(row, column, k) * int(weight)
    return lambda row, column, channel: scaled(full[row, column, channel] + bias[channel])


def _window(node: Any, read: Reader, row: int, column: int, channel: int) -> list[int]:
    return [
        read(row * node.stride[0] + i, column * node.stride[1] + j, channel)
        for i, j in itertools.product(*map(range, node.kernel))
    ]


def _maxpool2d(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda *place: max(_window(node, read, *place))


def _sumpool2d(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda *place: sum(_window(node, read, *place))


def _requant(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda *place: read.rounded(real_value(read(*place), read.types[0]))


def _affine(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    names = ("multiplier", "offset", "split", "lower_multiplier", "lower_offset")
    upper, plus, split, lower, lower_plus = (getattr(node, name).array.tolist() for name in names)

    def value(row: int, column: int, channel: int) -> int:
        x = read(row, column, channel)
        m, b = (upper, plus) if x >= split[channel] else (lower, lower_plus)
        exact = Fraction(x * m[channel] + b[channel], 2**node.shift)
        whole = round(exact) if node.even else math.floor(exact)
        if not node.wraps:
            return min(max(whole, node.low), node.high)
        low = whole % 2**read.target.bits
        return low - 2**read.target.bits if read.target.signed and low >= 2 ** (read.target.bits - 1) else low

    return value


def _concat(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    first = read.shape[2]

    def value(row: int, column: int, channel: int) -> int:
        return read(row, column, channel) if channel < first else read(row, column, channel - first, leg=1)

    return value


def _add(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    def value(*place: int) -> int:
        row, column, channel = place
        legs = [real_value(read(row, column, channel, leg), read.types[leg]) for leg in (0, 1)]
        return read.rounded(node.gains[0] * legs[0] + node.gains[1] * legs[1])

    return value


def _multiply(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda row, column, channel: read(row, column, channel) * read(row, column, channel, leg=1)


def _maximum(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda row, column, channel: max(read(row, column, channel, leg=leg) for leg in (0, 1))


def _argmax(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    def value(row: int, column: int, channel: int) -> int:
        values = [read(row, column, each) for each in range(read.shape[2])]
        return values.index(max(values))

    return value


def _smallest_area(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    area = sum(read(*place) for place in _places(read.shape))
    return lambda *place: read(*place) if area >= node.area else 0


def _pad(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    def value(row: int, column: int, channel: int) -> int:
        y, x = row - node.sides[0], column - node.sides[1]
        return read(y, x, channel) if 0 <= y < read.shape[0] and 0 <= x < read.shape[1] else int(node.value)

    return value


def _crop(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda row, column, channel: read(row + node.sides[0], column + node.sides[1], channel)


def _resize_nearest(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    return lambda row, column, channel: read(row // node.factor[0], column // node.factor[1], channel)


def _resize_bilinear(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    def taps(place: int, factor: int, length: int) -> list[tuple[int, int]]:
        if factor == 1:
            return [(place, 1)]
        i = place // 2
        other = i - 1 if place % 2 == 0 else i + 1
        return [(i, 3), (min(max(other, 0), length - 1), 1)]

    def value(row: int, column: int, channel: int) -> int:
        rows, columns = (taps(at, node.factor[axis], read.shape[axis]) for axis, at in enumerate((row, column)))
        return sum(p * q * read(y, x, channel) for y, p in rows for x, q in columns)

    return value


def _depth_to_space(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    down, right = node.block
    channels = graph.output_of(node).shape[2]

    def value(row: int, column: int, channel: int) -> int:
        block = (row % down) * right + column % right
        return read(row // down, column // right, block * channels + channel)

    return value


def _lookup(graph: Graph, node: Any, read: Reader) -> Callable[[int, int, int], int]:
    table = node.table.array.tolist()
    least = -(2 ** (read.types[0].bits - 1)) if read.types[0].signed else 0
    return lambda *place: int(table[read(*place) - least])


RULES: Mapping[str, Rule] = {
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "maxpool2d": _maxpool2d,
    "sumpool2d": _sumpool2d,
    "requant": _requant,
    "affine": _affine,
    "concat": _concat,
    "add": _add,
    "multiply": _multiply,
    "maximum": _maximum,
    "argmax": _argmax,
    "smallest_area": _smallest_area,
    "pad": _pad,
    "crop": _crop,
    "resize_nearest": _resize_nearest,
    "resize_bilinear": _resize_bilinear,
    "depth_to_space": _depth_to_space,
    "lookup": _lookup,
}
"""The rule of every op."""


def differences(graph: Graph, image: Array, runs: Mapping[str, Mapping[str, Array]]) -> tuple[int, list[str]]:
    """Return how many values of some runs were compared with these, and the first tensor of each that differs.

    Args:
        graph: The graph.
        image: Its input.
        runs: Tensors by name, by the name of what has computed them.
    """
    exact, compared, found = run(graph, image), 0, []
    for name, taps in runs.items():
        for tensor, values in exact.items():
            got = np.asarray(taps[tensor])
            wrong = int(np.count_nonzero(got != values)) if got.shape == values.shape else values.size
            compared += values.size
            if wrong:
                found.append(f"{name}: {wrong} of {values.size} values of {tensor} differ")
                break
    return compared, found
