"""From an hls4ml ModelGraph back to the integer graph; what cannot be represented exactly is refused.

The graph is one that the ``QuantUNet`` backend has prepared: no layers inserted for C++ streams. Layers that came from
:mod:`quantunet.hls.csim.lower` keep their names, each as a layer of its own: the round trip gives an equal graph.
Other graphs go through the same normalisation as QONNX files (:mod:`quantunet.normalise`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import bits_for
from quantunet.errors import ModelError, ScaleError, ShapeError, UnsupportedOpError, WidthError
from quantunet.hls.csim.lower.layer import GRAPH_KEY, NODE_ATTRIBUTE, TENSOR_ATTRIBUTE
from quantunet.hls.csim.lower.names import unique_names
from quantunet.hls.plugin.original import Original
from quantunet.hls.plugin.precision import holds, qtype_of, rule_of
from quantunet.identifiers import identifier
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, IntArray, QType, Shape, Tensor
from quantunet.normalise import AnyValue, Builder, Place, SumSource


def from_model_graph(model: Any) -> Graph:
    """Return the integer graph of an hls4ml ModelGraph.

    Args:
        model: A ``ModelGraph`` of the backend ``QuantUNet``.

    Returns:
        The checked graph.

    Raises:
        UnsupportedOpError: A layer, attribute, rounding or saturation that the hardware does not have, or an attribute
            that hls4ml does not pass on.
        ScaleError: Weights or a bias that their precision, or the accumulator, does not hold exactly.
        WidthError: An accumulator that may overflow, or a width outside the supported range.
        ModelError: Anything else that makes the graph illegal.
    """
    return _Reader(model).graph()


class _Reader:
    """Reads the layers in order; what each variable holds is a value of the builder."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.builder = Builder()
        self.values: dict[str, AnyValue] = {}
        self.unread: dict[str, Tensor] = {}
        self.original = Original(model.config.config)
        self.own = model.config.config.get(GRAPH_KEY) is not None
        self.names = self._names()

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
        cleaned = unique_names(identifier(name) for name in foreign)
        return {**names, **dict(zip(foreign, cleaned, strict=True))}

    def graph(self) -> Graph:
        if len(self.model.outputs) != 1:
            raise ModelError(
                "model", expected="one output", got=str(len(self.model.outputs)), hint="Cut the model into parts."
            )
        if len(self.model.inputs) != 1 and not self.own:
            raise ModelError(
                "model", expected="one input", got=", ".join(self.model.inputs),
                hint="The hardware takes one image; join the inputs into the channels of one.",
            )  # fmt: skip
        for order, layer in enumerate(self.model.get_layers()):
            read = _READERS.get(layer.class_name)
            if read is None:
                raise UnsupportedOpError(
                    layer.name,
                    expected=f"one of the layers {', '.join(sorted(_READERS))}",
                    got=layer.class_name,
                    hint="Remove the layer, or compute it outside.",
                )
            read(self, layer, self.place(layer, order))
        name = self.model.config.config.get(GRAPH_KEY) or identifier(self.model.config.get_project_name())
        variable = self.model.outputs[0]
        for each in list(self.unread):
            self.source_of(each)
        return self.builder.graph(name, self.values[variable], Place(self.names[variable], len(self.values), ""))

    def place(self, layer: Any, order: int) -> Place:
        """Return the name, the place and the output of a layer's node."""
        name = layer.get_attr(NODE_ATTRIBUTE) or identifier(layer.name)
        return Place(name, order, self.names[layer.outputs[0]])

    def source(self, layer: Any, index: int = 0) -> AnyValue:
        """Return what a layer reads."""
        return self.source_of(layer.inputs[index])

    def source_of(self, variable: str) -> AnyValue:
        """Return the value of a variable; an input becomes a tensor of the graph when it is first read."""
        if variable in self.unread:
            self.values[variable] = self.builder.input_tensor(self.unread.pop(variable))
        return self.values[variable]

    def keep(self, layer: Any, place: Place, value: AnyValue) -> None:
        """Remember what a layer returns, behind the conversion to its result type.

        A layer of the project's own graphs becomes a layer again; so does one that several others read.
        """
        value = self.builder.quantise(place, value, rule_of(layer.name, _result(layer)))
        shape = tuple(int(size) for size in layer.get_output_variable().shape)
        if shape != value.shape:
            raise ShapeError(layer.name, expected=f"a result of shape {value.shape}", got=str(shape))
        variable = layer.outputs[0]
        if layer.get_attr(NODE_ATTRIBUTE) is not None:
            value = self.builder.ready(self.builder.tensor(value, place), place)
        elif len(layer.get_output_nodes()) + (variable in self.model.outputs) > 1:
            value = self.builder.settle(value)
        self.values[variable] = value


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
    """Check attributes; one that is missing is unknown, and not right."""
    for key, value in expected.items():
        got = layer.get_attr(key)
        if got != value:
            unknown = "nothing: hls4ml does not pass it on"
            raise UnsupportedOpError(layer.name, expected=f"{key} = {value}", got=unknown if got is None else str(got))


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


