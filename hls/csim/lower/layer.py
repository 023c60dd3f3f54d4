"""What an op is lowered to: the attributes and precisions of one hls4ml layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import accumulator
from quantunet.ir import Graph, IntArray, MatrixNode, Node, Pair, QType

NODE_ATTRIBUTE = "quantunet_node"
TENSOR_ATTRIBUTE = "quantunet_tensor"
UNIT_ATTRIBUTE = "quantunet_unit"
GRAPH_KEY = "QuantUNetName"
PIXELS_KEY = "QuantUNetPixels"
READING_KEY = "QuantUNetReading"
"""Where that of a graph goes along for which hls4ml has no place: attributes of each layer, and keys of the
configuration."""


@dataclass(frozen=True)
class HlsLayer:
    """One hls4ml layer, without its name and its place in the graph.

    Attributes:
        class_name: The hls4ml layer class.
        attributes: Its attributes, as in a layer dictionary of ``ModelGraph.from_layer_list``.
        precision: hls4ml precision strings by variable: ``result``, ``weight``, ``bias``, ``accum``, ``table``.
        reuse_factor: How many times each multiplier is used for one output pixel.
    """

    class_name: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    precision: Mapping[str, str] = field(default_factory=dict)
    reuse_factor: int = 1


def exact(qtype: QType) -> str:
    """Return the hls4ml precision of values that need no rounding.

    >>> exact(QType(4, signed=True, frac=3))
    'fixed<4,1>'
    """
    return f"{'' if qtype.signed else 'u'}fixed<{qtype.bits},{qtype.bits - qtype.frac}>"


def rounded(qtype: QType) -> str:
    """Return the hls4ml precision of a result: round half to even, then saturate.

    >>> rounded(QType(3, signed=False, frac=2))
    'ufixed<3,1,RND_CONV,SAT>'
    """
    return exact(qtype).removesuffix(">") + ",RND_CONV,SAT>"


def values(integers: IntArray, qtype: QType) -> npt.NDArray[np.float64]:
    """Return the real values ``q * 2**-frac`` of integers; exact in float64 up to 53 bits."""
    return np.ldexp(integers.array.astype(np.float64), -qtype.frac)


def accumulator_for_cpp(accumulator_type: QType, target: QType) -> QType:
    """Return the accumulator's type in C++: wide enough also for the simulation model's requantisation.

    The ``ap_fixed`` of C simulation asserts when a conversion drops more bits than its source has.
    """
    dropped = accumulator_type.frac - target.frac
    return QType(max(accumulator_type.bits, dropped), signed=True, frac=accumulator_type.frac)


def any_geometry(
    graph: Graph, node: MatrixNode, *, stride: Pair, dilation: Pair, groups: int, crop: Pair, transposed: bool
) -> HlsLayer:
    """Return the layer ``QunConv2D`` of a convolution or transpose convolution; each output channel has one multiplier.

    Args:
        graph: The graph that holds the node.
        node: The layer.
        stride: Rows and columns of the stride.
        dilation: Rows and columns from one tap to the next.
        groups: Groups of channels.
        crop: Rows and columns that a transpose convolution leaves out at the top and the left.
        transposed: Whether it is one.
    """
    source, target = graph.input_of(node), graph.output_of(node)
    accumulator_type = accumulator_for_cpp(accumulator(graph, node), target.qtype)
    pairs: dict[str, tuple[int, ...]] = {
        "in": source.shape[:2],
        "out": target.shape[:2],
        "filt": node.weight.shape[:2],
        "stride": stride,
        "dilation": dilation,
        "crop": crop,
    }
    attributes: dict[str, object] = {
        f"{name}_{side}": pair[axis] for name, pair in pairs.items() for axis, side in enumerate(("height", "width"))
    }
    attributes |= {
        "data_format": "channels_last",
        "n_chan": source.shape[2],
        "n_filt": target.shape[2],
        "groups": groups,
        "transposed": transposed,
        "weight_data": values(node.weight, node.weight_type),
        "bias_data": values(node.bias, accumulator_type),
    }
    precision = {
        "weight": exact(node.weight_type),
        "bias": exact(accumulator_type),
        "accum": exact(accumulator_type),
        "result": rounded(target.qtype),
    }
    return HlsLayer("QunConv2D", attributes, precision, node.terms)


def reorder(graph: Graph, node: Node, class_name: str, axes: Pair, value: int = 0) -> HlsLayer:
    """Return the hls4ml layer of a node that moves pixels.

    Args:
        graph: The graph.
        node: The node.
        class_name: A layer class of :mod:`quantunet.hls.csim.extension`.
        axes: What it does to rows and to columns.
        value: The bits of a constant.
    """
    (height, width, _), target = graph.input_of(node).shape, graph.output_of(node)
    attributes = {
        "in_height": height,
        "in_width": width,
        "out_height": target.shape[0],
        "out_width": target.shape[1],
        "n_chan": target.shape[2],
        "rows": axes[0],
        "columns": axes[1],
        "value": value,
    }
    return HlsLayer(class_name, attributes, {"result": rounded(target.qtype)})
