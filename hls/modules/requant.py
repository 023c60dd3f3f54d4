"""Hardware of ``requant``: parameters of ``qun_requant``, and its cycles."""

from __future__ import annotations

from quantunet.errors import WidthError
from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, Graph, Requant

RULE = "slice"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 1
_HELPER_BITS = 64


def emit(graph: Graph, node: Requant, fold: Fold) -> Instance:
    """Return the instance of a requantisation.

    Raises:
        WidthError: The shifted value does not fit the 64 bits in which the module rounds.
    """
    source, target = graph.input_of(node).qtype, graph.output_of(node).qtype
    shift = source.frac - target.frac
    if source.bits + max(-shift, 1) >= _HELPER_BITS:
        raise WidthError(
            node.name,
            expected=f"a shifted value of less than {_HELPER_BITS} bits",
            got=f"{source.bits} bits shifted left by {-shift}",
            hint="Bring the two scales closer together.",
        )
    params = {
        "Lanes": fold.pe,
        "InBits": source.bits,
        "InSigned": int(source.signed),
        "Shift": shift,
        "OutBits": target.bits,
        "OutSigned": int(target.signed),
    }
    return Instance(
        name=node.name,
        module="qun_requant",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Requant, fold: Fold) -> Cycles:
    """Return the cycles of a requantisation for one frame: a beat a cycle, through one register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Requant, fold: Fold) -> Terms:
    """Return what a requantisation takes."""
    p = emit(graph, node, fold).numbers
    terms = Terms()
    lanes, rounds = p["Lanes"], p["Shift"] > 0
    # Bits of a value before it is saturated, and room for them; the sign of an unsigned value is none.
    value, room = p["InBits"] - p["Shift"] + rounds, p["OutBits"] - (p["OutSigned"] > p["InSigned"])
    add_slice(terms, lanes * (max(1, min(room, value)) if value <= room + 1 else p["OutBits"]) + 1)
    bits = lanes * p["OutBits"]
    if rounds:  # each bit is a function of the whole value; it grows beyond a LUT's four inputs, to a few levels
        terms.add("lut", requant_bits=bits * min(max(1, p["InBits"] - 4), 4))
        terms.add("lut", requant_signed_bits=bits if p["InSigned"] and p["InBits"] > 5 else 0)
    elif value > room:
        terms.add("lut", requant_saturation_bits=bits)
    return terms


def timing(graph: Graph, node: Requant, fold: Fold) -> Timing:
    """Return how a requantisation works through a frame."""
    return pixelwise(graph, node, fold, cycles(graph, node, fold))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "SliceBeats": SLICE_BEATS}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + SLICE_BEATS
