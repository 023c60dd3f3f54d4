"""argmax: none of hls4ml's layers. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact
from quantunet.ir import Argmax, Graph


def lower(graph: Graph, node: Argmax) -> HlsLayer:
    """Return the hls4ml layer of an argmax."""
    return HlsLayer("QunArgmax", {}, {"result": exact(graph.output_of(node).qtype)})
