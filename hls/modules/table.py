"""The sheets of all modules; one that lacks a member is refused when this is imported."""

from __future__ import annotations

from collections.abc import Mapping

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.modules.sheet import Layer, Module, Plumbing
from quantunet.ir import Graph, Node
from quantunet.ops import OPS, sheets, stems

_PACKAGE = "quantunet.hls.modules"

LAYERS: Mapping[str, Layer] = sheets(_PACKAGE, stems(computes=True), Layer)
"""By the stem of the op."""

PLUMBING: Mapping[str, Plumbing] = sheets(_PACKAGE, stems(computes=False), Plumbing)
"""By stem."""

_MODULES: Mapping[str, Module] = sheets(_PACKAGE, [stem for op in OPS for stem in op.modules], Module)


def module_of(instance: Instance) -> Module:
    """Return the sheet of the module that says how an instance's streams behave."""
    return _MODULES[instance.kind.removeprefix("qun_")]


def rules() -> set[str]:
    """Return the rules of the schedule that the sheets name."""
    return {sheet.RULE for sheet in _MODULES.values()}


def emit(graph: Graph, node: Node, fold: Fold) -> Instance:
    """Return the module instance of a layer, with streams named like the tensors it reads and writes.

    Args:
        graph: The network.
        node: The layer.
        fold: Its fold, of a :class:`~quantunet.hls.folding.Folding`, or one of its candidates.

    Raises:
        WidthError: The layer's values are too wide for the module.
    """
    return LAYERS[node.op].emit(graph, node, fold)


def cycles(graph: Graph, node: Node, fold: Fold) -> Cycles:
    """Return the predicted cycles of a layer for one frame."""
    return LAYERS[node.op].cycles(graph, node, fold)
