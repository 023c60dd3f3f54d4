"""maxpool2d: hls4ml's MaxPooling2D over 2x2 windows; others stand in :mod:`quantunet.hls.csim.windows`."""

from __future__ import annotations

from quantunet.hls.csim.lower.layer import HlsLayer, exact, rounded
from quantunet.hls.csim.lower.window import geometry
from quantunet.ir import Graph, MaxPool2d


def lower(graph: Graph, node: MaxPool2d) -> HlsLayer:
    """Return the hls4ml layer of a pooling, without a change of type; hls4ml's own has no windows that overlap."""
    source, target = graph.input_of(node), graph.output_of(node)
    precision = {"accum": exact(source.qtype), "result": rounded(target.qtype)}
    if not node.halves(source.shape):
        return HlsLayer("QunMaxPool2D", geometry(source.shape, target.shape, node.kernel, node.stride), precision)
    attributes = {
        "data_format": "channels_last",
        "in_height": source.shape[0],
        "in_width": source.shape[1],
        "out_height": target.shape[0],
        "out_width": target.shape[1],
        "n_filt": target.shape[2],
        "pool_height": 2,
        "pool_width": 2,
        "stride_height": 2,
        "stride_width": 2,
        "padding": "valid",
        "pad_top": 0,
        "pad_bottom": 0,
        "pad_left": 0,
        "pad_right": 0,
    }
    return HlsLayer("MaxPooling2D", attributes, precision)