def _read_input(reader: _Reader, layer: Any, place: Place) -> None:
    reader.unread[layer.outputs[0]] = Tensor(place.output, _shape(layer), qtype_of(layer.name, _result(layer)))


def _read_conv2d(reader: _Reader, layer: Any, place: Place) -> None:
    height, width = int(layer.get_attr("filt_height")), int(layer.get_attr("filt_width"))
    padding = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), height // 2)
    strides = {"stride_height": 1, "stride_width": 1}
    _expect(layer, {"data_format": "channels_last", "filt_width": height, **strides, **padding})
    if layer.get_attr(NODE_ATTRIBUTE) is None:
        reader.original.check_window(layer, (height, width))
    _read_matrix(reader, layer, place, Conv2d)


def _read_conv_transpose2d(reader: _Reader, layer: Any, place: Place) -> None:
    _read_matrix(reader, layer, place, ConvTranspose2d)


def _read_matrix(reader: _Reader, layer: Any, place: Place, kind: type[Conv2d] | type[ConvTranspose2d]) -> None:
    name = place.name
    source = reader.builder.tensor(reader.source(layer), place)
    weights, biases = layer.weights["weight"], layer.weights["bias"]
    weight_type = qtype_of(name, weights.type.precision)
    weight = _codes(name, "weights", weights.data, weight_type.frac)
    _check_range(name, "weights", weight, weight_type)
    if not weight_type.signed:
        weight_type = QType(weight_type.bits + 1, signed=True, frac=weight_type.frac)
    _codes(name, "biases", biases.data, weight_type.frac + source.qtype.frac)
    bias_type = qtype_of(name, biases.type.precision)
    _check_range(name, "biases", _codes(name, "biases", biases.data, bias_type.frac), bias_type)
    bias = np.asarray(biases.data, dtype=np.float64).reshape(-1)
    value = reader.builder.matrix(place, kind, reader.builder.ready(source, place), weight, weight_type, bias)
    assert isinstance(value.source, SumSource)
    _check_accumulator(layer, value.source)
    reader.keep(layer, place, value)


def _check_accumulator(layer: Any, sums: SumSource) -> None:
    """Check that the C++ accumulator holds every reachable sum; it may wrap in between."""
    got = qtype_of(layer.name, layer.get_attr("accum_t").precision)
    exact = QType(bits_for(*sums.reach), signed=True, frac=sums.frac)
    if not holds(got, sums.reach, sums.frac):
        raise WidthError(
            layer.name,
            expected=f"an accumulator that holds {exact} (signed, bits.fraction)",
            got=str(got),
            hint="Widen the layer's accum precision.",
        )


def _read_maxpool2d(reader: _Reader, layer: Any, place: Place) -> None:
    sizes = dict.fromkeys(("pool_height", "pool_width", "stride_height", "stride_width"), 2)
    padding = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), 0)
    _expect(layer, {"data_format": "channels_last", "pool_op": "Max", **sizes, **padding})
    if reader.original.of(layer) is not None:
        reader.original.check_window(layer, (2, 2))
    reader.keep(layer, place, reader.builder.maxpool(place, reader.source(layer)))


def _read_concat(reader: _Reader, layer: Any, place: Place) -> None:
    if layer.get_attr("axis") not in (3, -1):
        raise UnsupportedOpError(
            layer.name, expected="concatenation along the channels (axis 3)", got=f"axis {layer.get_attr('axis')}"
        )
    legs = [reader.source(layer, index) for index in range(len(layer.inputs))]
    reader.keep(layer, place, reader.builder.concat(place, legs))


