"""The project's own networks, read back from the ModelGraph into which :mod:`quantunet.hls.csim.lower` has put them.

Each layer says which node it was: reading is the reverse of lowering, and gives an equal graph. What was changed in
between, a precision that somebody edited, would be no longer what the network says, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from quantunet.errors import UnsupportedOpError
from quantunet.graph_check import check
from quantunet.hls.csim.lower.affine import HALF_BITS
from quantunet.hls.csim.lower.layer import (
    GRAPH_KEY,
    NODE_ATTRIBUTE,
    PIXELS_KEY,
    READING_KEY,
    TENSOR_ATTRIBUTE,
    UNIT_ATTRIBUTE,
)
from quantunet.hls.csim.lower.table import SHEETS
from quantunet.hls.plugin.precision import qtype_of
from quantunet.hls.plugin.reading import result, shape_of
from quantunet.ir import (
    Add,
    Affine,
    Argmax,
    Array,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Crop,
    DepthToSpace,
    DepthwiseConv2d,
    Graph,
    IntArray,
    Lookup,
    Maximum,
    MaxPool2d,
    Multiply,
    Node,
    Pad,
    Pair,
    QType,
    Reading,
    Requant,
    ResizeBilinear,
    ResizeNearest,
    Sides,
    SmallestArea,
    SumPool2d,
    Tensor,
)
from quantunet.pixels import Pixels

Head = tuple[str, tuple[str, ...], str]
"""A node's name, inputs and output."""

Raise = Callable[[Any, Head, Tensor, Tensor], Node]
"""From a layer, the head of its node, its first input and its output to the node."""


def is_own(model: Any) -> bool:
    """Return whether a ModelGraph is one of the project's own networks."""
    return model.config.config.get(GRAPH_KEY) is not None


def read_own(model: Any) -> Graph:
    """Return the graph of one of the project's own networks.

    Args:
        model: A ``ModelGraph`` that :func:`quantunet.hls.csim.lower.network.model_graph` made.

    Raises:
        UnsupportedOpError: A layer or a precision that the lowering does not make.
        ModelError: The graph is not legal.
    """
    tensors: dict[str, Tensor] = {}
    nodes: list[Node] = []
    layers: dict[str, Any] = {}
    for layer in model.get_layers():
        name = layer.get_attr(TENSOR_ATTRIBUTE)
        unit = layer.get_attr(UNIT_ATTRIBUTE)
        target = Tensor(
            name,
            shape_of(layer.name, layer.get_output_variable().shape),
            qtype_of(layer.name, result(layer)),
            None if unit is None else Fraction(unit),
        )
        if layer.get_attr(NODE_ATTRIBUTE) is not None:
            sources = [tensors[variable] for variable in layer.inputs]
            head = layer.get_attr(NODE_ATTRIBUTE), tuple(tensor.name for tensor in sources), name
            nodes.append(_raise_of(layer)(layer, head, sources[0], target))
            layers[head[0]] = layer
        tensors[layer.outputs[0]] = target
    config = model.config.config
    outputs = [tensors[variable].name for variable in model.outputs]
    inputs = tuple(tensors[variable].name for variable in model.inputs)
    pixels = Pixels.decoded(config[PIXELS_KEY])
    reading = _reading(config[READING_KEY])
    graph = Graph(config[GRAPH_KEY], inputs, outputs[0], tuple(tensors.values()), tuple(nodes), pixels, reading)
    for node in graph.nodes:
        _check_types(model, graph, node, layers[node.name])
    return check(graph)


def _reading(encoded: tuple[list[str], list[str]] | None) -> Reading | None:
    if encoded is None:
        return None
    gain, offset = (tuple(Fraction(value) for value in values) for values in encoded)
    return Reading(gain, offset)


def _raise_of(layer: Any) -> Raise:
    found = _RAISE.get(layer.class_name)
    if found is None:
        raise UnsupportedOpError(
            layer.name, expected=f"one of the layers {', '.join(sorted(_RAISE))}", got=str(layer.class_name)
        )
    return found


def _check_types(model: Any, graph: Graph, node: Node, layer: Any) -> None:
    """Check that every type of a layer is the one that the lowering gives it."""
    convert = model.config.backend.convert_precision_string
    for variable, text in SHEETS[node.op].lower(graph, node).precision.items():
        found = result(layer) if variable == "result" else layer.get_attr(f"{variable}_t").precision
        if found != convert(text):
            raise UnsupportedOpError(
                layer.name, expected=f"the {variable} precision {text} of the project's own network", got=str(found),
                hint="Change the network itself, and lower it again.",
            )  # fmt: skip


def _pair(layer: Any, name: str) -> Pair:
    return int(layer.get_attr(f"{name}_height")), int(layer.get_attr(f"{name}_width"))


def _codes(layer: Any, name: str, frac: int) -> Array:
    """Return constants as integers; the lowering wrote them exactly."""
    return np.ldexp(np.asarray(layer.weights[name].data, dtype=np.float64), frac).astype(np.int64)


