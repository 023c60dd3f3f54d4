"""concat: hls4ml's Concatenate along the channels."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, rounded
from quantunet.ir import Concat, Graph


def lower(graph: Graph, node: Concat) -> HlsLayer:
    """Return the hls4ml layer of a concatenation."""
    attributes = {"axis": 3, "op": "concatenate3d"}
    return HlsLayer("Concatenate", attributes, {"result": rounded(graph.output_of(node).qtype)})
