"""Golden model of ``conv_transpose2d``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.golden.matrix import Layout, Windows, matrix_layer, window_layer
from quantunet.ir import Array, ConvTranspose2d, Graph, MatrixNode, Pair, QType, Sides
from quantunet.rounding import requantise


def accumulate(x: Array, weight: Array, bias: Array, stride: Pair = (2, 2), crop: Sides = (0, 0, 0, 0)) -> Array:
    """Return the exact accumulators of a transpose convolution.

    ``full[h*sh + dy, w*sw + dx, co] += sum_ci x[h, w, ci] * weight[dy, dx, ci, co]``, and ``acc = full + bias`` without
    what is cropped.

    Args:
        x: int64 ``(height, width, channels_in)``.
        weight: int64 ``(kh, kw, channels_in, channels_out)``.
        bias: int64 ``(channels_out,)``.
        stride: Rows and columns of the output from one input pixel to the next.
        crop: Rows and columns that are left out: at the top, the left, the bottom and the right.

    Returns:
        int64 ``((height - 1) * sh + kh - top - bottom, (width - 1) * sw + kw - left - right, channels_out)``.

    >>> accumulate(np.array([[[2]]]), np.array([1, 2, 3, 4]).reshape(2, 2, 1, 1), np.array([1]))[..., 0]
    array([[3, 5],
           [7, 9]])
    >>> accumulate(np.array([[[1], [2]]]), np.ones((1, 3, 1, 1), np.int64), np.array([0]), (1, 2), (0, 1, 0, 1))[..., 0]
    array([[1, 3, 2]])
    """
    height, width, _ = x.shape
    kernel_h, kernel_w, _, channels = weight.shape
    rows, columns = (height - 1) * stride[0] + kernel_h, (width - 1) * stride[1] + kernel_w
    full = np.zeros((rows, columns, channels), dtype=np.int64)
    for dy in range(kernel_h):
        for dx in range(kernel_w):
            products = np.einsum("hwi,io->hwo", x, weight[dy, dx])
            full[dy :: stride[0], dx :: stride[1]][:height, :width] += products
    acc: Array = full[crop[0] : rows - crop[2], crop[1] : columns - crop[3]] + bias
    return acc


def conv_transpose2d(x: Array, node: ConvTranspose2d, input_type: QType, output_type: QType) -> Array:
    """Return ``requantise(accumulate(x, weight, bias))``.

    Args:
        x: int64 ``(height, width, channels_in)`` in ``input_type``.
        node: The layer.
        input_type: The input's type; the accumulator stands at ``frac_input + frac_weight``.
        output_type: The output's type.

    Returns:
        int64 ``(height', width', channels_out)`` in ``output_type``.

    >>> from quantunet.ir import IntArray
    >>> weight = IntArray.of(np.array([1, 2, 3, -4]).reshape(2, 2, 1, 1))
    >>> node = ConvTranspose2d("u", ("x",), "y", weight, QType(4, True, 1), IntArray.of([0]))
    >>> conv_transpose2d(np.array([[[3]]]), node, QType(2, False, 0), QType(4, True, 0))[..., 0]
    array([[ 2,  3],
           [ 4, -6]])
    """
    acc = accumulate(x, node.weight.array, node.bias.array, node.stride, node.crop)
    return requantise(acc, input_type.frac + node.weight_type.frac, output_type)


def _blocks(node: MatrixNode, blocks: int, together: int) -> Array:
    """One block for each ``dy``; its columns are ``(dx, channel)``."""
    kernel_h, kernel_w, channels_in, channels_out = node.weight.shape
    return node.weight.array.transpose(0, 2, 1, 3).reshape(kernel_h, channels_in, kernel_w * channels_out)


def _parts(y: Codes, blocks: int, together: int) -> Codes:
    """The rows ``2h`` and ``2h + 1``."""
    images, height, width, _ = y.shape
    return y.reshape(images, height // 2, 2, width // 2, -1).swapaxes(2, 3)


_LAYOUT = Layout(lambda node: 1, _blocks, _parts, split=False)


def _phases(graph: Graph, node: ConvTranspose2d) -> list[Windows]:
    """Return the windows of each phase: output pixels a stride apart, whose taps lie upside down on the input."""
    (rows, columns), (top, left) = node.stride, node.crop[:2]
    found = []
    for row in range(min(rows, graph.output_of(node).shape[0])):
        for column in range(min(columns, graph.output_of(node).shape[1])):
            taps = node.weight.array[(row + top) % rows :: rows, (column + left) % columns :: columns][::-1, ::-1]
            first = (row + top) // rows - len(taps) + 1, (column + left) // columns - taps.shape[1] + 1
            found.append(Windows(taps, slice(row, None, rows), slice(column, None, columns), first, (1, 1), (1, 1)))
    return found


def evaluate(graph: Graph, node: ConvTranspose2d, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return conv_transpose2d(inputs[0], node, graph.input_of(node).qtype, graph.output_of(node).qtype)


def evaluate_batch(cores: Cores, graph: Graph, node: ConvTranspose2d, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    if node.native:
        return matrix_layer(_LAYOUT, cores, graph, node, inputs[0])
    return window_layer(_phases(graph, node), 1, cores, graph, node, inputs[0])
