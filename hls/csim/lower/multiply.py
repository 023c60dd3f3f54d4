"""multiply: the product with a gate is none of hls4ml's layers. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact
from quantunet.ir import Graph, Multiply


def lower(graph: Graph, node: Multiply) -> HlsLayer:
    """Return the hls4ml layer of a product."""
    return HlsLayer("QunMultiply", {}, {"result": exact(graph.output_of(node).qtype)})
