"""resize_bilinear: exact sums, which hls4ml lacks. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, reorder
from quantunet.ir import Graph, ResizeBilinear


def lower(graph: Graph, node: ResizeBilinear) -> HlsLayer:
    """Return the hls4ml layer of a bilinear resize."""
    return reorder(graph, node, "QunResizeBilinear", node.factor)
