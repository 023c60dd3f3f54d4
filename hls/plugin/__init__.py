"""The open hls4ml backend ``QuantUNet``: streaming SystemVerilog instead of HLS C++.

hls4ml finds :func:`register` through the entry point group ``hls4ml.backends``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NAME = "QuantUNet"


def register(*, register_backend: Callable[[str, Any], None], register_writer: Callable[[str, Any], None]) -> None:
    """Register the backend and its writer with hls4ml.

    Args:
        register_backend: hls4ml's function of that name.
        register_writer: hls4ml's function of that name.

    Raises:
        RuntimeError: The registration failed; hls4ml's loader would hide a ``TypeError``.
    """
    try:
        from quantunet.hls.plugin.backend import QuantUNetBackend
        from quantunet.hls.plugin.writer import QuantUNetWriter

        # The backend's constructor looks up its writer.
        register_writer(NAME, QuantUNetWriter)
        register_backend(NAME, QuantUNetBackend)
    except TypeError as error:
        message = f"the hls4ml backend {NAME} could not be registered: {error}"
        raise RuntimeError(message) from error
