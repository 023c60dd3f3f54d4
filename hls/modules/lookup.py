"""Hardware of ``lookup``: parameters and table of ``qun_lookup``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Memory, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, Graph, IntArray, Lookup

RULE = "pipeline"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 2
_BENDS = 4  # a smooth function goes through its range so many times at most
_STAGES = 1  # registers before the output's register slice, which move together


def emit(graph: Graph, node: Lookup, fold: Fold) -> Instance:
    """Return the instance of a table.

    The graph's table starts at ``qmin``; the memory is addressed by the input's bits, so that for a signed input its
    second half holds the negative values.
    """
    source, target = graph.input_of(node).qtype, graph.output_of(node).qtype
    words = np.roll(node.table.array, source.qmin).reshape(-1, 1)
    memory = Memory(f"{node.name}_table.mem", target.bits, IntArray.of(words))
    params: dict[str, int | str] = {
        "Lanes": fold.pe,
        "InBits": source.bits,
        "InSigned": int(source.signed),
        "OutBits": target.bits,
        "TableFile": memory.file,
    }
    return Instance(
        name=node.name,
        module="qun_lookup",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=(memory,),
    )


def cycles(graph: Graph, node: Lookup, fold: Fold) -> Cycles:
    """Return the cycles of a table for one frame: a beat a cycle, through the table and a register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Lookup, fold: Fold) -> Terms:
    """Return what a table takes."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    for _ in range(p["Lanes"]):
        terms.add_table(p["OutBits"], 1 << p["InBits"], "smooth_table_luts" if _smooth(node) else "table_luts")
    add_slice(terms, p["Lanes"] * p["OutBits"] + 1)
    terms.add("ff", registers=2)
    return terms


def _smooth(node: Lookup) -> bool:
    """Return whether neighbouring entries lie close together, as those of a function with few bends: fewer LUTs do."""
    entries = node.table.array
    return bool(np.abs(np.diff(entries)).sum() <= _BENDS * (entries.max() - entries.min()))


def timing(graph: Graph, node: Lookup, fold: Fold) -> Timing:
    """Return how a table works through a frame."""
    return pixelwise(graph, node, fold, cycles(graph, node, fold))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "Stages": _STAGES}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + SLICE_BEATS  # its own register may stand still while it is empty
