"""Smaller graphs that are like a graph: fewer layers, channels and pixels, simpler geometry and constants.

Each function yields graphs with an input, most daring first. All of them are legal; whether one still fails is for
:mod:`helpers.minimise` to see.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from quantunet import golden
from quantunet.errors import QuantUNetError
from quantunet.graph_check import check
from quantunet.ir import (
    MAX_BITS,
    Argmax,
    Array,
    Concat,
    Conv2d,
    ConvTranspose2d,
    DepthToSpace,
    DepthwiseConv2d,
    Graph,
    IntArray,
    MatrixNode,
    Multiply,
    Node,
    QType,
    Requant,
    Shape,
    Tensor,
    window_places,
)

Image = Array
"""Integers of the input, `(height, width, channels)`."""

Smaller = tuple[Graph, Image]
"""A graph and the image of its input."""


class _ConflictError(Exception):
    """Channels of a tensor cannot be left out."""


def _windows(source: Shape, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> list[int]:
    return [window_places(*sizes) for sizes in zip(source[:2], kernel, stride, dilation, strict=True)]


def output_shape(node: Node, sources: Sequence[Shape]) -> Shape:
    """Return the shape that a node gives to its output; sizes may be less than 1 where nothing fits."""
    first: Any = sources[0]
    any_node: Any = node
    height, width, channels = first
    if isinstance(node, ConvTranspose2d):
        rows, columns = (
            (first[axis] - 1) * node.stride[axis] + node.weight.shape[axis] - node.crop[axis] - node.crop[axis + 2]
            for axis in (0, 1)
        )
        return rows, columns, node.weight.shape[3]
    if isinstance(node, Conv2d | DepthwiseConv2d):
        if not getattr(node, "padded", False):
            height, width = _windows(first, node.weight.shape[:2], node.stride, node.dilation)
        return height, width, node.weight.shape[3]
    if node.op in ("maxpool2d", "sumpool2d"):
        height, width = _windows(first, any_node.kernel, any_node.stride, (1, 1))
    elif node.op in ("pad", "crop"):
        sign = 1 if node.op == "pad" else -1
        top, left, bottom, right = any_node.sides
        height, width = height + sign * (top + bottom), width + sign * (left + right)
    elif node.op in ("resize_nearest", "resize_bilinear"):
        height, width = height * any_node.factor[0], width * any_node.factor[1]
    elif isinstance(node, DepthToSpace):
        down, right = node.block
        height, width, channels = height * down, width * right, channels // (down * right)
    elif isinstance(node, Concat):
        channels += sources[1][2]
    elif isinstance(node, Argmax):
        channels = 1
    return height, width, channels


def rebuilt(graph: Graph, nodes: Sequence[Node], source: Tensor, output: str) -> Graph | None:
    """Return the legal graph of what of some nodes the output needs, with the shapes that follow from the input's."""
    needed, kept = {output}, []
    for node in reversed(nodes):
        if node.output in needed:
            needed |= set(node.inputs)
            kept.append(node)
    tensors = {source.name: source}
    try:
        for node in reversed(kept):
            shape = output_shape(node, [tensors[name].shape for name in node.inputs])
            old = graph.tensor(node.output)
            qtype = old.qtype
            if isinstance(node, Argmax):
                qtype = QType(max((tensors[node.inputs[0]].shape[2] - 1).bit_length(), 1), False, 0)
            tensors[node.output] = dataclasses.replace(old, shape=shape, qtype=qtype)
        return check(Graph(graph.name, (source.name,), output, tuple(tensors.values()), tuple(reversed(kept))))
    except (QuantUNetError, KeyError, IndexError, ZeroDivisionError):
        return None


def _legal(candidates: Iterator[tuple[Graph | None, Image]]) -> Iterator[Smaller]:
    return ((graph, image) for graph, image in candidates if graph is not None)


