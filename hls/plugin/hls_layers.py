"""Layer classes of the ModelGraph for what hls4ml's own classes cannot say, and only this backend reads.

Another backend has no code for them, and stops where it would write it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hls4ml.model.attributes import Attribute
from hls4ml.model.layers import Layer, layer_map, register_layer

from quantunet.hls.csim.extension import QunConv2D
from quantunet.ir import Array


class QunConvTranspose1D(QunConv2D):
    """Transpose convolution of a signal: of images with one row, but for the shape of its result."""

    sides = ("out_width",)


class QunReLU(Layer):
    """A ReLU with a limit: ``min(x, max_value)`` above the threshold, ``negative_slope * (x - threshold)`` below."""

    _expected_attributes = tuple(
        Attribute(name, value_type=float, configurable=False) for name in ("max_value", "negative_slope", "threshold")
    )

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_input_variable().shape)


class QunOnnxLayer(Layer):
    """A layer of an ONNX file whose attributes are read from the file's own node; the shape is the file's.

    Attributes of the layer: ``shape``, without the batch, in the file's order of axes.
    """

    _expected_attributes = (Attribute("shape", value_type=list, configurable=False),)

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(list(self.attributes["shape"]))


class QunOnnxConvTranspose(QunOnnxLayer):
    """``ConvTranspose``: weights and bias are constants that it reads."""


class QunOnnxResize(QunOnnxLayer):
    """``Resize``: the image is its only input; ``factors`` has a fraction for each axis without the batch."""


def register_plugin_layers() -> None:
    """Make the classes known to hls4ml; a second call changes nothing."""
    for layer in (QunConvTranspose1D, QunOnnxConvTranspose, QunOnnxResize, QunReLU):
        if layer.__name__ not in layer_map:
            register_layer(layer.__name__, layer)


def spread_taps(weight: Array, stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """Return the taps of a transpose convolution without dilation, of at least its stride.

    Args:
        weight: ``(rows, columns, ...)``.
        stride: Of rows and columns.
        dilation: Of rows and columns; taps of 0 stand between the weights.

    Example:
        >>> spread_taps(np.ones((1, 2)), (1, 1), (1, 2))
        array([[1., 0., 1.]])
    """
    reach = [(taps - 1) * step + 1 for taps, step in zip(weight.shape, dilation, strict=False)]
    wide = [max(size, step) for size, step in zip(reach, stride, strict=True)]
    taps = np.zeros((*wide, *weight.shape[2:]), weight.dtype)
    taps[: reach[0] : dilation[0], : reach[1] : dilation[1]] = weight
    return taps
