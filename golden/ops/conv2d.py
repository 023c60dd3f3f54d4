"""Golden model of ``conv2d``."""

from __future__ import annotations

import numpy as np

from quantunet.ir import Array, Conv2d, QType
from quantunet.rounding import requantise


def accumulate(x: Array, weight: Array, bias: Array) -> Array:
    """Return the exact accumulators of a same-padded convolution with stride 1.

    ``acc[h, w, co] = bias[co] + sum_{dy, dx, ci} x[h + dy - k//2, w + dx - k//2, ci] * weight[dy, dx, ci, co]``, where
    pixels outside the image are 0.

    Args:
        x: int64 ``(height, width, channels_in)``.
        weight: int64 ``(k, k, channels_in, channels_out)``, k odd.
        bias: int64 ``(channels_out,)``.

    Returns:
        int64 ``(height, width, channels_out)``.

    >>> x = np.array([[[1], [2]], [[3], [4]]])
    >>> accumulate(x, np.ones((3, 3, 1, 1), dtype=np.int64), np.array([10]))[..., 0]
    array([[20, 20],
           [20, 20]])
    """
    height, width, _ = x.shape
    kernel = weight.shape[0]
    margin = kernel // 2
    padded = np.pad(x, ((margin, margin), (margin, margin), (0, 0)))
    acc = np.broadcast_to(bias, (height, width, weight.shape[3])).astype(np.int64)
    for dy in range(kernel):
        for dx in range(kernel):
            acc = acc + np.einsum("hwi,io->hwo", padded[dy : dy + height, dx : dx + width], weight[dy, dx])
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
    acc = accumulate(x, node.weight.array, node.bias.array)
    return requantise(acc, input_type.frac + node.weight_type.frac, output_type)
