"""Hardware of ``multiply``: parameters of ``qun_multiply``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, Multiply

RULE = "gated"
JOIN = Join.TOGETHER
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 1


def emit(graph: Graph, node: Multiply, fold: Fold) -> Instance:
    """Return the instance of a product."""
    first, second = (graph.input_of(node, index) for index in range(2))
    params = {
        "FirstChannels": first.shape[2],
        "SecondChannels": second.shape[2],
        "Lanes": fold.pe,
        "FirstBits": first.qtype.bits,
        "FirstSigned": int(first.qtype.signed),
        "SecondBits": second.qtype.bits,
        "SecondSigned": int(second.qtype.signed),
        "OutBits": graph.output_of(node).qtype.bits,
    }
    return Instance(
        name=node.name,
        module="qun_multiply",
        params=tuple(params.items()),
        inputs=(("s_axis_first", node.inputs[0]), ("s_axis_second", node.inputs[1])),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Multiply, fold: Fold) -> Cycles:
    """Return the cycles of a product for one frame: a beat a cycle, through one register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Multiply, fold: Fold) -> Terms:
    """Return what a product takes: a multiplier a lane, and the counter of a pixel's groups where there is a gate."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    lanes, bits_a, bits_b = p["Lanes"], p["FirstBits"], p["SecondBits"]
    add_slice(terms, lanes * p["OutBits"] + 1)
    signed = p["FirstSigned"] or p["SecondSigned"]  # an unsigned factor beside a signed one has a sign bit
    narrower = min(bits_a + (signed and not p["FirstSigned"]), bits_b + (signed and not p["SecondSigned"]))
    if fold.style == "folded-dsp" and narrower > 1:
        terms.dsp = lanes
    else:
        terms.add("lut", product_bits=lanes * bits_a * bits_b, products=lanes)
    groups = counter_bits(_groups(p))
    terms.add("lut", concat_counter_bits=groups)
    terms.add("ff", registers=groups)
    return terms


def timing(graph: Graph, node: Multiply, fold: Fold) -> Timing:
    """Return how a product works through a frame."""
    return pixelwise(graph, node, fold, cycles(graph, node, fold), (0, 0), (0, 0))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {"Groups": _groups(params), "SliceBeats": SLICE_BEATS}


def _groups(params: Params) -> int:
    """Return the beats of the first stream that go with one of the second."""
    return params["FirstChannels"] // params["Lanes"] if params["SecondChannels"] == 1 else 1


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + SLICE_BEATS if index == 0 else (left + SLICE_BEATS) // _groups(params)  # a gate's go with the last
