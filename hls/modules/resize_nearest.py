"""Hardware of ``resize_nearest``: parameters of ``qun_resize_nearest``, and its cycles."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, moved
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, ResizeNearest

RULE = "nearest"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = True

_LATENCY = 2
_STAGES = 1  # registers between the memory and the output's register slice


def _ring(params: Params) -> int:
    """Return the pixels that the ring holds: a row, or two pixels where rows do not repeat."""
    return max(params["Width"], 2) if params["RowFactor"] > 1 else 2


def emit(graph: Graph, node: ResizeNearest, fold: Fold) -> Instance:
    """Return the instance of a repetition of pixels."""
    source = graph.input_of(node)
    height, width, channels = source.shape
    params = {
        "Height": height,
        "Width": width,
        "Channels": channels,
        "Lanes": fold.pe,
        "Bits": source.qtype.bits,
        "RowFactor": node.factor[0],
        "ColumnFactor": node.factor[1],
    }
    return Instance(
        name=node.name,
        module="qun_resize_nearest",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: ResizeNearest, fold: Fold) -> Cycles:
    """Return the cycles of a repetition for one frame: a beat a cycle leaves when the first pixel has come."""
    groups, beats = graph.input_of(node).shape[2] // fold.pe, math.prod(graph.output_of(node).shape) // fold.pe
    return Cycles(predicted=groups + _LATENCY + beats, first_output=groups + _LATENCY + 1, ideal=beats)


def area(graph: Graph, node: ResizeNearest, fold: Fold) -> Terms:
    """Return what a repetition takes: the ring, its addresses and counters, and a slice."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    beat, groups, pixels = p["Lanes"] * p["Bits"], p["Channels"] // p["Lanes"], _ring(p)
    terms.add_memory(beat, pixels * groups)
    add_slice(terms, beat + 1)
    addresses = 4 * counter_bits(pixels * groups)
    counters = 2 * counter_bits(groups) + counter_bits(pixels + 1)
    counters += sum(counter_bits(p[name]) for name in ("ColumnFactor", "Width", "RowFactor", "Height"))
    terms.add("lut", pools=1, pool_counter_bits=addresses + counters)
    terms.add("ff", registers=addresses + counters + 2)
    return terms


def timing(graph: Graph, node: ResizeNearest, fold: Fold) -> Timing:
    """Return how a repetition works through a frame: a pixel's place is free after its last repeat."""
    params = emit(graph, node, fold).numbers
    rows, columns = node.factor
    row, column = np.divmod(np.arange(params["Height"] * params["Width"], dtype=np.int64), params["Width"])
    releases = ((row + 1) * rows - 1) * params["Width"] * columns + (column + 1) * columns - 1
    timing = moved(graph, node, fold, cycles(graph, node, fold), _needed(params), releases, _ring(params))
    beats = params["Channels"] // params["Lanes"]  # of the last repeat, behind which the place is free
    return dataclasses.replace(timing, busy=beats, latency=timing.latency - (beats - 1))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "Room": _ring(params), "Stages": _STAGES, "SliceBeats": SLICE_BEATS}


def _needed(params: Params) -> Array:
    rows, columns = params["Height"] * params["RowFactor"], params["Width"] * params["ColumnFactor"]
    row, column = np.divmod(np.arange(rows * columns, dtype=np.int64), columns)
    needed: Array = row // params["RowFactor"] * params["Width"] + column // params["ColumnFactor"]
    return needed


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the one that it repeats."""
    return _needed(params)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: pixels whose last repeat is read, and those in the ring."""
    groups, factor = params["Channels"] // params["Lanes"], params["RowFactor"]
    repeats = params["ColumnFactor"] * groups
    line = params["Width"] * repeats
    rows, beat = np.divmod(left + _STAGES + SLICE_BEATS, factor * line)
    given_up = rows * params["Width"] + np.maximum(beat - (factor - 1) * line, 0) // repeats
    beats: Array = (given_up + _ring(params)) * groups
    return beats
