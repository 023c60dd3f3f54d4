"""What a design takes of an ECP5 before it is synthesised: its modules' terms, at the fitted prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding, ideal_cycles
from quantunet.hls.modules.table import LAYERS, PLUMBING
from quantunet.hls.network import FifoDepths, wire
from quantunet.hls.resources.calibration import Calibration, calibration
from quantunet.hls.resources.terms import Cost, Terms
from quantunet.hls.schedule.depths import fifo_depths
from quantunet.ir import Graph, Node

ADAPTER_PRICE = 150.0
"""What a width adapter counts beside its own area, in LUTs, when foldings are chosen: for its latency, and because
neighbours of the same lanes are simpler to follow and to simulate. It costs the wearable network 0.6 % of its area, and
saves it more than half of the adapters."""


@dataclass(frozen=True)
class Item:
    """A module of the network with its estimate.

    Attributes:
        name: The instance's name; that of a layer is the layer's.
        module: The op, ``fork``, ``fifo`` or ``width_adapter``.
        cost: What it takes.
        fold: The fold of a layer; ``None`` for plumbing.
        cycles: Cycles a frame of a layer's busiest resource; 0 for plumbing.
    """

    name: str
    module: str
    cost: Cost
    fold: Fold | None = None
    cycles: int = 0


def layer_terms(graph: Graph, node: Node, fold: Fold) -> Terms:
    """Return the terms of a layer.

    Raises:
        WidthError: The layer's values are too wide for this fold.
    """
    return LAYERS[node.op].area(graph, node, fold)


def layer_cost(graph: Graph, node: Node, fold: Fold, prices: Calibration | None = None) -> Cost:
    """Return what a layer takes.

    Args:
        graph: The network.
        node: The layer.
        fold: Its fold.
        prices: What the terms cost; ``None`` for the present calibration.

    Raises:
        WidthError: The layer's values are too wide for this fold.
    """
    return (prices or calibration()).cost(layer_terms(graph, node, fold))


def plumbing_terms(stem: str, **params: int) -> Terms:
    """Return the terms of a fork, a FIFO or a width adapter.

    Args:
        stem: ``fork``, ``fifo`` or ``width_adapter``.
        params: The parameters of its SystemVerilog module.
    """
    return PLUMBING[stem].area(params)


@lru_cache(maxsize=65536)
def plumbing_cost(stem: str, **params: int) -> Cost:
    """Return what a fork, a FIFO or a width adapter takes; see :func:`plumbing_terms`."""
    return calibration().cost(plumbing_terms(stem, **params))


def width_adapter_cost(in_lanes: int, out_lanes: int, bits: int) -> Cost:
    """Return what the width adapter of a connection takes; nothing where the lanes are the same: there is none."""
    if in_lanes == out_lanes:
        return Cost()
    return plumbing_cost("width_adapter", InLanes=in_lanes, OutLanes=out_lanes, Bits=bits)


def estimate(graph: Graph, folding: Folding) -> tuple[Item, ...]:
    """Return every module of a network, FIFOs of the depth that they need included, with its estimate.

    Raises:
        FoldingError: The folding does not fit.
        WidthError: A layer's values are too wide for its fold.
    """
    return items(graph, folding, fifo_depths(graph, folding))


def items(graph: Graph, folding: Folding, depths: FifoDepths) -> tuple[Item, ...]:
    """Return what :func:`estimate` returns, with FIFOs of given depths."""
    layers = [
        Item(
            node.name,
            node.op,
            layer_cost(graph, node, folding[node.name]),
            folding[node.name],
            ideal_cycles(graph, node, folding[node.name]),
        )
        for node in graph.nodes
    ]
    plumbing = [
        Item(instance.name, stem := instance.kind.removeprefix("qun_"), plumbing_cost(stem, **instance.numbers))
        for instance in wire(graph, folding, depths).plumbing
    ]
    return (*layers, *plumbing)
