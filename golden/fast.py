"""The fast exact path: the accumulators by BLAS in floating point, where the integer bounds prove it exact.

Every product and every partial sum of a layer lies inside its accumulator's range (:mod:`quantunet.accumulator`). An
integer below ``2**24`` is exact in float32 and one below ``2**53`` in float64, so that no rounding can happen in any
order of summation. Tests hold this path equal to the plain one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import reachable
from quantunet.golden.rounding import requantise
from quantunet.ir import Array, Conv2d, MatrixNode, QType

_FLOAT32_EXACT_BITS = 24


@lru_cache(maxsize=1024)
def _matrix(node: MatrixNode, input_type: QType) -> npt.NDArray[np.floating]:
    """Return the weights as a matrix in the smallest float type that is exact for this layer."""
    low, high = reachable(node, input_type)
    # A dot product leaves out the bias, and BLAS may sum in any order: bound the sum of magnitudes.
    magnitude = int(np.abs(node.weight.array).sum(axis=(0, 1, 2)).max()) * max(-input_type.qmin, input_type.qmax)
    exact = max(magnitude, -low, high) < 1 << _FLOAT32_EXACT_BITS
    dtype = np.float32 if exact else np.float64
    kernel_h, kernel_w, channels_in, channels_out = node.weight.shape
    if isinstance(node, Conv2d):
        rows = node.weight.array.reshape(kernel_h * kernel_w * channels_in, channels_out)
    else:
        rows = node.weight.array.transpose(2, 0, 1, 3).reshape(channels_in, kernel_h * kernel_w * channels_out)
    return np.ascontiguousarray(rows, dtype=dtype)


def _patches(x: npt.NDArray[np.floating], kernel: int) -> npt.NDArray[np.floating]:
    """Return ``(height * width, kernel * kernel * channels)``: the window of every pixel, zero-padded."""
    height, width, channels = x.shape
    if kernel == 1:
        return x.reshape(height * width, channels)
    padded = np.zeros((height + 2, width + 2, channels), dtype=x.dtype)
    padded[1:-1, 1:-1] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(0, 1))
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2)).reshape(height * width, kernel * kernel * channels)


def matrix_layer(x: Array, node: MatrixNode, input_type: QType, output_type: QType) -> Array:
    """Return the output of a convolution or transpose convolution, equal to the plain golden op.

    Args:
        x: int64 ``(height, width, channels_in)`` in ``input_type``.
        node: The layer.
        input_type: The input's type.
        output_type: The output's type.

    Returns:
        int64 ``(height', width', channels_out)`` in ``output_type``.
    """
    height, width, channels_in = x.shape
    channels_out = node.weight.shape[3]
    matrix = _matrix(node, input_type)
    if isinstance(node, Conv2d):
        product = _patches(x.astype(matrix.dtype), node.weight.shape[0]) @ matrix
        sums = product.reshape(height, width, channels_out)
    else:
        product = x.astype(matrix.dtype).reshape(height * width, channels_in) @ matrix
        blocks = product.reshape(height, width, 2, 2, channels_out).transpose(0, 2, 1, 3, 4)
        sums = blocks.reshape(2 * height, 2 * width, channels_out)
    acc = sums.astype(np.int64) + node.bias.array
    return requantise(acc, input_type.frac + node.weight_type.frac, output_type)
