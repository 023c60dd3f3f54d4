"""depthwise_conv2d: dilation, and every type exact; ours stands in :mod:`quantunet.hls.csim.windows`."""

from __future__ import annotations

from quantunet.accumulator import accumulator
from quantunet.hls.csim.lower.layer import HlsLayer, accumulator_for_cpp, exact, rounded, values
from quantunet.hls.csim.lower.window import geometry
from quantunet.ir import DepthwiseConv2d, Graph


def lower(graph: Graph, node: DepthwiseConv2d) -> HlsLayer:
    """Return the hls4ml layer of a depthwise convolution; each channel has one multiplier."""
    source, target = graph.input_of(node), graph.output_of(node)
    accumulator_type = accumulator_for_cpp(accumulator(graph, node), target.qtype)
    height, width = node.weight.shape[:2]
    attributes = {
        **geometry(source.shape, target.shape, (height, width), node.stride, node.dilation),
        "weight_data": values(node.weight, node.weight_type),
        "bias_data": values(node.bias, accumulator_type),
    }
    precision = {
        "weight": exact(node.weight_type),
        "bias": exact(accumulator_type),
        "accum": exact(accumulator_type),
        "result": rounded(target.qtype),
    }
    return HlsLayer("QunDepthwise", attributes, precision, height * width)
