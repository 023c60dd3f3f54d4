"""Hardware of ``resize_bilinear``: parameters of ``qun_resize_bilinear``, and its cycles."""

from __future__ import annotations

import math

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, moved
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, ResizeBilinear

RULE = "bilinear"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 4  # of each axis that doubles
_STAGES = 2  # registers between the memories and the register slice


def emit(graph: Graph, node: ResizeBilinear, fold: Fold) -> Instance:
    """Return the instance of a bilinear resize."""
    source = graph.input_of(node)
    height, width, channels = source.shape
    params = {
        "Height": height,
        "Width": width,
        "Channels": channels,
        "Lanes": fold.pe,
        "Bits": source.qtype.bits,
        "Signed": int(source.qtype.signed),
        "RowFactor": node.factor[0],
        "ColumnFactor": node.factor[1],
    }
    return Instance(
        name=node.name,
        module="qun_resize_bilinear",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def _axes(params: Params) -> list[tuple[int, int]]:
    """Return for each axis that doubles, rows first, the items of a line and the beats of an item."""
    groups = params["Channels"] // params["Lanes"]
    axes = []
    if params["RowFactor"] == 2:
        axes.append((params["Height"], params["Width"] * groups))
    if params["ColumnFactor"] == 2:
        axes.append((params["Width"], groups))
    return axes


def _room(beats: int) -> int:
    """Return the beats that the memories of an axis hold: two items, or four of one beat."""
    return 2 * beats if beats > 1 else 4


def cycles(graph: Graph, node: ResizeBilinear, fold: Fold) -> Cycles:
    """Return the cycles of a bilinear resize for one frame: a beat a cycle leaves, 4 later for each axis."""
    latency = _LATENCY * len(_axes(emit(graph, node, fold).numbers))
    beats = math.prod(graph.output_of(node).shape) // fold.pe
    return Cycles(predicted=beats + latency, first_output=latency + 1, ideal=beats)


def area(graph: Graph, node: ResizeBilinear, fold: Fold) -> Terms:
    """Return what a bilinear resize takes, for each axis: two memories, counters, two sums of a lane, and a slice."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    bits, lines = p["Bits"], 1
    for items, beats in _axes(p):
        depth, beat = _room(beats) // 2, p["Lanes"] * bits
        for _ in range(2):
            terms.add_memory(beat, depth)
        bits += 2
        add_slice(terms, p["Lanes"] * bits + 1)
        counters = 2 * counter_bits(beats) + 2 * counter_bits(2 * depth + 1) + counter_bits(items + 1)
        counters += counter_bits(lines)
        terms.add("lut", pools=1, pool_counter_bits=counters, maximum_bits=2 * p["Lanes"] * bits)
        terms.add("ff", registers=2 * beat + counters + 12)
        lines = 2 * p["Height"]
    return terms


def timing(graph: Graph, node: ResizeBilinear, fold: Fold) -> Timing:
    """Return how a bilinear resize works through a frame: a pixel's place is free after its last sum."""
    params = emit(graph, node, fold).numbers
    row, column = np.divmod(np.arange(params["Height"] * params["Width"], dtype=np.int64), params["Width"])
    rows, columns = params["RowFactor"] * params["Height"], params["ColumnFactor"] * params["Width"]
    last_row = np.minimum(2 * row + 2, rows - 1) if params["RowFactor"] == 2 else row
    last_column = np.minimum(2 * column + 2, columns - 1) if params["ColumnFactor"] == 2 else column
    capacity = _room(_axes(params)[0][1]) * params["Lanes"] // params["Channels"]
    counts, releases = cycles(graph, node, fold), last_row * columns + last_column
    return moved(graph, node, fold, counts, _needed(params), releases, max(capacity, 1))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    rooms = [_room(beats) for _, beats in _axes(params)]
    return {**params, "FirstRoom": rooms[0], "LastRoom": rooms[-1], "Stages": _STAGES, "SliceBeats": SLICE_BEATS}


def _needed(params: Params) -> Array:
    rows, columns = params["RowFactor"] * params["Height"], params["ColumnFactor"] * params["Width"]
    row, column = np.divmod(np.arange(rows * columns, dtype=np.int64), columns)
    if params["RowFactor"] == 2:
        row = np.minimum((row + 1) // 2, params["Height"] - 1)
    if params["ColumnFactor"] == 2:
        column = np.minimum((column + 1) // 2, params["Width"] - 1)
    needed: Array = row * params["Width"] + column
    return np.maximum.accumulate(needed)


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the last of those that it lies between."""
    return _needed(params)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken, axis by axis from the last: items that are given up, and those in the memories."""
    for items, beats in reversed(_axes(params)):
        lines, rest = np.divmod(left + _STAGES + SLICE_BEATS, 2 * items * beats)
        step, beat = np.divmod(rest, beats)
        gives_up = ((step % 2 == 0) & (step > 1)) | (step == 2 * items - 1)
        given_up = lines * items * beats + np.maximum((step - 1) // 2, 0) * beats + np.where(gives_up, beat, 0)
        left = given_up + _room(beats)
    return left
