"""Hardware of ``depthwise_conv2d``: parameters and memories of ``qun_depthwise_conv2d``, and its cycles."""

from __future__ import annotations

from quantunet.accumulator import accumulator, requant_shift
from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.matrix import channelwise, folded
from quantunet.hls.matrix.area import add_rounding
from quantunet.hls.matrix.windows import Windows
from quantunet.hls.modules.sheet import Join, Params, Timing, windowed
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms, distinct
from quantunet.ir import DepthwiseConv2d, Graph

RULE = "valid_window"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = True

needs, taken = channelwise.needs, channelwise.taken

_LATENCY = 6  # cycles from the last tap of a window to its beat


def _windows(graph: Graph, node: DepthwiseConv2d, fold: Fold) -> Windows:
    height, width = node.weight.shape[:2]
    return channelwise.windows_of(graph.input_of(node).shape, (height, width), node.stride, node.dilation, fold.pe)


def emit(graph: Graph, node: DepthwiseConv2d, fold: Fold) -> Instance:
    """Return the instance of a depthwise convolution.

    Word ``(g*kh + ky)*kw + kx`` of the weight memory holds, as element ``lane``, the weight of channel ``g*pe + lane``.

    Raises:
        WidthError: The accumulator does not fit the module's integers while it is rounded.
    """
    folded.check_rounding(graph, node)
    source, target = graph.input_of(node), graph.output_of(node)
    acc, channels = accumulator(graph, node), source.shape[2]
    words = node.weight.array.reshape(-1, channels // fold.pe, fold.pe).swapaxes(0, 1).reshape(-1, fold.pe)
    memories = (folded.weight_memory(node, words), folded.bias_memory(graph, node, fold))
    params: dict[str, int | str] = {
        **channelwise.parameters(_windows(graph, node, fold)),
        "Channels": channels,
        "Lanes": fold.pe,
        "InBits": source.qtype.bits,
        "InSigned": int(source.qtype.signed),
        "WeightBits": node.weight_type.bits,
        "AccBits": acc.bits,
        "Shift": requant_shift(acc, target.qtype),
        "OutBits": target.qtype.bits,
        "OutSigned": int(target.qtype.signed),
        "WeightFile": memories[0].file,
        "BiasFile": memories[1].file,
    }
    return Instance(
        name=node.name,
        module="qun_depthwise_conv2d",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=memories,
    )


def cycles(graph: Graph, node: DepthwiseConv2d, fold: Fold) -> Cycles:
    """Return the cycles of a depthwise convolution for one frame: a tap a cycle, or a beat in, what takes longer."""
    return _windows(graph, node, fold).cycles(_LATENCY)


def area(graph: Graph, node: DepthwiseConv2d, fold: Fold) -> Terms:
    """Return what a depthwise convolution takes.

    Raises:
        WidthError: The accumulator does not fit the module's integers while it is rounded.
    """
    p = emit(graph, node, fold).numbers
    terms = Terms()
    lanes, bits_in, bits_w, acc = p["Lanes"], p["InBits"], p["WeightBits"], p["AccBits"]
    groups, words = p["Channels"] // lanes, p["Channels"] // lanes * p["KernelH"] * p["KernelW"]
    channelwise.add_windows(terms, _windows(graph, node, fold), lanes * bits_in)
    terms.add_table(lanes * bits_w, words)
    product = min(bits_w + bits_in, acc)
    if fold.style == "folded-dsp":
        terms.dsp = lanes
    else:
        terms.add(
            "lut",
            product_bits=lanes * bits_w * bits_in,
            product_edges=lanes * (bits_w + bits_in),
            products=lanes,
        )
    terms.add("lut", accumulator_bits=lanes * acc, hard_sum_bits=lanes * acc)
    add_rounding(terms, lanes, acc, p)
    terms.add_table(lanes * acc, groups)
    terms.add("ff", registers=lanes * (bits_in + product + acc) + distinct(lanes * bits_w, words))
    terms.add("ff", registers=distinct(lanes * acc, groups))
    terms.add_memory(lanes * p["OutBits"] + 1, CREDITS, asynchronous=True)
    return terms


def timing(graph: Graph, node: DepthwiseConv2d, fold: Fold) -> Timing:
    """Return how a depthwise convolution works through a frame: a firing is a window."""
    return windowed(_windows(graph, node, fold), _LATENCY, CREDITS)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return channelwise.rule_params(params, _LATENCY)
