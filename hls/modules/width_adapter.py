"""Hardware of ``width_adapter``: parameters of ``qun_width_adapter``, and its cycles."""

from __future__ import annotations

import math

from quantunet.hls.design import Cycles, Stream
from quantunet.hls.modules.sheet import Join, Params, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array

RULE = "width_adapter"
JOIN = Join.NONE
WHOLE_PIXELS = False


def cycles(params: Params, beats: int) -> Cycles:
    """Return the cycles of ``qun_width_adapter`` for a frame.

    A group of the least common multiple of the lane counts is collected, passed on as a whole, and sent: the busier
    side never waits, and the other one's beats of one group come on top.
    """
    group_in, group_out = _group(params)
    busiest = max(beats, beats // group_in * group_out)
    return Cycles(predicted=busiest + min(group_in, group_out) + 1, first_output=group_in + 2, ideal=busiest)


def _group(params: Params) -> tuple[int, int]:
    """Return the beats that come and that leave for one group."""
    group = math.lcm(params["InLanes"], params["OutLanes"])
    return group // params["InLanes"], group // params["OutLanes"]


def area(params: Params) -> Terms:
    """Return what ``qun_width_adapter`` takes."""
    terms = Terms()
    in_lanes, out_lanes, bits = params["InLanes"], params["OutLanes"], params["Bits"]
    group = math.lcm(in_lanes, out_lanes)
    beats_in, beats_out = _group(params)
    add_slice(terms, min(in_lanes, out_lanes) * bits + 1)
    terms.add("lut", adapters=1, adapter_shift_bits=group * bits if beats_out > 1 else 0)
    terms.add("ff", registers=group * bits + 2 + (group - in_lanes) * bits + counter_bits(beats_in))
    terms.add("ff", registers=counter_bits(beats_out))
    return terms


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: a group in its register, all but the last beat of the next one, and the slice.

    The slice is on the narrower side.
    """
    group_in, group_out = _group(params)
    if params["InLanes"] < params["OutLanes"]:
        return (left // group_out + 2) * group_in - 1 + SLICE_BEATS
    return ((left + SLICE_BEATS) // group_out + 2) * group_in - 1
