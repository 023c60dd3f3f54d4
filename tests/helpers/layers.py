"""Graphs of one layer with random weights and chosen types, down to the corners of the integer types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from quantunet.accumulator import product_type
from quantunet.graph_check import check
from quantunet.ir import (
    MASK_TYPE,
    PROBABILITY_TYPE,
    Add,
    Affine,
    Argmax,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    Lookup,
    Maximum,
    Multiply,
    Node,
    Pair,
    QType,
    Requant,
    Shape,
    Tensor,
)
from quantunet.random_network import GraphBuilder
from quantunet.sigmoid_table import sigmoid_table


def _graph(node: Node, *tensors: Tensor) -> Graph:
    return check(Graph(node.name, node.inputs, node.output, tensors, (node,)))


def matrix(
    kind: type[Conv2d] | type[ConvTranspose2d],
    name: str,
    shape: Shape,
    channels: int,
    kernel: int,
    types: tuple[QType, QType, QType],
    seed: int = 0,
) -> Graph:
    """Return a convolution; ``types`` are those of the input, the weights and the output."""
    rng = np.random.default_rng(seed)
    source, weight_type, target = types
    limit = max(weight_type.qmax, 1) if weight_type.bits > 1 else 0
    low = -limit if weight_type.bits > 1 else weight_type.qmin
    weight = IntArray.of(rng.integers(low, limit + 1, size=(kernel, kernel, shape[2], channels)))
    spread = 1 + int(np.abs(weight.array).sum(axis=(0, 1, 2)).mean()) * (source.qmax + 1) // 4
    bias = IntArray.of(rng.integers(-spread, spread + 1, size=channels))
    scale = 2 if kind is ConvTranspose2d else 1
    output = Tensor("y", (shape[0] * scale, shape[1] * scale, channels), target)
    return _graph(kind(name, ("x",), "y", weight, weight_type, bias), Tensor("x", shape, source), output)


def maxpool2d(name: str, shape: Shape, qtype: QType, kernel: Pair = (2, 2), stride: Pair = (2, 2)) -> Graph:
    """Return a pooling."""
    builder = GraphBuilder(name, *shape, qtype, 0)
    builder.maxpool2d(name, "image", kernel, stride)
    return builder.build()


def sumpool2d(name: str, shape: Shape, qtype: QType, kernel: Pair, stride: Pair) -> Graph:
    """Return a sum over windows."""
    builder = GraphBuilder(name, *shape, qtype, 0)
    builder.sumpool2d(name, "image", kernel, stride)
    return builder.build()


def convolution(
    name: str, shape: Shape, channels: int, kernel: Pair, types: tuple[QType, int, QType], **geometry: Any
) -> Graph:
    """Return a convolution of any geometry, as ``GraphBuilder.convolution`` has it; ``types`` as of a depthwise one."""
    builder = GraphBuilder(name, *shape, types[0], len(name))
    builder.convolution(name, "image", channels, kernel, types[1], types[2], **geometry)
    return builder.build()


def depthwise_conv2d(
    name: str,
    shape: Shape,
    types: tuple[QType, int, QType],
    kernel: Pair,
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
) -> Graph:
    """Return a depthwise convolution; ``types`` are the input's, the weights' bits, and the output's."""
    builder = GraphBuilder(name, *shape, types[0], 0)
    builder.depthwise_conv2d(name, "image", kernel, types[1], types[2], stride, dilation)
    return builder.build()


def requant(name: str, shape: Shape, source: QType, target: QType) -> Graph:
    """Return a requantisation."""
    return _graph(Requant(name, ("x",), "y"), Tensor("x", shape, source), Tensor("y", shape, target))


def affine(name: str, shape: Shape, source: QType, target: QType, **options: Any) -> Graph:
    """Return a general requantisation with random constants; the options are those of ``GraphBuilder.affine``."""
    builder = GraphBuilder(name, *shape, source, len(name))
    builder.affine(name, "image", target, **options)
    return builder.build()


