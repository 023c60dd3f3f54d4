"""What the schedule of a convolution by constants depends on: buffers and pipeline of ``qun_conv2d_constant.sv``.

When its beats move stands in ``hls/schedule/cpp/qun_schedule_constant.h``.
"""

from __future__ import annotations

from collections.abc import Mapping

_OUTPUT_STAGES = 3  # window, requantisation, output FIFO; beside the product
_SHALLOW = 16


def credits_of(params: Mapping[str, int]) -> int:
    """Return the depth of the output FIFO: windows that may be taken before their beats leave."""
    return max(_SHALLOW, 1 << (params["SumLatency"] + 3).bit_length())


def ahead(params: Mapping[str, int]) -> int:
    """Return the pixels that may have come when a window is blocked, counted from that window's pixel.

    The window's own column and the one after it are fetched, each down to the pixel below it.
    """
    if params["Kernel"] == 1:
        return 0
    return 2 + (params["Width"] if params["Height"] > 1 else 0)


def latency(params: Mapping[str, int]) -> int:
    """Return the cycles from taking a window, or a pixel at 1x1, to offering its beat."""
    return params["SumLatency"] + _OUTPUT_STAGES
