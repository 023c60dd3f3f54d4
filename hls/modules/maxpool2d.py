"""Hardware of ``maxpool2d``: parameters of ``qun_maxpool2d``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.folding import check_fold
from quantunet.ir import Graph, MaxPool2d

_LATENCY = 6


def emit(graph: Graph, node: MaxPool2d, fold: Fold) -> Instance:
    """Return the instance of a pooling.

    Raises:
        FoldingError: The fold does not divide.
    """
    check_fold(graph, node, fold)
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
    """Return the cycles of a pooling for one frame: a beat a cycle comes in, and the last one leaves 6 later.

    Raises:
        FoldingError: The fold does not divide.
    """
    check_fold(graph, node, fold)
    height, width, channels = graph.input_of(node).shape
    groups = channels // fold.pe
    beats = height * width * groups
    first_window = (width + 1) * groups + 1
    return Cycles(predicted=beats + _LATENCY, first_output=first_window + _LATENCY, ideal=beats)
