"""Layers that hls4ml's front ends lack, by its own extension points: what a U-Net needs, for every backend."""

from __future__ import annotations

import importlib.util

from quantunet.hls.plugin import onnx_front_end, pytorch_front_end
from quantunet.hls.plugin.bit_exact import register_widths
from quantunet.hls.plugin.hls_layers import register_plugin_layers
from quantunet.hls.plugin.when_loaded import when_loaded


def register_front_ends(backend: str) -> None:
    """Make the layers known to the front ends that are installed; a second call changes nothing.

    Args:
        backend: The name of the backend that has code for all of them.
    """
    register_plugin_layers()
    register_widths()
    if importlib.util.find_spec("keras") is not None:
        from quantunet.hls.plugin.keras_front_end import register_keras

        register_keras()
    if importlib.util.find_spec("torch") is not None:
        when_loaded(pytorch_front_end.TABLE, pytorch_front_end.add_to)
    if importlib.util.find_spec("onnx") is not None:
        onnx_front_end.serve(backend)
        onnx_front_end.register_passes()
        when_loaded(onnx_front_end.TABLE, onnx_front_end.add_to)
