"""sigmoid: an exact table; hls4ml's own is off by one on some codes. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact, rounded, values
from quantunet.ir import Graph, Sigmoid


def lower(graph: Graph, node: Sigmoid) -> HlsLayer:
    """Return the hls4ml layer of a sigmoid table."""
    target = graph.output_of(node)
    attributes = {"table_data": values(node.table, target.qtype)}
    return HlsLayer("QunSigmoid", attributes, {"table": exact(target.qtype), "result": rounded(target.qtype)})
