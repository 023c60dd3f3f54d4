"""The fast exact path: floating point as a calculator of integers, where the bounds prove it exact.

Between layers a tensor stands in the smallest integer type that holds its codes, with the images of a batch as leading
axis. A convolution goes over the pixels in strips that stay in the cache: padded and as floats, windows side by side,
one matrix product by BLAS, requantisation in place, back to codes.

Where there are enough images for all cores, each core takes some of them through all layers; else the cores share the
strips of one layer.

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
from quantunet.golden.cores import Cores, all_cores
from quantunet.golden.scratch import Scratch
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
from quantunet.rounding import requantise_floats

Codes = npt.NDArray[np.integer]
"""Integers of one tensor, ``(images, height, width, channels)``."""

Floats = npt.NDArray[np.floating]

_STRIP_PIXELS = 512
"""Pixels that a matrix product takes at least: it packs the weights anew each time, which must be worth it."""

_STRIP_FLOATS = 1 << 20
"""Floats that the windows of all cores fill at most beyond that: 4 MiB. Smaller ones stay in a core's own cache, but
cost more in calls than they save."""

_PIECE_IMAGES = 8
"""Images at most that one core takes through the layers together: the small layers then fill a strip as well."""

_LANES = 16
"""Columns below which a matrix product leaves a part of the machine's vectors empty."""

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
def _matrix(node: MatrixNode, input_type: QType, blocks: int, together: int = 1) -> _Matrix:
    """Return the weights of a layer; those of a transpose convolution in one block for each ``dy``.

    Args:
        node: The layer.
        input_type: Its input's type.
        blocks: Blocks of output channels of a convolution.
        together: Neighbouring pixels of a convolution that share one window, as wide as all of theirs: each pixel is a
            group of columns, with weights of 0 where the window is not its own. One block then.
    """
    kernel_h, kernel_w, channels_in, channels_out = node.weight.shape
    if not isinstance(node, Conv2d):
        weight = node.weight.array.transpose(0, 2, 1, 3).reshape(kernel_h, channels_in, kernel_w * channels_out)
        blocks = kernel_h
    elif together == 1:
        weight = node.weight.array.reshape(-1, blocks, channels_out // blocks).swapaxes(0, 1)
    else:
        wide = np.zeros((kernel_h, kernel_w + together - 1, channels_in, together, channels_out), np.int64)
        for pixel in range(together):
            wide[:, pixel : pixel + kernel_w, :, pixel] = node.weight.array
        weight = wide.reshape(1, -1, together * channels_out)
    bias = np.resize(node.bias.array, (blocks, weight.shape[2]))
    dtype = _exact_dtype(node, input_type)
    return _Matrix(np.ascontiguousarray(weight, dtype), bias.astype(dtype))


def _strips(shape: tuple[int, ...], terms: int, cores: int) -> list[tuple[slice, slice]]:
    """Cut a batch into slices of images and of rows: a few whole images, or some rows of one image, at a time."""
    images, height, width = shape[:3]
    pixels = max(_STRIP_PIXELS, _STRIP_FLOATS // (terms * cores))
    if height * width <= pixels:
        step = pixels // (height * width)
        return [(slice(first, min(first + step, images)), slice(0, height)) for first in range(0, images, step)]
    rows = max(pixels // width, 1)
    return [(slice(i, i + 1), slice(y, min(y + rows, height))) for i in range(images) for y in range(0, height, rows)]


def _together(node: Conv2d, width: int) -> int:
    """Return how many neighbouring pixels share a window: a power of two that divides the width."""
    together = 1
    while 2 * together * node.weight.shape[3] <= _LANES and width % (2 * together) == 0:
        together *= 2
    return together if node.weight.shape[0] > 1 else 1


def _windows(scratch: Scratch, x: Codes, rows: slice, kernel: int, together: int, dtype: npt.DTypeLike) -> Floats:
    """Return the zero-padded windows of some rows as a matrix.

    Args:
        scratch: For the result.
        x: The whole images, ``(images, height, width, channels)``.
        rows: The rows.
        kernel: Height and width of a pixel's window.
        together: Neighbouring pixels that share a window.
        dtype: Type of the result.

    Returns:
        ``(images * rows * width / together, kernel * (kernel + together - 1) * channels)``.
    """
    images, height, width, channels = x.shape
    margin, count = kernel // 2, rows.stop - rows.start
    first, last = max(rows.start - margin, 0), min(rows.stop + margin, height)
    above = first - (rows.start - margin)
    padded = scratch.take("padded", (images, count + 2 * margin, width + 2 * margin, channels), dtype)
    padded[:, :above] = 0
    padded[:, above + last - first :] = 0
    padded[:, :, :margin] = 0
    padded[:, :, margin + width :] = 0
    padded[:, above : above + last - first, margin : margin + width] = x[:, first:last]
    if kernel == 1:
        return padded.reshape(-1, channels)
    image, row, pixel, value = padded.strides
    shape = (images, count, width // together, kernel, (kernel + together - 1) * channels)
    strides = (image, row, together * pixel, row, value)
    windows = scratch.take("windows", shape, dtype)
    np.copyto(windows, np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False))
    return windows.reshape(-1, shape[3] * shape[4])


def _matrix_layer(cores: Cores, graph: Graph, node: Node, inputs: Sequence[Codes]) -> Codes:
    assert isinstance(node, Conv2d | ConvTranspose2d)
    x, input_type, output = inputs[0], graph.input_of(node).qtype, graph.output_of(node)
    images, height, width, _ = x.shape
    terms = math.prod(node.weight.shape[:3]) if isinstance(node, Conv2d) else node.weight.shape[2]
    strips = _strips(x.shape, terms, cores.count)
    columns = math.gcd(node.weight.shape[3], cores.count) if len(strips) < cores.count else 1
    together = _together(node, width) if isinstance(node, Conv2d) and columns == 1 else 1
    kernel = node.weight.shape[0] if isinstance(node, Conv2d) else 1
    matrix = _matrix(node, input_type, columns, together)
    y = np.empty((images, *output.shape), code_dtype(output.qtype))
    # For each window, what each block computes: groups of output channels, or the rows 2h and 2h + 1.
    if isinstance(node, Conv2d):
        parts = y.reshape(images, height, width // together, columns, -1)
    else:
        parts = y.reshape(images, height, 2, width, -1).swapaxes(2, 3)

    def compute(piece: tuple[slice, slice, range]) -> None:
        image, rows, blocks = piece
        windows = _windows(cores.scratch, x[image], rows, kernel, together, matrix.weight.dtype)
        for block in blocks:
            acc = cores.scratch.take("sums", (len(windows), matrix.weight.shape[2]), matrix.weight.dtype)
            np.matmul(windows, matrix.weight[block], out=acc)
            acc += matrix.bias[block]
            requantise_floats(acc, input_type.frac + node.weight_type.frac, output.qtype)
            part = parts[image, rows, :, block]
            part[...] = acc.reshape(part.shape)

    # The blocks of a strip need the same windows; where there are fewer strips than cores, each block is a piece.
    every = range(len(matrix.weight))
    shares = [every] if len(strips) >= cores.count else [range(block, block + 1) for block in every]
    cores.each(compute, [(*strip, blocks) for strip in strips for blocks in shares])
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

    cores.each(compute, _strips(x.shape, x.shape[3], cores.count))
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


def _chain(cores: Cores, graph: Graph, nodes: Sequence[Node], inputs: Mapping[str, Codes]) -> dict[str, Codes]:
    """Evaluate nodes in their order; return the inputs and all that the nodes write."""
    taps = dict(inputs)
    for node in nodes:
        taps[node.output] = _EVALUATE[node.op](cores, graph, node, [taps[name] for name in node.inputs])
    return taps


def evaluate(graph: Graph, nodes: Sequence[Node], inputs: Mapping[str, Codes]) -> dict[str, Codes]:
    """Evaluate nodes in their order on a batch, layer by layer on all cores.

    Args:
        graph: The graph that holds the nodes.
        nodes: The nodes.
        inputs: Tensors that they read and none of them writes, ``(images, height, width, channels)`` in their types.

    Returns:
        The inputs, and what the nodes write in the smallest integer types that hold it.
    """
    with all_cores() as cores:
        return _chain(cores, graph, nodes, inputs)


def evaluate_images(graph: Graph, images: Codes, names: Sequence[str]) -> dict[str, Codes]:
    """Evaluate a network on any number of images and keep some tensors.

    Args:
        graph: The graph.
        images: ``(images, height, width, channels)`` in the input's type.
        names: Tensors to keep.

    Returns:
        The kept tensors, ``(images, height', width', channels')`` in the smallest integer types that hold them.
    """
    tensors = [graph.tensor(name) for name in names]
    kept = {one.name: np.empty((len(images), *one.shape), code_dtype(one.qtype)) for one in tensors}
    with all_cores() as cores:

        def compute(piece: slice) -> None:
            own = cores.alone() if len(images) >= cores.count else cores
            taps = _chain(own, graph, graph.nodes, {graph.input: images[piece]})
            for name, values in kept.items():
                values[piece] = taps[name]

        cores.each(compute, _pieces(len(images), cores.count))
    return kept


def _pieces(images: int, cores: int) -> list[slice]:
    """Cut a batch into pieces that end at about the same time on all cores; into one where it has too few images."""
    if images < cores:
        return [slice(0, images)]
    step = math.ceil(images / (cores * math.ceil(images / (cores * _PIECE_IMAGES))))
    return [slice(first, min(first + step, images)) for first in range(0, images, step)]
