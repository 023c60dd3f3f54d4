"""Hardware of ``sigmoid``: parameters and table of ``qun_sigmoid``, and its cycles."""

from __future__ import annotations

import math

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Memory
from quantunet.hls.folding import check_fold
from quantunet.ir import Graph, IntArray, Sigmoid

_LATENCY = 2


def emit(graph: Graph, node: Sigmoid, fold: Fold) -> Instance:
    """Return the instance of a sigmoid table.

    The graph's table starts at ``qmin``; the memory is addressed by the input's bits, so that for a signed input its
    second half holds the negative values.

    Raises:
        FoldingError: The fold does not divide.
    """
    check_fold(graph, node, fold)
    source, target = graph.input_of(node).qtype, graph.output_of(node).qtype
    words = np.roll(node.table.array, source.qmin).reshape(-1, 1)
    memory = Memory(f"{node.name}_table.mem", target.bits, IntArray.of(words))
    params: dict[str, int | str] = {
        "Lanes": fold.pe,
        "InBits": source.bits,
        "InSigned": int(source.signed),
        "OutBits": target.bits,
        "TableFile": memory.file,
    }
    return Instance(
        name=node.name,
        module="qun_sigmoid",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=(memory,),
    )


def cycles(graph: Graph, node: Sigmoid, fold: Fold) -> Cycles:
    """Return the cycles of a sigmoid table for one frame: a beat a cycle, through the table and a register.

    Raises:
        FoldingError: The fold does not divide.
    """
    check_fold(graph, node, fold)
    beats = math.prod(graph.output_of(node).shape) // fold.pe
    return Cycles(predicted=beats + _LATENCY, first_output=1 + _LATENCY, ideal=beats)
