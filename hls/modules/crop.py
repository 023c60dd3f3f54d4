"""Hardware of ``crop``: parameters of ``qun_crop``, and its cycles."""

from __future__ import annotations

import math

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, moved
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Crop, Graph

RULE = "crop"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 1


def emit(graph: Graph, node: Crop, fold: Fold) -> Instance:
    """Return the instance of a cropping."""
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
    }
    return Instance(
        name=node.name,
        module="qun_crop",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Crop, fold: Fold) -> Cycles:
    """Return the cycles of a cropping for one frame: a beat a cycle comes in, and leaves one later if it is kept."""
    places = _kept(emit(graph, node, fold).numbers)
    beats, groups = math.prod(graph.input_of(node).shape) // fold.pe, graph.input_of(node).shape[2] // fold.pe
    first, last = int(places[0]) * groups, (int(places[-1]) + 1) * groups
    return Cycles(predicted=last + _LATENCY, first_output=first + 1 + _LATENCY, ideal=beats)


def area(graph: Graph, node: Crop, fold: Fold) -> Terms:
    """Return what a cropping takes: a slice, and the place in the frame."""
    terms = Terms()
    (height, width, channels), bits = graph.input_of(node).shape, fold.pe * graph.input_of(node).qtype.bits
    add_slice(terms, bits + 1)
    counters = counter_bits(height) + counter_bits(width * channels // fold.pe)
    terms.add("lut", pools=1, pool_counter_bits=counters)
    terms.add("ff", registers=counters + 3)
    return terms


def timing(graph: Graph, node: Crop, fold: Fold) -> Timing:
    """Return how a cropping works through a frame; it can always take the pixels that it drops."""
    params = emit(graph, node, fold).numbers
    places = _kept(params)
    pixels = np.arange(params["Height"] * params["Width"])
    releases = np.minimum(np.searchsorted(places, pixels), len(places) - 1)
    dropped = int(np.diff(places, prepend=-1).max()) - 1
    return moved(graph, node, fold, cycles(graph, node, fold), places, releases, 1 + dropped)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def _kept(params: Params) -> Array:
    """Return the place in the input of each output pixel."""
    rows = np.arange(params["Top"], params["Height"] - params["Bottom"], dtype=np.int64)
    columns = np.arange(params["Left"], params["Width"] - params["Right"], dtype=np.int64)
    return (rows[:, None] * params["Width"] + columns).reshape(-1)


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the one that it is."""
    return _kept(params)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: all before the first one that is kept and finds no place."""
    groups = params["Channels"] // params["Lanes"]
    places = (_kept(params)[:, None] * groups + np.arange(groups)).reshape(-1)
    frames, beat = np.divmod(left + SLICE_BEATS, len(places))
    beats: Array = frames * params["Height"] * params["Width"] * groups + places[beat]
    return beats
