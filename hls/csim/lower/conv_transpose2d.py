"""conv_transpose2d: hls4ml has no such layer; ours stands in :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

from quantunet.accumulator import accumulator
from quantunet.hls.csim.lower.layer import HlsLayer, accumulator_for_cpp, any_geometry, exact, rounded, values
from quantunet.ir import ConvTranspose2d, Graph


def lower(graph: Graph, node: ConvTranspose2d) -> HlsLayer:
    """Return the hls4ml layer of a transpose convolution; each output channel has one multiplier."""
    if not node.native:
        return any_geometry(
            graph, node, stride=node.stride, dilation=(1, 1), groups=1, crop=node.crop[:2], transposed=True
        )
    height, width, channels_in = graph.input_of(node).shape
    target = graph.output_of(node)
    accumulator_type = accumulator_for_cpp(accumulator(graph, node), target.qtype)
    attributes = {
        "data_format": "channels_last",
        "in_height": height,
        "in_width": width,
        "out_height": target.shape[0],
        "out_width": target.shape[1],
        "n_chan": channels_in,
        "n_filt": target.shape[2],
        "weight_data": values(node.weight, node.weight_type),
        "bias_data": values(node.bias, accumulator_type),
    }
    precision = {
        "weight": exact(node.weight_type),
        "bias": exact(accumulator_type),
        "accum": exact(accumulator_type),
        "result": rounded(target.qtype),
    }
    return HlsLayer("QunConvTranspose2D", attributes, precision, channels_in)
