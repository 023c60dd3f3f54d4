"""Hardware of ``depth_to_space``: parameters of ``qun_depth_to_space``, and its cycles."""

from __future__ import annotations

import math

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, moved
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, DepthToSpace, Graph

RULE = "blocks"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = False

_STRAIGHT_LATENCY = 1
_LATENCY = 3
_STAGES = 1  # registers between the memory and the output's register slice


def _row(params: Params) -> int:
    """Return the words of the row that is held; 0 where beats leave as they come."""
    if params["BlockRows"] == 1 or params["Width"] == 1:
        return 0
    return params["Width"] * params["BlockRows"] * _words(params)


def _words(params: Params) -> int:
    """Return the beats of one row of a block."""
    return params["BlockColumns"] * params["OutChannels"] // params["Lanes"]


def emit(graph: Graph, node: DepthToSpace, fold: Fold) -> Instance:
    """Return the instance of a layer that makes pixels of channels."""
    source = graph.input_of(node)
    params = {
        "Height": source.shape[0],
        "Width": source.shape[1],
        "OutChannels": graph.output_of(node).shape[2],
        "Lanes": fold.pe,
        "Bits": source.qtype.bits,
        "BlockRows": node.block[0],
        "BlockColumns": node.block[1],
    }
    return Instance(
        name=node.name,
        module="qun_depth_to_space",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: DepthToSpace, fold: Fold) -> Cycles:
    """Return the cycles for one frame: a beat a cycle, when the first row of the first blocks has come."""
    params = emit(graph, node, fold).numbers
    beats = math.prod(graph.output_of(node).shape) // fold.pe
    if not _row(params):
        return Cycles(beats + _STRAIGHT_LATENCY, 1 + _STRAIGHT_LATENCY, beats)
    ahead = (params["Width"] - 1) * (params["BlockRows"] - 1) * _words(params)
    return Cycles(predicted=beats + ahead + _LATENCY, first_output=1 + _LATENCY, ideal=beats)


def area(graph: Graph, node: DepthToSpace, fold: Fold) -> Terms:
    """Return what it takes: a slice, and a row with two addresses and its counters where rows of blocks are held."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    beat, row = p["Lanes"] * p["Bits"], _row(p)
    add_slice(terms, beat + 1)
    if row:
        terms.add_memory(beat, row)
        words, blocks, address = counter_bits(_words(p)), counter_bits(p["Width"] * p["BlockRows"]), counter_bits(row)
        counters = words + sum(counter_bits(p[name]) for name in ("Width", "BlockRows", "Height"))
        counters += counter_bits(row + 1) + counter_bits(2 * row + 1) + 1 + 2 * (words + blocks)
        terms.add("lut", pools=1, pool_counter_bits=counters + 4 * address)
        terms.add("ff", registers=counters + 8 * address + 2)
    return terms


def timing(graph: Graph, node: DepthToSpace, fold: Fold) -> Timing:
    """Return how it works through a frame: an input pixel's place is free after its last output pixel."""
    params = emit(graph, node, fold).numbers
    (rows, columns), width = node.block, params["Width"]
    row, column = np.divmod(np.arange(params["Height"] * width, dtype=np.int64), width)
    releases = ((row + 1) * rows - 1) * width * columns + (column + 1) * columns - 1
    counts, capacity = cycles(graph, node, fold), width if _row(params) else 1
    latency = Cycles(counts.ideal + (_LATENCY if _row(params) else _STRAIGHT_LATENCY), 0, counts.ideal)
    return moved(graph, node, fold, latency, _needed(params), releases, capacity)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "Room": _row(params), "Words": _words(params), "Stages": _STAGES, "SliceBeats": SLICE_BEATS}


def _needed(params: Params) -> Array:
    rows, columns = params["Height"] * params["BlockRows"], params["Width"] * params["BlockColumns"]
    row, column = np.divmod(np.arange(rows * columns, dtype=np.int64), columns)
    needed: Array = row // params["BlockRows"] * params["Width"] + column // params["BlockColumns"]
    return needed


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the one that it is part of.

    It needs only the first beats of it, so that depths against deadlock are a few beats on the safe side.
    """
    return _needed(params)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: those that are read, and those in the row; or those in the slice."""
    row = _row(params)
    return left + SLICE_BEATS + (row + _STAGES if row else 0)
