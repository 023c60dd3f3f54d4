"""From an hls4ml ModelGraph back to the integer graph; what cannot be represented exactly is refused.

The graph is one that the ``QuantUNet`` backend has prepared: no layers inserted for C++ streams. Layers that came from
:mod:`quantunet.hls.lower` get their names back, so that the round trip gives an equal graph. In other graphs a
convolution that keeps its whole accumulator is joined with the activation that follows it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import accumulator, reachable
from quantunet.errors import ModelError, ScaleError, ShapeError, UnsupportedOpError, WidthError
from quantunet.hls.lower.layer import GRAPH_KEY, NODE_ATTRIBUTE, TENSOR_ATTRIBUTE
from quantunet.hls.lower.names import unique_names
from quantunet.hls.precision import check_requantisation, holds, qtype_of
from quantunet.ir import (
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    MatrixNode,
    MaxPool2d,
    Node,
    QType,
    Requant,
    Shape,
    Sigmoid,
    Tensor,
)


def from_model_graph(model: Any) -> Graph:
    """Return the integer graph of an hls4ml ModelGraph.

    Args:
        model: A ``ModelGraph`` of the backend ``QuantUNet``.

    Returns:
        The checked graph.

    Raises:
        UnsupportedOpError: A layer, attribute, rounding or saturation that the hardware does not have.
        ScaleError: Weights or a bias that their precision, or the accumulator, does not hold exactly.
        WidthError: An accumulator that may overflow, or a width outside the supported range.
        ModelError: Anything else that makes the graph illegal.
    """
    return _Reader(model).graph()


class _Reader:
    """Reads the layers in order; holds the tensors and nodes that were found."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.tensors: dict[str, Tensor] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []
        self.names = self._names()
        self.joined: dict[str, Any] = {}

    def _names(self) -> dict[str, str]:
        """Return the tensor name of every hls4ml variable."""
        names: dict[str, str] = {}
        foreign: list[str] = []
        for layer in self.model.get_layers():
            original = layer.get_attr(TENSOR_ATTRIBUTE)
            for variable in layer.outputs:
                if original is None:
                    foreign.append(variable)
                else:
                    names[variable] = original
        cleaned = unique_names(_identifier(name) for name in foreign)
        return {**names, **dict(zip(foreign, cleaned, strict=True))}

    def graph(self) -> Graph:
        for layer in self.model.get_layers():
            if layer.name not in self.joined:
                read = _READERS.get(layer.class_name)
                if read is None:
                    raise UnsupportedOpError(
                        layer.name,
                        expected=f"one of the layers {', '.join(sorted(_READERS))}",
                        got=layer.class_name,
                        hint="Remove the layer, or compute it outside.",
                    )
                read(self, layer)
        if len(self.model.outputs) != 1:
            raise ModelError(
                "model", expected="one output", got=str(len(self.model.outputs)), hint="Cut the model into parts."
            )
        config = self.model.config.config
        name = config.get(GRAPH_KEY) or _identifier(self.model.config.get_project_name())
        output = self.names[self.model.outputs[0]]
        return Graph(name, tuple(self.inputs), output, tuple(self.tensors.values()), tuple(self.nodes)).check()

    def source(self, layer: Any, index: int = 0) -> Tensor:
        return self.tensors[self.names[layer.inputs[index]]]

    def add(self, layer: Any, node: Node, shape: Shape, qtype: QType) -> None:
        self.tensors[node.output] = Tensor(node.output, shape, qtype)
        self.nodes.append(node)

    def place(self, layer: Any) -> tuple[str, tuple[str, ...], str]:
        """Return the name, the inputs and the output of a layer's node."""
        name = layer.get_attr(NODE_ATTRIBUTE) or _identifier(layer.name)
        return name, tuple(self.names[variable] for variable in layer.inputs), self.names[layer.outputs[0]]

    def join(self, layer: Any, source_range: tuple[int, int], frac: int) -> Any:
        """Return the activation behind a layer of a foreign graph that keeps its whole accumulator, if there is one."""
        readers = layer.get_output_nodes()
        if layer.get_attr(NODE_ATTRIBUTE) is not None or len(readers) != 1 or layer.outputs[0] in self.model.outputs:
            return None
        follower = readers[0]
        if follower.class_name != "Activation" or _activation(follower) not in ("linear", "relu"):
            return None
        result = qtype_of(layer.name, _result(layer))
        return follower if holds(result, source_range, frac) else None


def _identifier(name: str) -> str:
    """Return an identifier made from any name."""
    cleaned = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_")
    return cleaned if cleaned[:1].isalpha() else f"n{cleaned}"


