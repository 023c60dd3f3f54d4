"""Hardware of ``argmax``: parameters of ``qun_argmax``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Argmax, Array, Graph

RULE = "last_group"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = False


def emit(graph: Graph, node: Argmax, fold: Fold) -> Instance:
    """Return the instance of an argmax."""
    source = graph.input_of(node)
    params = {
        "Channels": source.shape[2],
        "Simd": fold.simd,
        "InBits": source.qtype.bits,
        "InSigned": int(source.qtype.signed),
        "OutBits": graph.output_of(node).qtype.bits,
    }
    return Instance(
        name=node.name,
        module="qun_argmax",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Argmax, fold: Fold) -> Cycles:
    """Return the cycles of an argmax for one frame: a beat a cycle comes, through the tree and a register."""
    height, width, channels = graph.input_of(node).shape
    groups = channels // fold.simd
    latency, beats = _levels(fold.simd) + 1, height * width * groups
    return Cycles(predicted=beats + latency, first_output=groups + latency, ideal=beats)


def _levels(simd: int) -> int:
    """Return the levels of the tree: registers before the output's register slice, which move together."""
    return counter_bits(simd)


def area(graph: Graph, node: Argmax, fold: Fold) -> Terms:
    """Return what an argmax takes: a comparison and a choice for each node of the tree, and for a pixel's beats."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    add_slice(terms, p["OutBits"] + 1)
    groups = counter_bits(p["Channels"] // p["Simd"])
    nodes, registers, below, levels = 0.0, 0, p["Simd"], _levels(p["Simd"])
    for level in range(1, levels + 1):
        pairs, alone = divmod(below, 2)
        nodes += pairs * (p["InBits"] + level)
        registers += pairs * (p["InBits"] + level) + alone * (p["InBits"] + level - 1) + 2
        below = pairs + alone
    if levels and not groups:  # nobody reads the root's value
        nodes -= p["InBits"] / 2
        registers -= p["InBits"]
    if groups:
        kept = p["InBits"] + counter_bits(p["Channels"])
        nodes += kept
        registers += kept + groups
        terms.add("lut", concat_counter_bits=groups)
    terms.add("lut", maximum_bits=nodes)
    terms.add("ff", registers=registers)
    return terms


def timing(graph: Graph, node: Argmax, fold: Fold) -> Timing:
    """Return how an argmax works through a frame: a pixel is done with its last beat."""
    height, width, channels = graph.input_of(node).shape
    pixels, counts = np.arange(height * width, dtype=np.int64), cycles(graph, node, fold)
    latency = counts.predicted - counts.ideal
    return Timing(len(pixels), channels // fold.simd, 1, pixels, 1, pixels, (1,), latency, (0,), SLICE_BEATS)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {"Groups": params["Channels"] // params["Simd"], "Stages": _levels(params["Simd"])}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return (left + SLICE_BEATS) * (params["Channels"] // params["Simd"])  # the tree may stand still while it is empty
