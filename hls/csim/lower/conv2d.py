"""conv2d: one hls4ml Conv2D with bias and requantisation; the rectifier is the unsigned result type.

hls4ml has no groups, and no dilation on streams: a geometry that is not native is the layer ``QunConv2D`` of
:mod:`quantunet.hls.csim.extension`.
"""

from __future__ import annotations

from quantunet.accumulator import accumulator
from quantunet.hls.csim.lower.layer import HlsLayer, accumulator_for_cpp, any_geometry, exact, rounded, values
from quantunet.ir import Conv2d, Graph


def lower(graph: Graph, node: Conv2d) -> HlsLayer:
    """Return the hls4ml layer of a convolution.

    Each output channel has one multiplier: the reuse factor is the number of products in one sum.
    """
    if not node.native:
        return any_geometry(
            graph, node, stride=node.stride, dilation=node.dilation, groups=node.groups, crop=(0, 0), transposed=False
        )
    height, width, channels_in = graph.input_of(node).shape
    target = graph.output_of(node)
    kernel = node.weight.shape[0]
    accumulator_type = accumulator_for_cpp(accumulator(graph, node), target.qtype)
    attributes = {
        "data_format": "channels_last",
        "in_height": height,
        "in_width": width,
        "out_height": height,
        "out_width": width,
        "n_chan": channels_in,
        "n_filt": target.shape[2],
        "filt_height": kernel,
        "filt_width": kernel,
        "stride_height": 1,
        "stride_width": 1,
        "padding": "same" if node.padded else "valid",
        "pad_top": kernel // 2,
        "pad_bottom": kernel // 2,
        "pad_left": kernel // 2,
        "pad_right": kernel // 2,
        "weight_data": values(node.weight, node.weight_type),
        "bias_data": values(node.bias, accumulator_type),
    }
    precision = {
        "weight": exact(node.weight_type),
        "bias": exact(accumulator_type),
        "accum": exact(accumulator_type),
        "result": rounded(target.qtype),
    }
    return HlsLayer("Conv2D", attributes, precision, kernel * kernel * channels_in)
