"""Golden model of ``conv2d``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes
from quantunet.golden.cores import Cores
from quantunet.golden.matrix import Layout, Windows, matrix_layer, window_layer
from quantunet.ir import Array, Conv2d, Graph, MatrixNode, Pair, QType
from quantunet.rounding import requantise


def accumulate(
    x: Array, weight: Array, bias: Array, *, stride: Pair = (1, 1), dilation: Pair = (1, 1), groups: int = 1,
    padded: bool = True,
) -> Array:  # fmt: skip
    """Return the exact accumulators of a convolution.

    ``acc[h, w, co] = bias[co] + sum_{dy, dx, ci} x[h*sh + dy*dh, w*sw + dx*dw, ci] * weight[dy, dx, ci, co]``, with the
    input channels of the group of ``co``; with padding the window begins ``k // 2`` pixels before, and pixels outside
    the image are 0.

    Args:
        x: int64 ``(height, width, channels_in)``.
        weight: int64 ``(kh, kw, channels_in / groups, channels_out)``.
        bias: int64 ``(channels_out,)``.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
        groups: Groups of channels that do not meet.
        padded: Whether the image is padded with ``k // 2`` pixels of 0 on each side.

    Returns:
        int64 ``(height', width', channels_out)``, a pixel for each window inside the image.

    >>> x = np.array([[[1], [2]], [[3], [4]]])
    >>> accumulate(x, np.ones((3, 3, 1, 1), dtype=np.int64), np.array([10]))[..., 0]
    array([[20, 20],
           [20, 20]])
    >>> row = np.arange(1, 8).reshape(1, 7, 1)
    >>> weight = np.array([1, 10]).reshape(1, 2, 1, 1)
    >>> accumulate(row, weight, np.array([0]), stride=(1, 3), dilation=(1, 2), padded=False)
    array([[[31],
            [64]]])
    """
    kernel_h, kernel_w, terms, channels = weight.shape
    if padded:
        margins = (kernel_h // 2, kernel_h // 2), (kernel_w // 2, kernel_w // 2), (0, 0)
        x = np.pad(x, margins)
    height = (x.shape[0] - (kernel_h - 1) * dilation[0] - 1) // stride[0] + 1
    width = (x.shape[1] - (kernel_w - 1) * dilation[1] - 1) // stride[1] + 1
    acc = np.broadcast_to(bias, (height, width, channels)).astype(np.int64)
    for dy in range(kernel_h):
        for dx in range(kernel_w):
            pixels = x[dy * dilation[0] :: stride[0], dx * dilation[1] :: stride[1]][:height, :width]
            taps = pixels.reshape(height, width, groups, terms)
            products = np.einsum("hwgi,igo->hwgo", taps, weight[dy, dx].reshape(terms, groups, channels // groups))
            acc = acc + products.reshape(height, width, channels)
    return acc


def conv2d(x: Array, node: Conv2d, input_type: QType, output_type: QType) -> Array:
    """Return ``requantise(accumulate(x, weight, bias))``.

    Args:
        x: int64 ``(height, width, channels_in)`` in ``input_type``.
        node: The layer.
        input_type: The input's type; the accumulator stands at ``frac_input + frac_weight``.
        output_type: The output's type.

    Returns:
        int64 ``(height, width, channels_out)`` in ``output_type``.

    >>> from quantunet.ir import IntArray
    >>> node = Conv2d("c", ("x",), "y", IntArray.of([[[[3]]]]), QType(3, True, 1), IntArray.of([1]))
    >>> conv2d(np.array([[[1], [2], [3]]]), node, QType(2, False, 0), QType(2, False, 0))[0, :, 0]
    array([2, 3, 3])
    """
    acc = accumulate(
        x, node.weight.array, node.bias.array, stride=node.stride, dilation=node.dilation, groups=node.groups,
        padded=node.padded,
    )  # fmt: skip
    return requantise(acc, input_type.frac + node.weight_type.frac, output_type)


def _blocks(node: MatrixNode, blocks: int, together: int) -> Array:
    """Blocks of output channels; or one, whose window is as wide as those of all pixels that share it.

    Each of these pixels is then a group of columns, with weights of 0 where the window is not its own.
    """
    kernel_h, kernel_w, channels_in, channels_out = node.weight.shape
    if together == 1:
        return node.weight.array.reshape(-1, blocks, channels_out // blocks).swapaxes(0, 1)
    wide = np.zeros((kernel_h, kernel_w + together - 1, channels_in, together, channels_out), np.int64)
    for pixel in range(together):
        wide[:, pixel : pixel + kernel_w, :, pixel] = node.weight.array
    return wide.reshape(1, -1, together * channels_out)


def _parts(y: Codes, blocks: int, together: int) -> Codes:
    images, height, width, _ = y.shape
    return y.reshape(images, height, width // together, blocks, -1)


_LAYOUT = Layout(lambda node: node.weight.shape[0], _blocks, _parts, split=True)


def evaluate(graph: Graph, node: Conv2d, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return conv2d(inputs[0], node, graph.input_of(node).qtype, graph.output_of(node).qtype)


def evaluate_batch(cores: Cores, graph: Graph, node: Conv2d, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    if node.native:
        return matrix_layer(_LAYOUT, cores, graph, node, inputs[0])
    every = slice(None)
    windows = Windows(node.weight.array, every, every, (0, 0), node.stride, node.dilation)
    return window_layer([windows], node.groups, cores, graph, node, inputs[0])
