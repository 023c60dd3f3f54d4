"""Hardware of ``add``: parameters of ``qun_add``, and its cycles."""

from __future__ import annotations

import numpy as np

from quantunet.accumulator import sum_type
from quantunet.errors import WidthError
from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.matrix.constant_multiply import signed_digits
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Add, Array, Graph

RULE = "together"
JOIN = Join.TOGETHER
WHOLE_PIXELS = False
BURSTS = False

_LATENCY = 1
_HELPER_BITS = 64  # of the integers in which the module adds and rounds


def emit(graph: Graph, node: Add, fold: Fold) -> Instance:
    """Return the instance of a sum.

    Raises:
        WidthError: The shifted sum does not fit the 64 bits in which the module rounds.
    """
    first, second = (graph.input_of(node, index).qtype for index in range(2))
    total, target = sum_type(first, second, node.gains), graph.output_of(node).qtype
    shift = total.frac - target.frac
    if total.bits + max(-shift, 1) >= _HELPER_BITS or shift >= _HELPER_BITS - 1:
        raise WidthError(
            node.name,
            expected=f"a sum and a shift that fit in {_HELPER_BITS} bits",
            got=f"{total.bits} bits and a right shift of {shift}",
            hint="Bring the scales closer together.",
        )
    params = {
        "Lanes": fold.pe,
        "FirstBits": first.bits,
        "FirstSigned": int(first.signed),
        "FirstShift": total.frac - first.frac,
        "SecondBits": second.bits,
        "SecondSigned": int(second.signed),
        "SecondShift": total.frac - second.frac,
        **({} if node.gains == (1, 1) else {"FirstGain": node.gains[0], "SecondGain": node.gains[1]}),
        "Shift": shift,
        "OutBits": target.bits,
        "OutSigned": int(target.signed),
    }
    return Instance(
        name=node.name,
        module="qun_add",
        params=tuple(params.items()),
        inputs=(("s_axis_first", node.inputs[0]), ("s_axis_second", node.inputs[1])),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Add, fold: Fold) -> Cycles:
    """Return the cycles of a sum for one frame: a beat a cycle, through one register."""
    return beat_a_cycle(graph, node, fold, _LATENCY)


def area(graph: Graph, node: Add, fold: Fold) -> Terms:
    """Return what a sum takes: an adder a lane, then what a requantisation of its width takes.

    A gain is a multiplication by a constant, one addition for each further signed digit that is not 0.
    """
    p = emit(graph, node, fold).numbers
    terms = Terms()
    first, second = (graph.input_of(node, index).qtype for index in range(2))
    lanes, total = p["Lanes"], sum_type(first, second, node.gains).bits
    digits = signed_digits(np.array(node.gains)) - 1
    terms.add("lut", constant_adder_bits=lanes * int(digits @ np.array([first.bits, second.bits]) + digits.sum() * 2))
    add_slice(terms, lanes * p["OutBits"] + 1)
    terms.add("lut", sum_bits=lanes * total, output_bits=lanes * p["OutBits"], lanes=lanes)
    terms.add("lut", rounding_bits=lanes * total if p["Shift"] > 0 else 0)
    return terms


def timing(graph: Graph, node: Add, fold: Fold) -> Timing:
    """Return how a sum works through a frame."""
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
