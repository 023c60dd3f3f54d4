"""Hardware of ``requant``: parameters of ``qun_requant``, and its cycles."""

from __future__ import annotations

import math

from quantunet.errors import WidthError
from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.folding import check_fold
from quantunet.ir import Graph, Requant

_LATENCY = 1
_HELPER_BITS = 64


def emit(graph: Graph, node: Requant, fold: Fold) -> Instance:
    """Return the instance of a requantisation.

    Raises:
        FoldingError: The fold does not divide.
        WidthError: The shifted value does not fit the 64 bits in which the module rounds.
    """
    check_fold(graph, node, fold)
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
    """Return the cycles of a requantisation for one frame: a beat a cycle, through one register.

    Raises:
        FoldingError: The fold does not divide.
    """
    check_fold(graph, node, fold)
    beats = math.prod(graph.output_of(node).shape) // fold.pe
    return Cycles(predicted=beats + _LATENCY, first_output=1 + _LATENCY, ideal=beats)
