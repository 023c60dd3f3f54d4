"""Hardware of ``fork``: parameters of ``qun_fork``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Stream
from quantunet.hls.modules.sheet import Join, Params, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array

RULE = "fork"
JOIN = Join.NONE
WHOLE_PIXELS = False


def cycles(params: Params, beats: int) -> Cycles:
    """Return the cycles of ``qun_fork`` for a frame when every reader is ready."""
    return Cycles(predicted=beats + 1, first_output=2, ideal=beats)


def area(params: Params) -> Terms:
    """Return what ``qun_fork`` takes."""
    terms = Terms()
    add_slice(terms, params["Bits"] + 1)
    terms.add("lut", fork_outputs=params["Outputs"])
    terms.add("ff", registers=params["Outputs"])
    return terms


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + SLICE_BEATS
