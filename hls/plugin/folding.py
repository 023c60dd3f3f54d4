"""hls4ml's ReuseFactor and Strategy of each layer as the folds of the hardware."""

from __future__ import annotations

from typing import Any

from quantunet.errors import FoldingError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.csim.lower.layer import GRAPH_KEY
from quantunet.hls.design import Fold, Style
from quantunet.hls.folding import Folding, candidates, ideal_cycles
from quantunet.hls.plugin.reader import Compiled
from quantunet.ir import Graph, MatrixNode, Node

_STYLES: dict[str, Style] = {"resource": "folded-dsp", "distributed_arithmetic": "constant", "da": "constant"}


def folding_of(model: Any, ready: Compiled) -> Folding:
    """Return the folding that a model's configuration asks for.

    A layer's ReuseFactor is how often each of its multipliers works for one pixel of the result: the fold is the
    slowest that is not slower. The factor 1, which hls4ml gives to every layer, and the strategy Latency leave the
    choice to the default folding; Resource takes hard multipliers, Distributed Arithmetic constants.

    Args:
        model: The ``ModelGraph``.
        ready: The model as integers.

    Raises:
        FoldingError: A strategy that this backend does not have, or one that the layer cannot have.
    """
    graph = ready.graph
    folding = dict(default_folding(graph))
    if model.config.config.get(GRAPH_KEY) is not None:
        return Folding(graph, folding)
    layers = {graph.producer(tensor): name for name, tensor in ready.layers.items()}
    for layer in model.get_layers():
        node = next((each for each in graph.nodes if each.name == layer.name), None)
        if node is None:
            node = next((each for each, name in layers.items() if name == layer.name and each is not None), None)
        if isinstance(node, MatrixNode):
            folding[node.name] = _fold(model, layer, graph, node, folding[node.name])
    return Folding(graph, folding)


def _fold(model: Any, layer: Any, graph: Graph, node: Node, default: Fold) -> Fold:
    reuse, strategy = model.config.get_reuse_factor(layer), str(model.config.get_strategy(layer) or "latency").lower()
    if strategy not in ("latency", "unrolled", *_STYLES):
        raise FoldingError(
            layer.name, expected=f"a Strategy Latency, {', '.join(name.title() for name in _STYLES)}", got=strategy,
            hint="Leave it out, or give PE, SIMD and style by folding=FILE.",
        )  # fmt: skip
    style = _STYLES.get(strategy, default.style)
    if strategy in _STYLES or reuse not in (None, 1):
        found = [fold for fold in candidates(graph, node, [style]) if fold.style == style]
        if not found:
            raise FoldingError(
                layer.name, expected=f"a Strategy that a {node.op} can have", got=strategy,
                hint="Use Latency or Resource.",
            )  # fmt: skip
        if style == "constant":
            return found[0]
        pixels = graph.output_of(node).shape[0] * graph.output_of(node).shape[1]
        limit = ideal_cycles(graph, node, default) if reuse in (None, 1) else int(reuse) * pixels
        fast = [fold for fold in found if ideal_cycles(graph, node, fold) <= limit]
        ranked = fast or found
        best = max if fast else min
        cost = best(ideal_cycles(graph, node, fold) for fold in ranked)
        same = [fold for fold in ranked if ideal_cycles(graph, node, fold) == cost]
        return min(same, key=lambda fold: (abs(fold.pe - fold.simd), fold.pe))
    return default
