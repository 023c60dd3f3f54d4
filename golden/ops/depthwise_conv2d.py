"""Golden model of ``depthwise_conv2d``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.golden.matrix import exact_dtype, strips
from quantunet.golden.windows import taps
from quantunet.ir import Array, DepthwiseConv2d, Graph, Pair, QType, window_places
from quantunet.rounding import requantise, requantise_floats


def accumulate(x: Array, weight: Array, bias: Array, stride: Pair = (1, 1), dilation: Pair = (1, 1)) -> Array:
    """Return the exact accumulators of a convolution of each channel by itself, without padding.

    ``acc[h, w, c] = bias[c] + sum_{dy, dx} x[h*sh + dy*dh, w*sw + dx*dw, c] * weight[dy, dx, 0, c]``.

    Args:
        x: int64 ``(height, width, channels)``.
        weight: int64 ``(kernel height, kernel width, 1, channels)``.
        bias: int64 ``(channels,)``.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.

    Returns:
        int64 ``(height', width', channels)``, a pixel for each window that lies inside the image.

    >>> x = np.arange(6).reshape(1, 3, 2)  # channel 0 is 0, 2, 4; channel 1 is 1, 3, 5
    >>> accumulate(x, np.array([[[[1, 10]], [[1, 1]]]]), np.array([0, 100])).tolist()
    [[[2, 113], [6, 135]]]
    """
    kernel = weight.shape[:2]
    height, width = (window_places(*sizes) for sizes in zip(x.shape[:2], kernel, stride, dilation, strict=True))
    acc = np.broadcast_to(bias, (height, width, x.shape[2])).astype(np.int64)
    for (dy, dx), tap in taps(x, (height, width), (kernel[0], kernel[1]), stride, dilation):
        acc = acc + tap * weight[dy, dx, 0]
    return acc


def depthwise_conv2d(x: Array, node: DepthwiseConv2d, input_type: QType, output_type: QType) -> Array:
    """Return ``requantise(accumulate(x, weight, bias))``.

    Args:
        x: int64 ``(height, width, channels)`` in ``input_type``.
        node: The layer.
        input_type: The input's type; the accumulator stands at ``frac_input + frac_weight``.
        output_type: The output's type.

    Returns:
        int64 ``(height', width', channels)`` in ``output_type``.

    >>> from quantunet.ir import IntArray
    >>> weight = IntArray.of([[[[3, -1]]]])
    >>> node = DepthwiseConv2d("d", ("x",), "y", weight, QType(3, True, 1), IntArray.of([1, 0]))
    >>> depthwise_conv2d(np.array([[[1, 1], [2, 5]]]), node, QType(3, False, 0), QType(3, True, 0)).tolist()
    [[[2, 0], [3, -2]]]
    """
    acc = accumulate(x, node.weight.array, node.bias.array, node.stride, node.dilation)
    return requantise(acc, input_type.frac + node.weight_type.frac, output_type)


def evaluate(graph: Graph, node: DepthwiseConv2d, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return depthwise_conv2d(inputs[0], node, graph.input_of(node).qtype, graph.output_of(node).qtype)


def evaluate_batch(cores: Cores, graph: Graph, node: DepthwiseConv2d, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    x, input_type, output = inputs[0], graph.input_of(node).qtype, graph.output_of(node)
    dtype = exact_dtype(node, input_type)
    kernel_h, kernel_w = node.weight.shape[:2]
    weight, bias = node.weight.array.astype(dtype), node.bias.array.astype(dtype)
    views = list(taps(x, output.shape[:2], (kernel_h, kernel_w), node.stride, node.dilation))
    y = np.empty((len(x), *output.shape), code_dtype(output.qtype))

    def compute(strip: tuple[slice, slice]) -> None:
        acc = np.broadcast_to(bias, y[strip].shape).copy()
        for (dy, dx), tap in views:
            acc += tap[strip] * weight[dy, dx, 0]
        requantise_floats(acc, input_type.frac + node.weight_type.frac, output.qtype)
        y[strip] = acc

    cores.each(compute, strips(y.shape, y.shape[3], cores.count))
    return y
