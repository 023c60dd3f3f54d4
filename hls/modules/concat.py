"""Hardware of ``concat``: parameters of ``qun_concat``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Concat, Graph

RULE = "concat_in_turn"
JOIN = Join.IN_TURN
WHOLE_PIXELS = True
BURSTS = True

_LATENCY = 1


def emit(graph: Graph, node: Concat, fold: Fold) -> Instance:
    """Return the instance of a concatenation."""
    skip, up = (graph.input_of(node, index) for index in range(2))
    params = {
        "SkipChannels": skip.shape[2],
        "UpChannels": up.shape[2],
        "Lanes": fold.pe,
        "Bits": skip.qtype.bits,
    }
    return Instance(
        name=node.name,
        module="qun_concat",
        params=tuple(params.items()),
        inputs=(("s_axis_skip", node.inputs[0]), ("s_axis_up", node.inputs[1])),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Concat, fold: Fold) -> Cycles:
    """Return the cycles of a concatenation for one frame: a beat a cycle leaves, through one register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Concat, fold: Fold) -> Terms:
    """Return what a concatenation takes."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    beat = p["Lanes"] * p["Bits"] + 1
    add_slice(terms, beat)
    groups = counter_bits((p["SkipChannels"] + p["UpChannels"]) // p["Lanes"])
    terms.add("lut", concat_bits=beat, concats=1, concat_counter_bits=groups)
    terms.add("ff", registers=groups)
    return terms


def timing(graph: Graph, node: Concat, fold: Fold) -> Timing:
    """Return how a concatenation works through a frame: the second leg's beats come after those of the first."""
    entry = (graph.input_of(node, 1).shape[2] // fold.pe, 0)
    return pixelwise(graph, node, fold, cycles(graph, node, fold), entry, (0, 0))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken of a leg when so many have left it and the next is blocked."""
    skip, up = params["SkipChannels"] // params["Lanes"], params["UpChannels"] // params["Lanes"]
    pixels, beats = np.divmod(left + SLICE_BEATS, skip + up)
    legs = (pixels * skip + np.minimum(beats, skip), pixels * up + np.maximum(beats - skip, 0))
    return legs[index]
