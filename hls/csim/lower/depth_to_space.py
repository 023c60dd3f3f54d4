"""depth_to_space: channels become pixels, which hls4ml lacks. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, reorder
from quantunet.ir import DepthToSpace, Graph


def lower(graph: Graph, node: DepthToSpace) -> HlsLayer:
    """Return the hls4ml layer of a layer that makes pixels of channels."""
    return reorder(graph, node, "QunDepthToSpace", node.block)
