"""The fast exact path: floating point as a calculator of integers, where the bounds prove it exact.

Between layers a tensor stands in the smallest integer type that holds its codes, with the images of a batch as leading
axis. A convolution goes over the pixels in strips that stay in the cache: windows as floats, one matrix product by
BLAS, requantisation in place, back to codes.

Every partial sum of a layer, in whatever order BLAS adds, lies inside the bound of :func:`_exact_dtype`. An integer is
exact in float32 up to ``2**24`` and in float64 up to ``2**53``, so that nothing is rounded but what the definition
rounds. Tests hold this path equal to the plain one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import reachable
from quantunet.golden.cores import WORKERS, Cores, all_cores
from quantunet.golden.rounding import requantise_floats
from quantunet.ir import (
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    MatrixNode,
    MaxPool2d,
    Node,
    QType,
    Requant,
    Sigmoid,
)

Codes = npt.NDArray[np.integer]
"""Integers of one tensor, ``(images, height, width, channels)``."""

Floats = npt.NDArray[np.floating]

_STRIP_PIXELS = 512
"""Pixels that a matrix product takes at least: it packs the weights anew each time, which must be worth it."""

_STRIP_FLOATS = 1 << 18
"""Floats that a strip's windows fill at most beyond that: 1 MiB, which stays in the cache of one core."""

_FLOAT32_EXACT = 1 << 24


def code_dtype(qtype: QType) -> np.dtype[np.integer]:
    """Return the smallest integer dtype that holds a type.

    >>> code_dtype(QType(8, False, 0)), code_dtype(QType(9, True, 0))
    (dtype('uint8'), dtype('int16'))
    """
    return np.dtype(f"{'i' if qtype.signed else 'u'}{1 if qtype.bits <= 8 else 2}")


@dataclass(frozen=True)
class _Matrix:
    """A layer's weights in blocks of columns, each block a matrix of its own.

    Attributes:
        weight: ``(blocks, terms, columns)`` in a float type that is exact for the layer.
        bias: ``(blocks, columns)`` of the same type.
    """

    weight: Floats
    bias: Floats


def _exact_dtype(node: MatrixNode, input_type: QType) -> type[np.floating]:
    """Return the smallest float type in which every partial sum is exact, with the bias and without it."""
    low, high = reachable(node, input_type)
    bound = max(-low, high) + int(np.abs(node.bias.array).max())
    return np.float32 if bound <= _FLOAT32_EXACT else np.float64