def _activation(layer: Any) -> str:
    return str(layer.get_attr("activation")).lower()


def _result(layer: Any) -> Any:
    return layer.get_output_variable().type.precision


def _shape(layer: Any) -> Shape:
    shape = tuple(int(size) for size in layer.get_output_variable().shape)
    if len(shape) != 3:
        raise ShapeError(layer.name, expected="an output (height, width, channels)", got=str(shape))
    return shape


def _expect(layer: Any, expected: Mapping[str, object]) -> None:
    for key, value in expected.items():
        got = layer.get_attr(key, value)
        if got != value:
            raise UnsupportedOpError(layer.name, expected=f"{key} = {value}", got=str(got))


def _codes(where: str, what: str, values: npt.ArrayLike, frac: int) -> IntArray:
    """Return real values as integers at ``frac``; they must be exact."""
    scaled = np.ldexp(np.asarray(values, dtype=np.float64), frac)
    codes = np.rint(scaled)
    if not np.array_equal(codes, scaled):
        raise ScaleError(
            where,
            expected=f"{what} that are multiples of 2**{-frac}",
            got=f"{float(np.asarray(values).ravel()[int(np.argmax(codes != scaled))])!r}",
            hint="Quantise them with a power-of-two scale that the layer's precision holds.",
        )
    return IntArray.of(codes.astype(np.int64))


def _check_range(where: str, what: str, codes: IntArray, qtype: QType) -> None:
    low, high = int(codes.array.min()), int(codes.array.max())
    if low < qtype.qmin or high > qtype.qmax:
        raise WidthError(where, expected=f"{what} in {qtype.qmin}..{qtype.qmax} ({qtype})", got=f"{low}..{high}")


def _read_input(reader: _Reader, layer: Any) -> None:
    name = reader.names[layer.outputs[0]]
    reader.inputs.append(name)
    reader.tensors[name] = Tensor(name, _shape(layer), qtype_of(layer.name, _result(layer)))


def _read_conv2d(reader: _Reader, layer: Any) -> None:
    kernel = int(layer.get_attr("filt_height"))
    padding = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), kernel // 2)
    strides = {"stride_height": 1, "stride_width": 1, "dilation": 1}
    _expect(layer, {"data_format": "channels_last", "filt_width": kernel, **strides, **padding})
    _read_matrix(reader, layer, Conv2d)


def _read_conv_transpose2d(reader: _Reader, layer: Any) -> None:
    _read_matrix(reader, layer, ConvTranspose2d)


def _read_matrix(reader: _Reader, layer: Any, kind: type[Conv2d] | type[ConvTranspose2d]) -> None:
    name, inputs, output = reader.place(layer)
    source = reader.source(layer)
    weights, biases = layer.weights["weight"], layer.weights["bias"]
    weight_type = qtype_of(name, weights.type.precision)
    weight = _codes(name, "weights", weights.data, weight_type.frac)
    _check_range(name, "weights", weight, weight_type)
    if not weight_type.signed:
        weight_type = QType(weight_type.bits + 1, signed=True, frac=weight_type.frac)
    frac = weight_type.frac + source.qtype.frac
    bias = _codes(name, "biases", biases.data, frac)
    bias_type = qtype_of(name, biases.type.precision)
    _check_range(name, "biases", _codes(name, "biases", biases.data, bias_type.frac), bias_type)
    node: MatrixNode = kind(name, (inputs[0],), output, weight, weight_type, bias)
    _check_accumulator(layer, node, source)
    source_range = reachable(node, source.qtype)
    follower = reader.join(layer, source_range, frac)
    if follower is None:
        qtype = check_requantisation(name, source_range, frac, _result(layer))
    else:
        reader.joined[follower.name] = follower
        qtype = _activation_type(follower, source_range, frac)
        node = dataclasses.replace(node, output=reader.names[follower.outputs[0]])
    reader.add(layer, node, _shape(layer), qtype)


def _check_accumulator(layer: Any, node: MatrixNode, source: Tensor) -> None:
    """Check that the C++ accumulator holds every reachable sum; it may wrap in between."""
    output = Tensor(node.output, source.shape, source.qtype)
    exact = accumulator(Graph(node.name, (source.name,), node.output, (source, output), (node,)), node)
    got = qtype_of(layer.name, layer.get_attr("accum_t").precision)
    if not holds(got, (exact.qmin, exact.qmax), exact.frac):
        raise WidthError(
            layer.name,
            expected=f"an accumulator that holds {exact} (signed, bits.fraction)",
            got=str(got),
            hint="Widen the layer's accum precision.",
        )