def shorter(graph: Graph, image: Image) -> Iterator[Smaller]:
    """Leave layers out: at the end, at the beginning, and between."""

    def candidates() -> Iterator[tuple[Graph | None, Image]]:
        source = graph.tensor(graph.input)
        taps = golden.run(graph, image)
        for node in graph.nodes if len(graph.nodes) > 1 else ():  # this layer alone; two legs are made of one
            for name in dict.fromkeys(node.inputs):
                if graph.tensor(name).qtype.bits <= MAX_BITS:
                    others = [Requant(f"{node.name}_leg", (name,), other) for other in node.inputs if other != name]
                    yield rebuilt(graph, [*others, node], graph.tensor(name), node.output), taps[name]
        for node in graph.nodes[:-1]:
            yield rebuilt(graph, graph.nodes, source, node.output), image
        for index, node in reversed(list(enumerate(graph.nodes[:-1]))):
            if graph.output_of(node).qtype.bits <= MAX_BITS:
                yield rebuilt(graph, graph.nodes[index + 1 :], graph.output_of(node), graph.output), taps[node.output]
        for node in graph.nodes:
            for name in dict.fromkeys(node.inputs):
                rest = [
                    dataclasses.replace(
                        other, inputs=tuple(name if each == node.output else each for each in other.inputs)
                    )
                    for other in graph.nodes
                    if other is not node
                ]
                output = name if node.output == graph.output else graph.output
                yield rebuilt(graph, rest, source, output), image

        for index, node in enumerate(graph.nodes):  # reads a tensor that comes earlier
            for place, name in itertools.product(range(len(node.inputs)), _earlier(graph, index)):
                if name != node.inputs[place] and _alike(graph, name, node.inputs[place]):
                    inputs = (*node.inputs[:place], name, *node.inputs[place + 1 :])
                    nodes = [
                        dataclasses.replace(other, inputs=inputs) if other is node else other for other in graph.nodes
                    ]
                    yield rebuilt(graph, nodes, source, graph.output), image

    return _legal(candidates())


def _earlier(graph: Graph, index: int) -> list[str]:
    return [graph.input, *(node.output for node in graph.nodes[:index])]


def _alike(graph: Graph, first: str, second: str) -> bool:
    one, other = graph.tensor(first), graph.tensor(second)
    return (one.qtype, one.shape) == (other.qtype, other.shape)


def narrower(graph: Graph, image: Image) -> Iterator[Smaller]:
    """Leave channels out: all but one, half of them, one of them."""

    def candidates() -> Iterator[tuple[Graph | None, Image]]:
        for tensor in graph.tensors:
            channels = range(tensor.shape[2])
            if len(channels) < 2:
                continue
            half = len(channels) // 2
            choices = [[0], [channels[-1]], [*channels[:half]], [*channels[half:]], [*channels[:-1]], [*channels[1:]]]
            for keep in choices:
                yield _narrowed(graph, image, tensor.name, keep)

    return _legal(candidates())


def _narrowed(graph: Graph, image: Image, tensor: str, keep: list[int]) -> tuple[Graph | None, Image]:
    kept = {tensor: keep}
    waiting = [tensor]

    def put(name: str, channels: list[int]) -> None:
        if not channels or kept.setdefault(name, channels) != channels:
            raise _ConflictError
        if name not in seen:
            waiting.append(name)

    seen: set[str] = set()
    try:
        while waiting:
            name = waiting.pop()
            seen.add(name)
            producer = graph.producer(name)
            for node in (*([] if producer is None else [producer]), *graph.consumers(name)):
                _relate(graph, node, name, kept, put)
    except _ConflictError:
        return None, image
    source = graph.tensor(graph.input)
    nodes = [_without(graph, node, kept) for node in graph.nodes]
    channels = kept.get(graph.input, [*range(source.shape[2])])
    first = dataclasses.replace(source, shape=(*source.shape[:2], len(channels)))
    return rebuilt(graph, nodes, first, graph.output), np.ascontiguousarray(image[:, :, channels])


def _relate(
    graph: Graph, node: Node, name: str, kept: Mapping[str, list[int]], put: Callable[[str, list[int]], None]
) -> None:
    """Say what leaving channels of a tensor out means to the other tensors of a node."""
    channels = kept[name]
    if isinstance(node, MatrixNode) and not isinstance(node, DepthwiseConv2d):
        if getattr(node, "groups", 1) != 1:
            raise _ConflictError
        return
    if isinstance(node, Argmax):
        return
    if isinstance(node, Concat):
        first = graph.input_of(node).shape[2]
        if name == node.output:
            put(node.inputs[0], [channel for channel in channels if channel < first])
            put(node.inputs[1], [channel - first for channel in channels if channel >= first])
        legs = [kept.get(each, [*range(graph.tensor(each).shape[2])]) for each in node.inputs]
        put(node.output, [*legs[0], *(channel + first for channel in legs[1])])
        return
    if isinstance(node, DepthToSpace):
        outputs = graph.output_of(node).shape[2]
        out = channels if name == node.output else [channel for channel in range(outputs) if channel in channels]
        put(node.output, out)
        blocks = node.block[0] * node.block[1]
        put(node.inputs[0], [block * outputs + channel for block in range(blocks) for channel in out])
        return
    gate = isinstance(node, Multiply) and graph.input_of(node, 1).shape[2] == 1
    if gate and graph.output_of(node).shape[2] == 1:
        raise _ConflictError
    for each in (node.inputs[0] if gate else None, *(() if gate else node.inputs), node.output):
        if each is not None and not (gate and name == node.inputs[1]):
            put(each, channels)


