"""Hardware of ``maximum``: parameters of ``qun_maximum``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, Graph, Maximum

RULE = "together"
JOIN = Join.TOGETHER
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 1


def emit(graph: Graph, node: Maximum, fold: Fold) -> Instance:
    """Return the instance of a maximum."""
    qtype = graph.output_of(node).qtype
    params = {"Lanes": fold.pe, "Bits": qtype.bits, "Signed": int(qtype.signed)}
    return Instance(
        name=node.name,
        module="qun_maximum",
        params=tuple(params.items()),
        inputs=(("s_axis_first", node.inputs[0]), ("s_axis_second", node.inputs[1])),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Maximum, fold: Fold) -> Cycles:
    """Return the cycles of a maximum for one frame: a beat a cycle, through one register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Maximum, fold: Fold) -> Terms:
    """Return what a maximum takes: a comparison and a choice a lane."""
    bits = fold.pe * graph.output_of(node).qtype.bits
    terms = Terms()
    add_slice(terms, bits + 1)
    terms.add("lut", maximum_bits=bits)
    return terms


def timing(graph: Graph, node: Maximum, fold: Fold) -> Timing:
    """Return how a maximum works through a frame."""
    return pixelwise(graph, node, fold, cycles(graph, node, fold), (0, 0), (0, 0))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + SLICE_BEATS