@lru_cache(maxsize=1024)
def _matrix(node: MatrixNode, input_type: QType, blocks: int) -> _Matrix:
    """Return the weights of a layer; those of a transpose convolution in one block for each ``dy``."""
    kernel_h, kernel_w, channels_in, channels_out = node.weight.shape
    if isinstance(node, Conv2d):
        weight = node.weight.array.reshape(-1, blocks, channels_out // blocks).swapaxes(0, 1)
    else:
        weight = node.weight.array.transpose(0, 2, 1, 3).reshape(kernel_h, channels_in, kernel_w * channels_out)
        blocks = kernel_h
    bias = np.resize(node.bias.array, (blocks, weight.shape[2]))
    dtype = _exact_dtype(node, input_type)
    return _Matrix(np.ascontiguousarray(weight, dtype), bias.astype(dtype))


def _strips(shape: tuple[int, ...], terms: int) -> list[tuple[slice, slice]]:
    """Cut a batch into slices of images and of rows: a few whole images, or some rows of one image, at a time."""
    images, height, width = shape[:3]
    pixels = max(_STRIP_PIXELS, _STRIP_FLOATS // terms)
    if height * width <= pixels:
        step = pixels // (height * width)
        return [(slice(first, first + step), slice(0, height)) for first in range(0, images, step)]
    rows = max(pixels // width, 1)
    return [(slice(i, i + 1), slice(y, y + rows)) for i in range(images) for y in range(0, height, rows)]


def _windows(x: Codes, kernel: int, dtype: npt.DTypeLike) -> Floats:
    """Return each pixel's zero-padded window as a view, ``(images, height, width, kernel, kernel * channels)``."""
    images, height, width, channels = x.shape
    margin = kernel // 2
    padded = np.zeros((images, height + 2 * margin, width + 2 * margin, channels), dtype)
    padded[:, margin : margin + height, margin : margin + width] = x
    image, row, pixel, value = padded.strides
    shape, strides = (images, height, width, kernel, kernel * channels), (image, row, pixel, row, value)
    return np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)


def _matrix_layer(cores: Cores, graph: Graph, node: Node, inputs: Sequence[Codes]) -> Codes:
    assert isinstance(node, Conv2d | ConvTranspose2d)
    input_type, output = graph.input_of(node).qtype, graph.output_of(node)
    images, height, width, _ = inputs[0].shape
    terms = math.prod(node.weight.shape[:3]) if isinstance(node, Conv2d) else node.weight.shape[2]
    strips = _strips(inputs[0].shape, terms)
    columns = math.gcd(node.weight.shape[3], WORKERS) if len(strips) < WORKERS else 1
    matrix = _matrix(node, input_type, columns)
    windows = _windows(inputs[0], node.weight.shape[0] if isinstance(node, Conv2d) else 1, matrix.weight.dtype)
    y = np.empty((images, *output.shape), code_dtype(output.qtype))
    # For each input pixel, what each block computes: groups of output channels, or the rows 2h and 2h + 1.
    if isinstance(node, Conv2d):
        parts = y.reshape(images, height, width, columns, -1)
    else:
        parts = y.reshape(images, height, 2, width, -1).swapaxes(2, 3)

    def compute(piece: tuple[slice, slice, int]) -> None:
        image, rows, block = piece
        acc = windows[image, rows].reshape(-1, terms) @ matrix.weight[block]
        acc += matrix.bias[block]
        requantise_floats(acc, input_type.frac + node.weight_type.frac, output.qtype)
        part = parts[image, rows, :, block]
        part[...] = acc.reshape(part.shape)

    cores.each(compute, [(*strip, block) for strip in strips for block in range(len(matrix.weight))])
    return y


def _maxpool2d(cores: Cores, graph: Graph, node: Node, inputs: Sequence[Codes]) -> Codes:
    x = inputs[0]
    rows = np.maximum(x[:, 0::2], x[:, 1::2])
    return np.maximum(rows[:, :, 0::2], rows[:, :, 1::2])


def _requant(cores: Cores, graph: Graph, node: Node, inputs: Sequence[Codes]) -> Codes:
    x, output = inputs[0], graph.output_of(node)
    y = np.empty(x.shape, code_dtype(output.qtype))

    def compute(strip: tuple[slice, slice]) -> None:
        values = x[strip].astype(np.float32)
        requantise_floats(values, graph.input_of(node).qtype.frac, output.qtype)
        y[strip] = values

    cores.each(compute, _strips(x.shape, x.shape[3]))
    return y


def _concat(cores: Cores, graph: Graph, node: Node, inputs: Sequence[Codes]) -> Codes:
    return np.concatenate(inputs, axis=3)


def _sigmoid(cores: Cores, graph: Graph, node: Node, inputs: Sequence[Codes]) -> Codes:
    assert isinstance(node, Sigmoid)
    table = node.table.array.astype(code_dtype(graph.output_of(node).qtype))
    return np.asarray(table[inputs[0].astype(np.intp) - graph.input_of(node).qtype.qmin])


_EVALUATE: dict[str, Callable[[Cores, Graph, Node, Sequence[Codes]], Codes]] = {
    Conv2d.op: _matrix_layer,
    ConvTranspose2d.op: _matrix_layer,
    MaxPool2d.op: _maxpool2d,
    Requant.op: _requant,
    Concat.op: _concat,
    Sigmoid.op: _sigmoid,
}


def evaluate(graph: Graph, nodes: Sequence[Node], inputs: Mapping[str, Codes]) -> dict[str, Codes]:
    """Evaluate nodes in their order on a batch.

    Args:
        graph: The graph that holds the nodes.
        nodes: The nodes.
        inputs: Tensors that they read and none of them writes, ``(images, height, width, channels)`` in their types.

    Returns:
        The inputs, and what the nodes write in the smallest integer types that hold it.
    """
    taps = dict(inputs)
    with all_cores() as cores:
        for node in nodes:
            taps[node.output] = _EVALUATE[node.op](cores, graph, node, [taps[name] for name in node.inputs])
    return taps
