"""Hardware of ``smallest_area``: parameters of ``qun_smallest_area``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules import fifo
from quantunet.hls.modules.sheet import Join, Params, Timing
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, Graph, SmallestArea

RULE = "whole_frame"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 1  # from the frame's last pixel in to its first pixel out


def emit(graph: Graph, node: SmallestArea, fold: Fold) -> Instance:
    """Return the instance of a smallest area."""
    height, width, _ = graph.input_of(node).shape
    return Instance(
        name=node.name,
        module="qun_smallest_area",
        params=(("Pixels", height * width), ("Area", node.area)),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: SmallestArea, fold: Fold) -> Cycles:
    """Return the cycles of a smallest area for one frame: all of it comes in, and then all of it leaves."""
    pixels = emit(graph, node, fold).numbers["Pixels"]
    return Cycles(predicted=2 * pixels - 1 + _LATENCY, first_output=pixels + _LATENCY, ideal=pixels)


def area(graph: Graph, node: SmallestArea, fold: Fold) -> Terms:
    """Return what a smallest area takes: a FIFO of a frame, slices for a pixel and for a verdict, and the count."""
    p = emit(graph, node, fold).numbers
    terms = fifo.area(_frame(p))
    add_slice(terms, 1)
    add_slice(terms, 1)
    counter = p["Area"].bit_length()
    terms.add("lut", pool_counter_bits=counter)
    terms.add("ff", registers=counter)
    return terms


def timing(graph: Graph, node: SmallestArea, fold: Fold) -> Timing:
    """Return how a smallest area works through a frame: each pixel leaves behind the frame's last one."""
    p = emit(graph, node, fold).numbers
    pixels = np.arange(p["Pixels"], dtype=np.int64)
    needed, capacity = np.full_like(pixels, pixels[-1]), p["Pixels"] + SLICE_BEATS
    return Timing(len(pixels), 1, 1, needed, 1, pixels, (capacity,), _LATENCY, (0,), 0)


def _frame(params: Params) -> dict[str, int]:
    """Return the parameters of the FIFO that holds a frame."""
    return {"Bits": 1, "Depth": params["Pixels"], "FrameBeats": params["Pixels"]}


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, **fifo.rule_params(_frame(params)), "SliceBeats": SLICE_BEATS}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the frame's last one."""
    return np.full(params["Pixels"], params["Pixels"] - 1, dtype=np.int64)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + params["Pixels"] + SLICE_BEATS
