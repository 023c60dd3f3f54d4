"""The matrix ops of the fast exact path: strips of pixels, windows side by side, one matrix product by BLAS each.

Every partial sum of a layer, in whatever order BLAS adds, lies inside the bound of :func:`exact_dtype`. An integer is
exact in float32 up to ``2**24`` and in float64 up to ``2**53``, so that nothing is rounded but what the definition
rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import reachable
from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.golden.scratch import Scratch
from quantunet.ir import Array, Graph, MatrixNode, Pair, QType
from quantunet.rounding import requantise_floats

Floats = npt.NDArray[np.floating]

_STRIP_PIXELS = 512
"""Pixels that a matrix product takes at least: it packs the weights anew each time, which must be worth it."""

_STRIP_FLOATS = 1 << 20
"""Floats that the windows of all cores fill at most beyond that: 4 MiB. Smaller ones stay in a core's own cache, but
cost more in calls than they save."""

_LANES = 16
"""Columns below which a matrix product leaves a part of the machine's vectors empty."""

_FLOAT32_EXACT = 1 << 24


@dataclass(frozen=True)
class Layout:
    """How an op is a matrix product.

    Attributes:
        kernel: Height and width of the window of input pixels that one product needs, given the weights' shape.
        blocks: The weights as int64 ``(blocks, terms, columns)``, from the node, the blocks of output channels and the
            neighbouring pixels that share a window.
        parts: The output ``(images, height', width', channels)`` seen as ``(images, height, width / together, blocks,
            ...)``: for each window what each block computes; from the output and the same two numbers.
        split: Whether the output channels may be cut into blocks, and neighbouring pixels share a window.
    """

    kernel: Callable[[MatrixNode], int]
    blocks: Callable[[MatrixNode, int, int], Array]
    parts: Callable[[Codes, int, int], Codes]
    split: bool


@dataclass(frozen=True)
class _Matrix:
    """A layer's weights in blocks of columns, each block a matrix of its own.

    Attributes:
        weight: ``(blocks, terms, columns)`` in a float type that is exact for the layer.
        bias: ``(blocks, columns)`` of the same type.
    """

    weight: Floats
    bias: Floats


def exact_dtype(node: MatrixNode, input_type: QType) -> type[np.floating]:
    """Return the smallest float type in which every partial sum is exact, with the bias and without it."""
    low, high = reachable(node, input_type)
    bound = max(-low, high) + int(np.abs(node.bias.array).max())
    return np.float32 if bound <= _FLOAT32_EXACT else np.float64


@lru_cache(maxsize=1024)
def _matrix(layout: Layout, node: MatrixNode, input_type: QType, blocks: int, together: int) -> _Matrix:
    weight = layout.blocks(node, blocks, together)
    bias = np.resize(node.bias.array, (len(weight), weight.shape[2]))
    dtype = exact_dtype(node, input_type)
    return _Matrix(np.ascontiguousarray(weight, dtype), bias.astype(dtype))


