"""Hardware of ``maxpool2d``: parameters of ``qun_maxpool2d``, which halves the image, and its cycles.

Other windows have the modules of :mod:`quantunet.hls.modules.global_pool2d` and
:mod:`quantunet.hls.modules.window_pool2d`.
"""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules import global_pool2d, window_pool2d
from quantunet.hls.modules.sheet import Join, Layer, Params, Timing
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, MaxPool2d

RULE = "pooled"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = True

_LATENCY = 6
_STAGES = 5  # registers before the output's register slice, which move together


def _other(graph: Graph, node: MaxPool2d) -> Layer | None:
    """Return the sheet of the module that a pooling has where it does not halve the image."""
    if node.halves(graph.input_of(node).shape):
        return None
    return global_pool2d if global_pool2d.fits(graph, node) else window_pool2d


def emit(graph: Graph, node: MaxPool2d, fold: Fold) -> Instance:
    """Return the instance of a pooling."""
    if other := _other(graph, node):
        return other.emit(graph, node, fold)
    source = graph.input_of(node)
    height, width, channels = source.shape
    params = {
        "Height": height,
        "Width": width,
        "Channels": channels,
        "Lanes": fold.pe,
        "Bits": source.qtype.bits,
        "Signed": int(source.qtype.signed),
    }
    return Instance(
        name=node.name,
        module="qun_maxpool2d",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: MaxPool2d, fold: Fold) -> Cycles:
    """Return the cycles of a pooling for one frame: a beat a cycle comes in, and the last one leaves 6 later."""
    if other := _other(graph, node):
        return other.cycles(graph, node, fold)
    height, width, channels = graph.input_of(node).shape
    groups = channels // fold.pe
    beats = height * width * groups
    first_window = (width + 1) * groups + 1
    return Cycles(predicted=beats + _LATENCY, first_output=first_window + _LATENCY, ideal=beats)


def area(graph: Graph, node: MaxPool2d, fold: Fold) -> Terms:
    """Return what a pooling takes."""
    if other := _other(graph, node):
        return other.area(graph, node, fold)
    p = emit(graph, node, fold).numbers
    terms = Terms()
    beat, groups = p["Lanes"] * p["Bits"], p["Channels"] // p["Lanes"]
    pairs = p["Width"] // 2 * groups
    terms.add_memory(beat, groups)
    terms.add_memory(beat, pairs)
    add_slice(terms, beat + 1)
    counters = counter_bits(groups) + counter_bits(pairs)
    terms.add("lut", pools=1, maximum_bits=2 * beat, pool_counter_bits=counters)
    terms.add("ff", registers=7 * beat + counters + 3 * counter_bits(pairs) + 15)
    return terms


def timing(graph: Graph, node: MaxPool2d, fold: Fold) -> Timing:
    """Return how a pooling works through a frame: a firing is a window."""
    if other := _other(graph, node):
        return other.timing(graph, node, fold)
    height, width, channels = graph.input_of(node).shape
    row, column = np.divmod(np.arange(height * width // 4, dtype=np.int64), width // 2)
    needed = (2 * row + 1) * width + 2 * column + 1
    releases = np.minimum(np.searchsorted(needed, np.arange(height * width)), len(needed) - 1)
    beats, counts = channels // fold.pe, cycles(graph, node, fold)
    latency = counts.predicted - counts.ideal
    return Timing(len(needed), beats, 1, needed, 1, releases, (width + 2,), latency, (0,), SLICE_BEATS)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "Stages": _STAGES}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the last one of its window."""
    row, column = np.divmod(np.arange(target.shape[0] * target.shape[1], dtype=np.int64), target.shape[1])
    needed: Array = (2 * row + 1) * params["Width"] + 2 * column + 1
    return needed


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: those up to the last beat that the slice holds; the pipeline may stand still empty."""
    groups, width = params["Channels"] // params["Lanes"], params["Width"]
    pixel, group = np.divmod(left + SLICE_BEATS - 1, groups)
    row, column = np.divmod(pixel, width // 2)
    beats: Array = ((2 * row + 1) * width + 2 * column + 1) * groups + group + 1
    return beats
