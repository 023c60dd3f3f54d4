"""Hardware of a ``conv2d`` of the style ``constant``: how the beats of ``qun_conv2d_constant`` move.

Its instance, cycles and area stand in :mod:`quantunet.hls.matrix.constant_conv2d`: they follow from the weights.
"""

from __future__ import annotations

from quantunet.hls.design import Stream
from quantunet.hls.modules import conv2d
from quantunet.hls.modules.sheet import Join, Params
from quantunet.hls.resources.parts import CREDITS
from quantunet.ir import Array

RULE = "constant"
JOIN = Join.NONE
WHOLE_PIXELS = True

_OUTPUT_STAGES = 3  # window, requantisation, output FIFO; beside the product


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given; the latency is that from taking a window, or a pixel at 1x1, to its beat."""
    return {**params, "Credits": _credits(params), "Latency": params["SumLatency"] + _OUTPUT_STAGES}


def _credits(params: Params) -> int:
    """Return the depth of the output FIFO: windows that may be taken before their beats leave."""
    return max(CREDITS, 1 << (params["SumLatency"] + 3).bit_length())


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs, as in the folded convolution."""
    return conv2d.needs(params, target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: the windows that had credits, and what stands ready for the next one.

    The next window's own column and the one after it are fetched, each down to the pixel below it.
    """
    ahead = 2 + (params["Width"] if params["Height"] > 1 else 0) if params["Kernel"] > 1 else 0
    beats: Array = left + _credits(params) + ahead
    return beats
