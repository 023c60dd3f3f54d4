"""The layers that everything is measured on: random 4-bit weights, unsigned 4-bit activations, requantisation."""

from __future__ import annotations

from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder

_ACTIVATION = QType(4, False, 3)


def conv_layer(name: str, size: int, channels_in: int, channels_out: int, *, bits_w: int = 4, seed: int = 1) -> Graph:
    """Return a network of one 3x3 convolution on a square image.

    Args:
        name: Of the network; the layer is called ``conv``.
        size: Height and width.
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        bits_w: Width of the weights.
        seed: Of the weights.
    """
    builder = GraphBuilder(name, size, size, channels_in, _ACTIVATION, seed)
    builder.matrix(Conv2d, "conv", "image", channels_out, 3, bits_w, _ACTIVATION)
    return builder.build()


def l8() -> Graph:
    """Return L8: 8 to 8 channels on 16x16 pixels, 147,456 MACs."""
    return conv_layer("l8", 16, 8, 8)


def l16() -> Graph:
    """Return L16: 16 to 16 channels on 32x32 pixels, 2,359,296 MACs."""
    return conv_layer("l16", 32, 16, 16)


def wide() -> Graph:
    """Return the layer of the simulation speed: 128 to 128 channels on 64x64 pixels, 604 million MACs."""
    return conv_layer("wide", 64, 128, 128)
