"""smallest_area: none of hls4ml's layers. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact
from quantunet.ir import Graph, SmallestArea


def lower(graph: Graph, node: SmallestArea) -> HlsLayer:
    """Return the hls4ml layer of a smallest area."""
    return HlsLayer("QunSmallestArea", {"area": node.area}, {"result": exact(graph.output_of(node).qtype)})
