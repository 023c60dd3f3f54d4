"""lookup: an exact table; hls4ml's own are off by one on some codes. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact, rounded, values
from quantunet.ir import Graph, Lookup


def lower(graph: Graph, node: Lookup) -> HlsLayer:
    """Return the hls4ml layer of a table."""
    target = graph.output_of(node)
    attributes = {"table_data": values(node.table, target.qtype), "probability": node.probability}
    return HlsLayer("QunLookup", attributes, {"table": exact(target.qtype), "result": rounded(target.qtype)})
