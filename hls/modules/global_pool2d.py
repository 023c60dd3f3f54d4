"""Hardware of a pool over a whole image: parameters of ``qun_global_pool2d``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, MaxPool2d, SumPool2d

RULE = "whole_image"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_STAGES = 3  # registers before the output's register slice, which move together
_LATENCY = _STAGES + 1


def fits(graph: Graph, node: MaxPool2d | SumPool2d) -> bool:
    """Return whether a pool has one window, the whole image."""
    return node.kernel == graph.input_of(node).shape[:2]


def emit(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Instance:
    """Return the instance of a pool over a whole image."""
    source, target = graph.input_of(node), graph.output_of(node)
    height, width, channels = source.shape
    params = {
        "Height": height,
        "Width": width,
        "Channels": channels,
        "Lanes": fold.pe,
        "InBits": source.qtype.bits,
        "Signed": int(source.qtype.signed),
        "Sum": int(node.adds),
        "OutBits": target.qtype.bits,
    }
    return Instance(
        name=node.name,
        module="qun_global_pool2d",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Cycles:
    """Return the cycles of a pool for one frame: a beat a cycle comes in, and the last one leaves 4 later."""
    height, width, channels = graph.input_of(node).shape
    groups = channels // fold.pe
    beats = height * width * groups
    return Cycles(predicted=beats + _LATENCY, first_output=beats - groups + 1 + _LATENCY, ideal=beats)


def area(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Terms:
    """Return what a pool over a whole image takes."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    beat, word, groups = p["Lanes"] * p["InBits"], p["Lanes"] * p["OutBits"], p["Channels"] // p["Lanes"]
    counters = counter_bits(groups) + counter_bits(p["Height"] * p["Width"])
    if groups > _STAGES:
        terms.add_memory(word, groups)
        terms.add("ff", registers=word + _STAGES * counter_bits(groups))
    else:
        terms.add("ff", registers=(groups - 1) * word)
    add_slice(terms, word + 1)
    terms.add("lut", pools=1, pool_counter_bits=counters, **{"input_sum_bits" if p["Sum"] else "maximum_bits": word})
    terms.add("ff", registers=2 * beat + word + counters + 10)
    return terms


def timing(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Timing:
    """Return how a pool works through a frame: its one firing is the image."""
    height, width, channels = graph.input_of(node).shape
    pixels, beats = height * width, channels // fold.pe
    needed, releases = np.array([pixels - 1], dtype=np.int64), np.zeros(pixels, dtype=np.int64)
    return Timing(1, beats, 1, needed, 1, releases, (pixels + 2,), _LATENCY, (0,), SLICE_BEATS)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "Stages": _STAGES}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that the output pixel needs: the image's last one."""
    return np.array([params["Height"] * params["Width"] - 1], dtype=np.int64)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: those up to the last beat that the slice holds; the pipeline may stand still empty."""
    groups, pixels = params["Channels"] // params["Lanes"], params["Height"] * params["Width"]
    image, group = np.divmod(left + SLICE_BEATS - 1, groups)
    beats: Array = ((image + 1) * pixels - 1) * groups + group + 1
    return beats
