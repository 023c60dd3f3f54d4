"""Hardware of ``concat``: parameters of ``qun_concat``, and its cycles."""

from __future__ import annotations

import math

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.folding import check_fold
from quantunet.ir import Concat, Graph

_LATENCY = 1


def emit(graph: Graph, node: Concat, fold: Fold) -> Instance:
    """Return the instance of a concatenation.

    Raises:
        FoldingError: The fold does not divide the channels of both legs.
    """
    check_fold(graph, node, fold)
    skip, up = (graph.input_of(node, index) for index in range(2))
    params = {
        "SkipChannels": skip.shape[2],
        "UpChannels": up.shape[2],
        "Lanes": fold.pe,
        "Bits": skip.qtype.bits,
    }
    return Instance(
        name=node.name,
        module="qun_concat",
        params=tuple(params.items()),
        inputs=(("s_axis_skip", node.inputs[0]), ("s_axis_up", node.inputs[1])),
        outputs=(("m_axis", node.output),),
    )


def cycles(graph: Graph, node: Concat, fold: Fold) -> Cycles:
    """Return the cycles of a concatenation for one frame: a beat a cycle leaves, through one register.

    Raises:
        FoldingError: The fold does not divide the channels of both legs.
    """
    check_fold(graph, node, fold)
    beats = math.prod(graph.output_of(node).shape) // fold.pe
    return Cycles(predicted=beats + _LATENCY, first_output=1 + _LATENCY, ideal=beats)
