"""pad: a constant around the image; hls4ml has 0 alone. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, reorder
from quantunet.ir import Graph, Pad


def lower(graph: Graph, node: Pad) -> HlsLayer:
    """Return the hls4ml layer of a padding."""
    return reorder(graph, node, "QunPad", node.sides[:2], node.value % (1 << graph.input_of(node).qtype.bits))