def _read_maxpool2d(reader: _Reader, layer: Any) -> None:
    sizes = dict.fromkeys(("pool_height", "pool_width", "stride_height", "stride_width"), 2)
    padding = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), 0)
    _expect(layer, {"data_format": "channels_last", "pool_op": "Max", **sizes, **padding})
    name, inputs, output = reader.place(layer)
    qtype = reader.source(layer).qtype
    _same_type(layer, qtype)
    reader.add(layer, MaxPool2d(name, (inputs[0],), output), _shape(layer), qtype)


def _same_type(layer: Any, qtype: QType) -> None:
    got = qtype_of(layer.name, _result(layer))
    if got != qtype:
        raise UnsupportedOpError(
            layer.name,
            expected=f"a result of the input's type {qtype}",
            got=str(got),
            hint="Convert the type in an activation of its own.",
        )


def _read_concat(reader: _Reader, layer: Any) -> None:
    if layer.get_attr("axis") not in (3, -1):
        raise UnsupportedOpError(
            layer.name, expected="concatenation along the channels (axis 3)", got=f"axis {layer.get_attr('axis')}"
        )
    name, inputs, output = reader.place(layer)
    qtype = reader.source(layer).qtype
    _same_type(layer, qtype)
    reader.add(layer, Concat(name, (inputs[0], inputs[1]), output), _shape(layer), qtype)


def _read_activation(reader: _Reader, layer: Any) -> None:
    name, inputs, output = reader.place(layer)
    source = reader.source(layer)
    qtype = _activation_type(layer, (source.qtype.qmin, source.qtype.qmax), source.qtype.frac)
    if qtype == source.qtype and layer.get_attr(NODE_ATTRIBUTE) is None:
        reader.names[layer.outputs[0]] = source.name
        return
    reader.add(layer, Requant(name, (inputs[0],), output), _shape(layer), qtype)


def _activation_type(layer: Any, source_range: tuple[int, int], frac: int) -> QType:
    """Return the output type of a linear activation or a rectifier."""
    activation = _activation(layer)
    if activation == "linear":
        return check_requantisation(layer.name, source_range, frac, _result(layer))
    if activation != "relu":
        raise UnsupportedOpError(
            layer.name,
            expected="an activation linear or relu",
            got=activation,
            hint="End the model at the logits, or use the layer QunSigmoid.",
        )
    positive = (max(source_range[0], 0), max(source_range[1], 0))
    qtype = check_requantisation(layer.name, positive, frac, _result(layer))
    # Where the result is signed, its sign bit is always 0.
    return QType(qtype.bits - 1, signed=False, frac=qtype.frac) if qtype.signed else qtype


def _read_transpose(reader: _Reader, layer: Any) -> None:
    """Leave out a transposition at the model's edge that keeps the order of the values (one channel)."""
    source, shape = reader.source(layer), _shape(layer)
    order = [axis for axis in layer.get_attr("perm") if source.shape[axis] != 1]
    unread = source.name in reader.inputs and not any(source.name in node.inputs for node in reader.nodes)
    if order != sorted(order) or not (unread or layer.outputs[0] in reader.model.outputs):
        raise UnsupportedOpError(
            layer.name,
            expected="tensors with the channels last",
            got=f"a transposition of {source.shape} to {shape}",
            hint="Convert with qonnx's ConvertToChannelsLastAndClean(make_input_channels_last=True).",
        )
    if unread:
        reader.tensors[source.name] = dataclasses.replace(source, shape=shape)
    reader.names[layer.outputs[0]] = source.name


def _read_sigmoid(reader: _Reader, layer: Any) -> None:
    name, inputs, output = reader.place(layer)
    table = layer.weights["table"]
    table_type = qtype_of(name, table.type.precision)
    codes = _codes(name, "table entries", table.data, table_type.frac)
    _check_range(name, "table entries", codes, table_type)
    _same_type(layer, table_type)
    reader.add(layer, Sigmoid(name, (inputs[0],), output, codes), _shape(layer), table_type)


_READERS: Mapping[str, Callable[[_Reader, Any], None]] = {
    "Input": _read_input,
    "Conv2D": _read_conv2d,
    "PointwiseConv2D": _read_conv2d,
    "QunConvTranspose2D": _read_conv_transpose2d,
    "Pooling2D": _read_maxpool2d,
    "Activation": _read_activation,
    "Concatenate": _read_concat,
    "QunSigmoid": _read_sigmoid,
    "Transpose": _read_transpose,
}
