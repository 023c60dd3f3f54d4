"""Golden model of ``conv_transpose2d``."""

from __future__ import annotations

import numpy as np

from quantunet.ir import Array, ConvTranspose2d, QType
from quantunet.rounding import requantise


def accumulate(x: Array, weight: Array, bias: Array) -> Array:
    """Return the exact accumulators of a 2x2 transpose convolution with stride 2.

    ``acc[2h + dy, 2w + dx, co] = bias[co] + sum_ci x[h, w, ci] * weight[dy, dx, ci, co]``: windows do not overlap.

    Args:
        x: int64 ``(height, width, channels_in)``.
        weight: int64 ``(2, 2, channels_in, channels_out)``.
        bias: int64 ``(channels_out,)``.

    Returns:
        int64 ``(2 * height, 2 * width, channels_out)``.

    >>> accumulate(np.array([[[2]]]), np.array([1, 2, 3, 4]).reshape(2, 2, 1, 1), np.array([1]))[..., 0]
    array([[3, 5],
           [7, 9]])
    """
    height, width, _ = x.shape
    acc = np.empty((2 * height, 2 * width, weight.shape[3]), dtype=np.int64)
    for dy in range(2):
        for dx in range(2):
            acc[dy::2, dx::2] = np.einsum("hwi,io->hwo", x, weight[dy, dx]) + bias
    return acc


def conv_transpose2d(x: Array, node: ConvTranspose2d, input_type: QType, output_type: QType) -> Array:
    """Return ``requantise(accumulate(x, weight, bias))``.

    Args:
        x: int64 ``(height, width, channels_in)`` in ``input_type``.
        node: The layer.
        input_type: The input's type; the accumulator stands at ``frac_input + frac_weight``.
        output_type: The output's type.

    Returns:
        int64 ``(2 * height, 2 * width, channels_out)`` in ``output_type``.

    >>> from quantunet.ir import IntArray
    >>> weight = IntArray.of(np.array([1, 2, 3, -4]).reshape(2, 2, 1, 1))
    >>> node = ConvTranspose2d("u", ("x",), "y", weight, QType(4, True, 1), IntArray.of([0]))
    >>> conv_transpose2d(np.array([[[3]]]), node, QType(2, False, 0), QType(4, True, 0))[..., 0]
    array([[ 2,  3],
           [ 4, -6]])
    """
    acc = accumulate(x, node.weight.array, node.bias.array)
    return requantise(acc, input_type.frac + node.weight_type.frac, output_type)
