"""Foldings that a search would not choose: every layer has any of its folds."""

from __future__ import annotations

import random
from collections.abc import Collection

from quantunet.errors import ToolFailedError, WidthError
from quantunet.hls.design import Fold, Style
from quantunet.hls.folding import candidates
from quantunet.hls.modules.table import emit
from quantunet.ir import Graph, Node


def lopsided_folding(graph: Graph, seed: int, styles: Collection[Style] = ("folded-lut",)) -> dict[str, Fold]:
    """Return a random fold of every layer, most of them unlike their neighbours'.

    Args:
        graph: The network.
        seed: Of the choice.
        styles: Styles that a layer with multiplications may have.

    Raises:
        WidthError: The values of a layer are too wide for any of its folds.
    """
    rng = random.Random(seed)  # noqa: S311
    return {node.name: _any_fold(graph, node, rng, styles) for node in graph.nodes}


def _any_fold(graph: Graph, node: Node, rng: random.Random, styles: Collection[Style]) -> Fold:
    folds = candidates(graph, node, styles)
    by_style: dict[Style, list[Fold]] = {}
    for fold in folds:
        by_style.setdefault(fold.style, []).append(fold)
    while folds:
        fold = rng.choice(by_style[rng.choice(sorted({fold.style for fold in folds}))])
        try:
            emit(graph, node, fold)
        except (WidthError, ToolFailedError):  # da4ml finds no right adders for some constants
            folds.remove(fold)
            by_style[fold.style].remove(fold)
            if not folds:
                raise
        else:
            return fold
    message = f"{node.name} has no fold"
    raise AssertionError(message)
