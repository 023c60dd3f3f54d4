"""Layer classes of the ModelGraph for what hls4ml's own classes cannot say, and only this backend reads.

Another backend has no code for them, and stops where it would write it.
"""

from __future__ import annotations

from hls4ml.model.attributes import Attribute
from hls4ml.model.layers import Layer, layer_map, register_layer

from quantunet.hls.csim.extension import QunConv2D


class QunConvTranspose1D(QunConv2D):
    """Transpose convolution of a signal: of images with one row, but for the shape of its result."""

    def initialize(self) -> None:
        """Add the output, the weights and the bias."""
        self.add_output_variable([self.attributes["out_width"], self.attributes["n_filt"]])
        self.add_weights()
        self.add_bias()


class QunReLU(Layer):
    """A ReLU with a limit: ``min(x, max_value)`` above the threshold, ``negative_slope * (x - threshold)`` below."""

    _expected_attributes = tuple(
        Attribute(name, value_type=float, configurable=False) for name in ("max_value", "negative_slope", "threshold")
    )

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_input_variable().shape)


def register_plugin_layers() -> None:
    """Make the classes known to hls4ml; a second call changes nothing."""
    for layer in (QunConvTranspose1D, QunReLU):
        if layer.__name__ not in layer_map:
            register_layer(layer.__name__, layer)