def _read_merge(reader: _Reader, layer: Any, place: Place) -> None:
    """Read a sum of two tensors."""
    operation = str(layer.get_attr("op")).lower()
    if operation != "add" or len(layer.inputs) != 2:
        raise UnsupportedOpError(layer.name, expected="a sum of two tensors", got=f"{operation} of {len(layer.inputs)}")
    reader.keep(layer, place, reader.builder.add(place, reader.source(layer), reader.source(layer, 1)))


def _read_activation(reader: _Reader, layer: Any, place: Place) -> None:
    source = reader.source(layer)
    activation = _activation(layer)
    if layer.get_attr(NODE_ATTRIBUTE) is not None:
        reader.values[layer.outputs[0]] = reader.builder.requant(place, source, qtype_of(place.name, _result(layer)))
        return
    if activation == "relu":
        limit = reader.original.relu_limit(layer)
        source = reader.builder.clip(place, source, Fraction(0), None if limit is None else Fraction(limit))
    elif activation != "linear":
        raise UnsupportedOpError(
            layer.name,
            expected="an activation linear or relu",
            got=activation,
            hint="End the model at the logits, or use the layer QunLookup.",
        )
    reader.keep(layer, place, source)


def _read_parametrized(reader: _Reader, layer: Any, place: Place) -> None:
    """A leaky or thresholded ReLU whose parameter is 0: what Keras' layer ``ReLU`` becomes."""
    kind, parameter = layer.get_attr("activation"), layer.get_attr("activ_param")
    if str(kind).lower() not in ("thresholdedrelu", "leakyrelu", "relu") or parameter is None or float(parameter) != 0:
        raise UnsupportedOpError(
            layer.name, expected="an activation linear or relu", got=f"{kind} with the parameter {parameter}"
        )
    limit = reader.original.relu_limit(layer)
    high = None if limit is None else Fraction(limit)
    reader.keep(layer, place, reader.builder.clip(place, reader.source(layer), Fraction(0), high))


def _read_transpose(reader: _Reader, layer: Any, place: Place) -> None:
    """Leave out a transposition at the model's edge: it says in which order values lie, and changes none."""
    variable, target = layer.inputs[0], layer.outputs[0]
    perm = list(layer.get_attr("perm"))
    at_input = variable in reader.unread
    shape = reader.unread[variable].shape if at_input else reader.source(layer).shape
    order = [axis for axis in perm if shape[axis] != 1]
    edge = (at_input and perm == [1, 2, 0]) or (target in reader.model.outputs and perm == [2, 0, 1])
    if not edge and (order != sorted(order) or not (at_input or target in reader.model.outputs)):
        raise UnsupportedOpError(
            layer.name,
            expected="tensors with the channels last",
            got=f"a transposition of {shape} to {_shape(layer)}",
            hint="Leave it out, or put it at the model's input or output.",
        )
    if at_input:
        reader.unread[variable] = dataclasses.replace(reader.unread[variable], shape=_shape(layer))
    reader.values[target] = reader.source(layer)


def _read_lookup(reader: _Reader, layer: Any, place: Place) -> None:
    table = layer.weights["table"]
    table_type = qtype_of(place.name, table.type.precision)
    codes = _codes(place.name, "table entries", table.data, table_type.frac)
    _check_range(place.name, "table entries", codes, table_type)
    got = qtype_of(layer.name, _result(layer))
    if got != table_type:
        raise UnsupportedOpError(layer.name, expected=f"a result of the table's type {table_type}", got=str(got))
    reader.values[layer.outputs[0]] = reader.builder.table(
        place, reader.source(layer), codes, table_type, probability=bool(layer.get_attr("probability"))
    )


_READERS: Mapping[str, Callable[[_Reader, Any, Place], None]] = {
    "Input": _read_input,
    "Conv2D": _read_conv2d,
    "PointwiseConv2D": _read_conv2d,
    "QunConvTranspose2D": _read_conv_transpose2d,
    "Pooling2D": _read_maxpool2d,
    "Activation": _read_activation,
    "ParametrizedActivation": _read_parametrized,
    "Concatenate": _read_concat,
    "Merge": _read_merge,
    "QunLookup": _read_lookup,
    "Transpose": _read_transpose,
}