def _without(graph: Graph, node: Node, kept: Mapping[str, list[int]]) -> Node:
    """Return a node whose constants have what is kept of its tensors' channels."""
    into, out = (kept.get(name, [*range(graph.tensor(name).shape[2])]) for name in (node.inputs[0], node.output))
    changes: dict[str, IntArray] = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if not isinstance(value, IntArray) or field.name == "table":
            continue
        array = value.array[..., out]
        if field.name == "weight" and not isinstance(node, DepthwiseConv2d) and getattr(node, "groups", 1) == 1:
            array = array[:, :, into]
        changes[field.name] = IntArray.of(array)
    return dataclasses.replace(node, **changes)


def fewer_pixels(graph: Graph, image: Image) -> Iterator[Smaller]:
    """Cut the input: to one row or column, half of them, one fewer."""

    def candidates() -> Iterator[tuple[Graph | None, Image]]:
        source = graph.tensor(graph.input)
        for axis, size in itertools.product((0, 1), (1, 2, 3, 0.5, -1)):
            length = image.shape[axis]
            left = int(length * size) if size == 0.5 else length - 1 if size == -1 else int(size)
            if not 0 < left < length:
                continue
            for cut in (slice(None, left), slice(length - left, None)):
                part = image[cut] if axis == 0 else image[:, cut]
                shape = (part.shape[0], part.shape[1], part.shape[2])
                first = dataclasses.replace(source, shape=shape)
                yield rebuilt(graph, graph.nodes, first, graph.output), np.ascontiguousarray(part)

    return _legal(candidates())


def simpler(graph: Graph, image: Image) -> Iterator[Smaller]:
    """Make geometry, flags and constants simpler, layer by layer."""

    def candidates() -> Iterator[tuple[Graph | None, Image]]:
        source = graph.tensor(graph.input)
        for index, node in enumerate(graph.nodes):
            for other in _simpler_nodes(node):
                nodes = (*graph.nodes[:index], other, *graph.nodes[index + 1 :])
                yield rebuilt(graph, nodes, source, graph.output), image
        for part in (np.zeros_like(image), np.clip(image, -1, 1), np.full_like(image, image.flat[0])):
            if not np.array_equal(part, image):
                yield rebuilt(graph, graph.nodes, source, graph.output), part

    return _legal(candidates())


def _simpler_nodes(node: Node) -> Iterator[Node]:
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        for other in _simpler_values(field.name, value):
            if other != value:
                yield dataclasses.replace(node, **{field.name: other})


def _simpler_values(name: str, value: object) -> Iterator[object]:
    if isinstance(value, IntArray):
        array = value.array
        yield IntArray.of(np.zeros_like(array))
        if name == "weight":
            rows, columns = array.shape[0] // 2, array.shape[1] // 2
            yield IntArray.of(array[rows : rows + 1, columns : columns + 1])
            yield IntArray.of(array[:1])
            yield IntArray.of(array[:, :1])
        yield IntArray.of(np.ones_like(array))
        yield IntArray.of(np.sign(array))
        yield IntArray.of(array - np.where(np.arange(array.size).reshape(array.shape) % 2, array, 0))
        yield IntArray.of(np.sign(array) * (np.abs(array) // 2))
    elif isinstance(value, bool):
        if name in ("even", "wraps"):
            yield False
    elif isinstance(value, tuple) and value and all(isinstance(each, int) for each in value):
        least = 0 if name in ("sides", "crop") else 1
        yield (least,) * len(value)
        for index in range(len(value)):
            yield (*value[:index], least, *value[index + 1 :])
    elif isinstance(value, int) and name in ("value", "shift", "area", "groups"):
        yield 1 if name in ("area", "groups") else 0