def affine_of(
    name: str, shape: Shape, source: QType, target: QType, constants: tuple[tuple[int, ...], ...], shift: int
) -> Graph:
    """Return a general requantisation that rounds half to even.

    Args:
        name: Its name.
        shape: Of its input.
        source: The type of its input.
        target: That of its output.
        constants: Multipliers, offsets and splits of the channels, then multipliers and offsets below the splits.
        shift: Binary places that are dropped.
    """
    columns = (IntArray.of(each) for each in constants)
    node = Affine(name, ("x",), "y", *columns, shift, target.qmin, target.qmax, even=True)
    return _graph(node, Tensor("x", shape, source), Tensor("y", shape, target))


def add(name: str, shape: Shape, first: QType, second: QType, target: QType, gains: Pair = (1, 1)) -> Graph:
    """Return a weighted sum of two tensors."""
    tensors = (Tensor("first", shape, first), Tensor("second", shape, second), Tensor("y", shape, target))
    return _graph(Add(name, ("first", "second"), "y", gains), *tensors)


def maximum(name: str, shape: Shape, qtype: QType) -> Graph:
    """Return the greater of two tensors."""
    tensors = (Tensor("first", shape, qtype), Tensor("second", shape, qtype), Tensor("y", shape, qtype))
    return _graph(Maximum(name, ("first", "second"), "y"), *tensors)


def multiply(name: str, shape: Shape, first: QType, second: QType, channels: int) -> Graph:
    """Return a product with a second tensor of so many channels."""
    tensors = (Tensor("first", shape, first), Tensor("second", (*shape[:2], channels), second))
    return _graph(Multiply(name, ("first", "second"), "y"), *tensors, Tensor("y", shape, product_type(first, second)))


def argmax(name: str, shape: Shape, source: QType) -> Graph:
    """Return the channel of the greatest value."""
    output = Tensor("y", (*shape[:2], 1), QType((shape[2] - 1).bit_length(), False, 0))
    return _graph(Argmax(name, ("x",), "y"), Tensor("x", shape, source), output)


def smallest_area(name: str, shape: Pair, area: int) -> Graph:
    """Return a mask without foregrounds of fewer pixels."""
    builder = GraphBuilder(name, *shape, 1, MASK_TYPE, 0)
    builder.smallest_area(name, "image", area)
    return builder.build()


def concat(name: str, skip: Shape, up: Shape, qtype: QType) -> Graph:
    """Return a concatenation."""
    output = Tensor("y", (skip[0], skip[1], skip[2] + up[2]), qtype)
    return _graph(Concat(name, ("s", "u"), "y"), Tensor("s", skip, qtype), Tensor("u", up, qtype), output)


def sigmoid(name: str, shape: Shape, source: QType) -> Graph:
    """Return a sigmoid table."""
    table = sigmoid_table(source, PROBABILITY_TYPE)
    output = Tensor("y", shape, PROBABILITY_TYPE)
    return _graph(Lookup(name, ("x",), "y", table), Tensor("x", shape, source), output)


def lookup(name: str, shape: Shape, source: QType, target: QType) -> Graph:
    """Return a random table."""
    entries = np.random.default_rng(len(name)).integers(target.qmin, target.qmax + 1, size=1 << source.bits)
    output = Tensor("y", shape, target)
    return _graph(Lookup(name, ("x",), "y", IntArray.of(entries), False), Tensor("x", shape, source), output)


def reorder(name: str, shape: Shape, qtype: QType, add: Callable[[GraphBuilder], str]) -> Graph:
    """Return a layer that a builder adds to an image."""
    builder = GraphBuilder(name, *shape, qtype, 0)
    add(builder)
    return builder.build()


def random_frames(graph: Graph, frames: int, seed: int = 0) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Return frames of random integers over the whole range of each input; the extremes are among them."""
    rng = np.random.default_rng(seed)
    inputs = []
    for name in graph.inputs:
        tensor = graph.tensor(name)
        values = rng.integers(tensor.qtype.qmin, tensor.qtype.qmax + 1, size=(frames, *tensor.shape))
        values[0].flat[0], values[-1].flat[-1] = tensor.qtype.qmin, tensor.qtype.qmax
        inputs.append(values)
    return inputs
