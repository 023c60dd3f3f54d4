"""A network of fewer bits made of the high bits of another one's: the same weights, read less far."""

from __future__ import annotations

import dataclasses

import numpy as np

from quantunet.errors import ModelError
from quantunet.graph_check import check
from quantunet.ir import Array, Concat, Graph, IntArray, MatrixNode, MaxPool2d, Node, QType, Requant

LEAST_BITS = 2


def narrowed(graph: Graph, drop: int) -> Graph:
    """A network whose weights and activations keep their ranges and lose their low bits.

    A weight ``w`` of ``b`` bits becomes ``clamp(round_half_even(w / 2**k))`` with ``k = min(drop, b - 2)``, an
    activation is requantised to a step ``2**k`` times as large. The input and the logits stay as they are.

    Args:
        graph: The network; convolutions, max poolings, concatenations and requantisations.
        drop: Bits that each width loses, where two are left.

    Raises:
        ModelError: Another op is in it.
    """
    kept = {*graph.inputs, graph.logits.name, graph.output}
    tensors = {
        t.name: t if t.name in kept else dataclasses.replace(t, qtype=_less(t.qtype, drop)) for t in graph.tensors
    }
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node, MatrixNode):
            source = tensors[node.inputs[0]].qtype
            weight_type = _less(node.weight_type, drop)
            weight = _rounded(node.weight.array, node.weight_type.frac - weight_type.frac)
            finer = node.weight_type.frac + graph.input_of(node).qtype.frac - weight_type.frac - source.frac
            nodes.append(
                dataclasses.replace(
                    node,
                    weight=IntArray.of(np.clip(weight, weight_type.qmin, weight_type.qmax)),
                    weight_type=weight_type,
                    bias=IntArray.of(_rounded(node.bias.array, finer)),
                )
            )
        elif isinstance(node, MaxPool2d | Concat | Requant) or {*node.inputs, node.output} <= kept:
            nodes.append(node)
        else:
            expected = "a convolution, max pooling, concatenation or requantisation"
            raise ModelError(node.name, expected=expected, got=node.op)
    return check(dataclasses.replace(graph, tensors=tuple(tensors.values()), nodes=tuple(nodes)))


def _less(qtype: QType, drop: int) -> QType:
    bits = max(qtype.bits - drop, min(qtype.bits, LEAST_BITS))
    return QType(bits, qtype.signed, qtype.frac - (qtype.bits - bits))


def _rounded(values: Array, places: int) -> Array:
    """``round_half_even(values / 2**places)``, exact: numbers of a network fit a double."""
    return np.rint(np.ldexp(values.astype(np.float64), -places)).astype(np.int64)
