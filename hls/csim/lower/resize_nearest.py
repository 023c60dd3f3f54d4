"""resize_nearest: pixels repeated by any factors. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, reorder
from quantunet.ir import Graph, ResizeNearest


def lower(graph: Graph, node: ResizeNearest) -> HlsLayer:
    """Return the hls4ml layer of a repetition of pixels."""
    return reorder(graph, node, "QunResizeNearest", node.factor)