def _matrix(layer: Any, source: Tensor, target: Tensor, kernel: Pair, groups: int) -> tuple[IntArray, QType, IntArray]:
    """Return weights, their type, and biases."""
    weight_type = qtype_of(layer.name, layer.weights["weight"].type.precision)
    weight = _codes(layer, "weight", weight_type.frac)
    weight = weight.reshape(*kernel, source.shape[2] // groups, target.shape[2])
    bias = _codes(layer, "bias", weight_type.frac + source.qtype.frac)
    return IntArray.of(weight), weight_type, IntArray.of(bias.reshape(-1))


def _conv(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    arrays = _matrix(layer, source, target, _pair(layer, "filt"), 1)
    return Conv2d(*head, *arrays, padded=layer.get_attr("padding") == "same")


def _any_conv(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    kernel, stride, groups = _pair(layer, "filt"), _pair(layer, "stride"), int(layer.get_attr("groups"))
    arrays = _matrix(layer, source, target, kernel, groups)
    if not layer.get_attr("transposed"):
        return Conv2d(*head, *arrays, stride, _pair(layer, "dilation"), groups, padded=False)
    crop = _pair(layer, "crop")
    full = [(source.shape[axis] - 1) * stride[axis] + kernel[axis] for axis in range(2)]
    rest = [full[axis] - crop[axis] - target.shape[axis] for axis in range(2)]
    return ConvTranspose2d(*head, *arrays, stride, (*crop, rest[0], rest[1]))


def _conv_transpose(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return ConvTranspose2d(*head, *_matrix(layer, source, target, (2, 2), 1))


def _depthwise(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    arrays = _matrix(layer, source, target, _pair(layer, "kernel"), source.shape[2])
    return DepthwiseConv2d(*head, *arrays, _pair(layer, "stride"), _pair(layer, "dilation"))


def _pool(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return MaxPool2d(*head, _pair(layer, "pool"), _pair(layer, "stride"))


def _max_pool(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return MaxPool2d(*head, _pair(layer, "kernel"), _pair(layer, "stride"))


def _sum_pool(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return SumPool2d(*head, _pair(layer, "kernel"), _pair(layer, "stride"))


def _plain(kind: Callable[[str, tuple[str, ...], str], Node]) -> Raise:
    """Return the reading of a node that its streams say whole."""
    return lambda layer, head, source, target: kind(*head)


def _merge(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return Add(*head) if layer.get_attr("op") == "add" else Maximum(*head)


def _add(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return Add(*head, (int(layer.get_attr("first_gain")), int(layer.get_attr("second_gain"))))


def _lookup(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    table = _codes(layer, "table", target.qtype.frac).reshape(-1)
    return Lookup(*head, IntArray.of(table), bool(layer.get_attr("probability")))


def _smallest_area(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return SmallestArea(*head, int(layer.get_attr("area")))


def _affine(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    halves = _codes(layer, "constant", 0).reshape(source.shape[2], -1)
    others = [IntArray.of((halves[:, i] << HALF_BITS) + halves[:, i + 1]) for i in range(2, 10, 2)]
    split = IntArray.of(layer.get_attr("splits"))
    shift, low, high = (int(layer.get_attr(name)) for name in ("shift", "low", "high"))
    multiplier, offset, lower_multiplier, lower_offset = others
    return Affine(
        *head, multiplier, offset, split, lower_multiplier, lower_offset, shift, low, high,
        bool(layer.get_attr("even")), bool(layer.get_attr("wraps")),
    )  # fmt: skip


def _axes(layer: Any) -> Pair:
    return int(layer.get_attr("rows")), int(layer.get_attr("columns"))


def _pad(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    value, qtype = int(layer.get_attr("value")), source.qtype
    sides = _opposite(_axes(layer), target, source)
    return Pad(*head, sides, value if value <= qtype.qmax else value - (1 << qtype.bits))


def _crop(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return Crop(*head, _opposite(_axes(layer), source, target))


def _opposite(first: Pair, larger: Tensor, smaller: Tensor) -> Sides:
    """Return all sides, from those at the top and the left and two sizes."""
    rows, columns = (larger.shape[axis] - smaller.shape[axis] - first[axis] for axis in range(2))
    return (*first, rows, columns)


def _nearest(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return ResizeNearest(*head, _axes(layer))


def _bilinear(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return ResizeBilinear(*head, _axes(layer))


def _depth_to_space(layer: Any, head: Head, source: Tensor, target: Tensor) -> Node:
    return DepthToSpace(*head, _axes(layer))


_RAISE: Mapping[str, Raise] = {
    "Activation": _plain(Requant),
    "Concatenate": _plain(Concat),
    "Conv2D": _conv,
    "Merge": _merge,
    "Pooling2D": _pool,
    "QunAdd": _add,
    "QunAffine": _affine,
    "QunArgmax": _plain(Argmax),
    "QunConv2D": _any_conv,
    "QunConvTranspose2D": _conv_transpose,
    "QunCrop": _crop,
    "QunDepthToSpace": _depth_to_space,
    "QunDepthwise": _depthwise,
    "QunLookup": _lookup,
    "QunMaxPool2D": _max_pool,
    "QunMultiply": _plain(Multiply),
    "QunPad": _pad,
    "QunResizeBilinear": _bilinear,
    "QunResizeNearest": _nearest,
    "QunSmallestArea": _smallest_area,
    "QunSumPool2D": _sum_pool,
}
"""By the class of the layer."""