def strips(shape: tuple[int, ...], terms: int, cores: int) -> list[tuple[slice, slice]]:
    """Cut a batch into slices of images and of rows: a few whole images, or some rows of one image, at a time."""
    images, height, width = shape[:3]
    pixels = max(_STRIP_PIXELS, _STRIP_FLOATS // (terms * cores))
    if height * width <= pixels:
        step = pixels // (height * width)
        return [(slice(first, min(first + step, images)), slice(0, height)) for first in range(0, images, step)]
    rows = max(pixels // width, 1)
    return [(slice(i, i + 1), slice(y, min(y + rows, height))) for i in range(images) for y in range(0, height, rows)]


def _together(node: MatrixNode, width: int) -> int:
    """Return how many neighbouring pixels share a window: a power of two that divides the width."""
    together = 1
    while 2 * together * node.weight.shape[3] <= _LANES and width % (2 * together) == 0:
        together *= 2
    return together


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


def matrix_layer(layout: Layout, cores: Cores, graph: Graph, node: MatrixNode, x: Codes) -> Codes:
    """Evaluate a matrix op on a batch.

    Args:
        layout: How the op is a matrix product.
        cores: What it may use.
        graph: The graph that holds the node.
        node: The layer.
        x: Its input, ``(images, height, width, channels)``.

    Returns:
        ``(images, height', width', channels')`` in the smallest integer type that holds it.
    """
    input_type, output = graph.input_of(node).qtype, graph.output_of(node)
    pieces = strips(x.shape, node.terms, cores.count)
    kernel = layout.kernel(node)
    blocks = math.gcd(node.weight.shape[3], cores.count) if layout.split and len(pieces) < cores.count else 1
    together = _together(node, x.shape[2]) if layout.split and kernel > 1 and blocks == 1 else 1
    matrix = _matrix(layout, node, input_type, blocks, together)
    y = np.empty((len(x), *output.shape), code_dtype(output.qtype))
    parts = layout.parts(y, blocks, together)

    def compute(piece: tuple[slice, slice, range]) -> None:
        image, rows, own = piece
        windows = _windows(cores.scratch, x[image], rows, kernel, together, matrix.weight.dtype)
        for block in own:
            acc = cores.scratch.take("sums", (len(windows), matrix.weight.shape[2]), matrix.weight.dtype)
            np.matmul(windows, matrix.weight[block], out=acc)
            acc += matrix.bias[block]
            requantise_floats(acc, input_type.frac + node.weight_type.frac, output.qtype)
            part = parts[image, rows, :, block]
            part[...] = acc.reshape(part.shape)

    # The blocks of a strip need the same windows; where there are fewer strips than cores, each block is a piece.
    every = range(len(matrix.weight))
    shares = [every] if len(pieces) >= cores.count else [range(block, block + 1) for block in every]
    cores.each(compute, [(*strip, own) for strip in pieces for own in shares])
    return y


@dataclass(frozen=True)
class Windows:
    """Output pixels with one set of taps, whose windows lie inside the image.

    Attributes:
        weight: The taps, int64 ``(taps, taps, channels_in / groups, channels_out)``.
        rows: The rows of the output that they make.
        columns: The columns.
        first: Row and column of the input where the first window begins.
        stride: Rows and columns of the input from one window to the next.
        dilation: Rows and columns of the input from one tap to the next.
    """

    weight: Array
    rows: slice
    columns: slice
    first: Pair
    stride: Pair
    dilation: Pair


def window_layer(
    every: Sequence[Windows], groups: int, cores: Cores, graph: Graph, node: MatrixNode, x: Codes
) -> Codes:  # fmt: skip
    """Evaluate a matrix op whose windows lie inside the image on a batch.

    Args:
        every: The windows; together they make each output pixel once.
        groups: Groups of channels that do not meet.
        cores: What it may use.
        graph: The graph that holds the node.
        node: The layer.
        x: Its input, ``(images, height, width, channels)``.

    Returns:
        ``(images, height', width', channels')`` in the smallest integer type that holds it.
    """
    input_type, output = graph.input_of(node).qtype, graph.output_of(node)
    dtype = exact_dtype(node, input_type)
    y = np.empty((len(x), *output.shape), code_dtype(output.qtype))
    terms, channels = x.shape[3] // groups, output.shape[2] // groups
    bias = node.bias.array.astype(dtype)

    def compute(piece: tuple[Windows, slice, slice, int]) -> None:
        windows, image, rows, group = piece
        own = slice(group * channels, (group + 1) * channels)
        weight = windows.weight[..., own].reshape(-1, channels).astype(dtype)
        part = y[image, windows.rows, windows.columns, own][:, rows]
        taps = _inside(cores.scratch, x[image, :, :, group * terms : (group + 1) * terms], windows, rows, part, dtype)
        acc = cores.scratch.take("sums", (len(taps), channels), dtype)
        np.matmul(taps, weight, out=acc)
        acc += bias[own]
        requantise_floats(acc, input_type.frac + node.weight_type.frac, output.qtype)
        part[...] = acc.reshape(part.shape)

    pieces = [
        (windows, image, rows, group)
        for windows in every
        for image, rows in strips(y[:, windows.rows, windows.columns].shape, windows.weight[..., 0].size, cores.count)
        for group in range(groups)
    ]
    cores.each(compute, pieces)
    return y


def _inside(
    scratch: Scratch, x: Codes, windows: Windows, rows: slice, part: Codes, dtype: npt.DTypeLike
) -> Floats:  # fmt: skip
    """Return the windows of some rows as a matrix, ``(images * rows * columns, taps * channels)``.

    Args:
        scratch: For the result.
        x: The whole images, ``(images, height, width, channels)``.
        windows: Where they stand.
        rows: The rows of these windows.
        part: What they make, ``(images, rows, columns, channels')``.
        dtype: Type of the result.
    """
    images, height, width, _ = part.shape
    taps_h, taps_w = windows.weight.shape[:2]
    image, row, pixel, value = x.strides
    begin = x[:, windows.first[0] + rows.start * windows.stride[0] :, windows.first[1] :]
    shape = (images, height, width, taps_h, taps_w, x.shape[3])
    strides = (
        image, row * windows.stride[0], pixel * windows.stride[1], row * windows.dilation[0],
        pixel * windows.dilation[1], value,
    )  # fmt: skip
    taken = scratch.take("windows", shape, dtype)
    np.copyto(taken, np.lib.stride_tricks.as_strided(begin, shape, strides, writeable=False))
    return taken.reshape(math.prod(shape[:3]), -1)
