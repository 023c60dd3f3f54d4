"""crop: the image without its sides, which hls4ml lacks. Ours: :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, reorder
from quantunet.ir import Crop, Graph


def lower(graph: Graph, node: Crop) -> HlsLayer:
    """Return the hls4ml layer of a cropping."""
    return reorder(graph, node, "QunCrop", node.sides[:2])
