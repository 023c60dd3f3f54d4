"""maximum: hls4ml's Merge, which compares values of one type."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact
from quantunet.ir import Graph, Maximum


def lower(graph: Graph, node: Maximum) -> HlsLayer:
    """Return the hls4ml layer of a maximum."""
    return HlsLayer("Merge", {"op": "maximum"}, {"result": exact(graph.output_of(node).qtype)})
