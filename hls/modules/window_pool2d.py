"""Hardware of a pool with windows inside the image: parameters of ``qun_window_pool2d``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.matrix import channelwise
from quantunet.hls.matrix.windows import Windows
from quantunet.hls.modules.sheet import Join, Params, Timing, windowed
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Graph, MaxPool2d, SumPool2d

RULE = "valid_window"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = True

needs, taken = channelwise.needs, channelwise.taken

_LATENCY = 4  # cycles from the last tap of a window to its beat


def _windows(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Windows:
    return channelwise.windows_of(graph.input_of(node).shape, node.kernel, node.stride, (1, 1), fold.pe)


def emit(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Instance:
    """Return the instance of a pool."""
    source, target = graph.input_of(node), graph.output_of(node)
    geometry = channelwise.parameters(_windows(graph, node, fold))
    params = {
        **{name: value for name, value in geometry.items() if not name.startswith("Dilation")},
        "Channels": source.shape[2],
        "Lanes": fold.pe,
        "InBits": source.qtype.bits,
        "Signed": int(source.qtype.signed),
        "Sum": int(node.adds),
        "OutBits": target.qtype.bits,
    }
    return Instance(
        name=node.name,
        module="qun_window_pool2d",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Cycles:
    """Return the cycles of a pool for one frame: a tap a cycle, or a beat in, whichever takes longer."""
    return _windows(graph, node, fold).cycles(_LATENCY)


def area(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Terms:
    """Return what a pool takes."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    channelwise.add_windows(terms, _windows(graph, node, fold), p["Lanes"] * p["InBits"])
    beat, word = p["Lanes"] * p["InBits"], p["Lanes"] * p["OutBits"]
    terms.add("lut", **{"input_sum_bits" if p["Sum"] else "maximum_bits": word})
    terms.add("ff", registers=beat + word)
    terms.add_memory(word + 1, CREDITS, asynchronous=True)
    return terms


def timing(graph: Graph, node: MaxPool2d | SumPool2d, fold: Fold) -> Timing:
    """Return how a pool works through a frame: a firing is a window."""
    return windowed(_windows(graph, node, fold), _LATENCY, CREDITS)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return channelwise.rule_params(params, _LATENCY)
