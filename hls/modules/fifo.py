"""Hardware of ``fifo``: parameters of ``qun_fifo``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Stream
from quantunet.hls.modules.sheet import Join, Params, same_pixel
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array

RULE = "fifo"
JOIN = Join.NONE
WHOLE_PIXELS = False

LEAST_DEPTH = 2
"""Depth that ``qun_fifo`` has at least."""

SHALLOW = 16
"""Depth up to which ``qun_fifo`` keeps its beats in registers or LUT memory, and passes a beat on after one cycle."""

_PREFETCH = 4
_READ_LATENCY = 3


def cycles(params: Params, beats: int) -> Cycles:
    """Return the cycles of ``qun_fifo`` for a frame when its reader is ready."""
    latency = 1 if params["Depth"] <= SHALLOW else 1 + _READ_LATENCY
    return Cycles(predicted=beats + latency, first_output=1 + latency, ideal=beats)


def area(params: Params) -> Terms:
    """Return what ``qun_fifo`` takes; one that knows the beats of a frame counts ``tlast`` and does not store it."""
    terms = Terms()
    bits, depth, frame_beats = params["Bits"], params["Depth"], params.get("FrameBeats", 0)
    word, beat = bits + (frame_beats == 0), counter_bits(frame_beats) if frame_beats else 0
    address, level = counter_bits(depth), depth.bit_length()
    if depth <= SHALLOW:
        terms.add_memory(word, depth, asynchronous=True)
        terms.add("lut", fifo_bits=2 * address + level + beat, fifos=1)
        terms.add("ff", registers=2 * address + level + beat + 1)
    else:
        terms.add_banked_memory(word, depth)
        terms.add_memory(word, _PREFETCH, asynchronous=True)
        terms.add("lut", deep_fifo_bits=2 * address + 2 * level + beat, deep_fifos=1)
        terms.add("ff", registers=2 * address + 2 * level + beat + 14)
    return terms


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {"Limit": params["Depth"], "Shallow": SHALLOW, "Prefetch": _PREFETCH, "ReadLatency": _READ_LATENCY, **params}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + params["Depth"]
