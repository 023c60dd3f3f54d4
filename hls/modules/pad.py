"""Hardware of ``pad``: parameters of ``qun_pad``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, moved
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, Pad

RULE = "pad"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = True

_LATENCY = 1


def emit(graph: Graph, node: Pad, fold: Fold) -> Instance:
    """Return the instance of a padding."""
    source = graph.input_of(node)
    (height, width, channels), (top, left, bottom, right) = source.shape, node.sides
    params = {
        "Height": height,
        "Width": width,
        "Channels": channels,
        "Lanes": fold.pe,
        "Bits": source.qtype.bits,
        "Top": top,
        "Left": left,
        "Bottom": bottom,
        "Right": right,
        "Value": node.value % (1 << source.qtype.bits),
    }
    return Instance(
        name=node.name,
        module="qun_pad",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Pad, fold: Fold) -> Cycles:
    """Return the cycles of a padding for one frame: a beat a cycle leaves, behind one register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Pad, fold: Fold) -> Terms:
    """Return what a padding takes: a slice, a choice of each bit, and the place in the frame."""
    terms = Terms()
    (height, width, channels), bits = graph.output_of(node).shape, fold.pe * graph.input_of(node).qtype.bits
    add_slice(terms, bits)
    counters = counter_bits(height) + counter_bits(width * channels // fold.pe)
    terms.add("lut", concat_bits=bits, pools=1, pool_counter_bits=counters)
    terms.add("ff", registers=counters + 4)
    return terms


def timing(graph: Graph, node: Pad, fold: Fold) -> Timing:
    """Return how a padding works through a frame; while its border leaves, nothing is taken."""
    params = emit(graph, node, fold).numbers
    needed = _needed(params)
    return moved(graph, node, fold, cycles(graph, node, fold), needed, _places(params), capacity=0)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def _places(params: Params) -> Array:
    """Return for each input pixel its place in the output."""
    width = params["Left"] + params["Width"] + params["Right"]
    row, column = np.divmod(np.arange(params["Height"] * params["Width"], dtype=np.int64), params["Width"])
    places: Array = (row + params["Top"]) * width + column + params["Left"]
    return places


def _needed(params: Params) -> Array:
    """Return for each output pixel the one of the image at its place or before it; the first where none is before."""
    height = params["Top"] + params["Height"] + params["Bottom"]
    width = params["Left"] + params["Width"] + params["Right"]
    before = np.searchsorted(_places(params), np.arange(height * width), side="right") - 1
    needed: Array = np.maximum(before, 0).astype(np.int64)
    return needed


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs; what stands before the first waits for it."""
    return _needed(params)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: those of the image that have left, and those in the slice."""
    groups = params["Channels"] // params["Lanes"]
    places = (_places(params)[:, None] * groups + np.arange(groups)).reshape(-1)
    height = params["Top"] + params["Height"] + params["Bottom"]
    width = params["Left"] + params["Width"] + params["Right"]
    frames, beat = np.divmod(left, height * width * groups)
    beats: Array = frames * len(places) + np.searchsorted(places, beat) + SLICE_BEATS
    return beats
