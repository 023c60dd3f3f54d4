"""Hardware of ``sumpool2d``: ``qun_global_pool2d`` where the window is the image, else ``qun_window_pool2d``."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.modules import global_pool2d, window_pool2d
from quantunet.hls.modules.sheet import Layer, Timing
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Graph, SumPool2d

# A sum over the image asks for its pixels as one over windows does.
RULE = window_pool2d.RULE
JOIN = window_pool2d.JOIN
WHOLE_PIXELS = window_pool2d.WHOLE_PIXELS
BURSTS = window_pool2d.BURSTS

needs, taken, rule_params = window_pool2d.needs, window_pool2d.taken, window_pool2d.rule_params


def _module(graph: Graph, node: SumPool2d) -> Layer:
    return global_pool2d if global_pool2d.fits(graph, node) else window_pool2d


def emit(graph: Graph, node: SumPool2d, fold: Fold) -> Instance:
    """Return the instance of a sum."""
    return _module(graph, node).emit(graph, node, fold)


def cycles(graph: Graph, node: SumPool2d, fold: Fold) -> Cycles:
    """Return the cycles of a sum for one frame."""
    return _module(graph, node).cycles(graph, node, fold)


def area(graph: Graph, node: SumPool2d, fold: Fold) -> Terms:
    """Return what a sum takes."""
    return _module(graph, node).area(graph, node, fold)


def timing(graph: Graph, node: SumPool2d, fold: Fold) -> Timing:
    """Return how a sum works through a frame."""
    return _module(graph, node).timing(graph, node, fold)
