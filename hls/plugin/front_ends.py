"""Layers that hls4ml's front ends lack, by its own extension points: what a U-Net needs, for every backend."""

from __future__ import annotations

import importlib.util

from quantunet.hls.plugin.bit_exact import register_widths
from quantunet.hls.plugin.hls_layers import register_plugin_layers


def register_front_ends() -> None:
    """Make the layers known to the front ends that are installed; a second call changes nothing."""
    register_plugin_layers()
    register_widths()
    if importlib.util.find_spec("keras") is not None:
        from quantunet.hls.plugin.keras_front_end import register_keras

        register_keras()
    if importlib.util.find_spec("torch") is not None:
        from quantunet.hls.plugin.pytorch_front_end import register_pytorch

        register_pytorch()
