"""A QONNX file becomes an integer graph, or is refused with the reason.

The nodes are walked once, in the file's (topological) order. What a float tensor of the file is at each point, an
integer tensor, an accumulator that waits for its quantizer, or a constant, is one of the small classes below.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import NodeProto, numpy_helper

from quantunet.errors import (
    FileFormatError,
    ModelError,
    ScaleError,
    ShapeError,
    StorageError,
    TypeMismatchError,
    UnsupportedOpError,
)
from quantunet.ir import (
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    MaxPool2d,
    Node,
    QType,
    Requant,
    Shape,
    Sigmoid,
    Tensor,
)
from quantunet.onnx_metadata import read_pixel_scale
from quantunet.pixels import Pixels
from quantunet.qonnx_quant import BIAS_MAX_BITS, QuantNode, attributes, read_quant
from quantunet.sigmoid_table import sigmoid_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Input:
    """The network's input before its quantizer."""

    shape: Shape


@dataclass(frozen=True)
class _Constant:
    """A quantised constant, in ONNX axis order."""

    values: IntArray
    qtype: QType


@dataclass(frozen=True)
class _Integer:
    """An integer tensor of the graph."""

    tensor: Tensor


@dataclass(frozen=True)
class _Pending:
    """A result that waits for its quantizer: it becomes ``make(output_type)``, named ``layer``."""

    layer: str
    shape: Shape
    make: Callable[[str, QType], Node]
    relu: bool = False


_Value = _Input | _Constant | _Integer | _Pending


@dataclass
class _Importer:
    """The state of one import."""

    name: str
    constants: dict[str, npt.NDArray[np.generic]]
    values: dict[str, _Value]
    tensors: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def value(self, node: NodeProto, index: int) -> _Value:
        name = node.input[index]
        if name in self.constants:
            raise UnsupportedOpError(
                node.name, expected="a quantised constant", got=f"the float constant '{name}'", hint="Add a quantizer."
            )
        if name not in self.values:
            raise ModelError(node.name, expected="an input that an earlier node writes", got=f"'{name}'")
        return self.values[name]

    def integer(self, node: NodeProto, index: int) -> Tensor:
        value = self.value(node, index)
        if not isinstance(value, _Integer):
            raise UnsupportedOpError(
                node.name,
                expected=f"a quantizer in front of input {index}",
                got=f"a {node.op_type} that reads '{node.input[index]}' unquantised",
                hint="Add an activation quantizer.",
            )
        return value.tensor

    def add(self, node: Node, shape: Shape, qtype: QType) -> _Integer:
        tensor = Tensor(node.output, shape, qtype)
        self.tensors.append(tensor)
        self.nodes.append(node)
        return _Integer(tensor)


def _identifier(name: str) -> str:
    """Return a layer name that is a valid identifier."""
    cleaned = re.sub(r"\W+", "_", name).strip("_")
    return cleaned if cleaned[:1].isalpha() else f"n{cleaned}"


def _expect(node: NodeProto, values: dict[str, object], name: str, default: object, allowed: object) -> None:
    got = values.get(name, default)
    if got != allowed:
        raise UnsupportedOpError(node.name, expected=f"{name} = {allowed}", got=f"{node.op_type} with {name} = {got}")


def _quant(state: _Importer, node: NodeProto) -> _Value:
    source = node.input[0]
    if source in state.constants:
        quant = read_quant(node, state.constants, BIAS_MAX_BITS)
        return _Constant(quant.integers(state.constants[source]), quant.qtype)
    quant = read_quant(node, state.constants)
    if quant.narrow:
        raise UnsupportedOpError(node.name, expected="narrow = 0 on an activation", got="narrow = 1")
    value = state.value(node, 0)
    if isinstance(value, _Input):
        tensor = Tensor("image", value.shape, quant.qtype)
        state.tensors.append(tensor)
        return _Integer(tensor)
    if isinstance(value, _Integer):
        return _requant(state, node, value, quant)
    if isinstance(value, _Pending):
        if value.relu and quant.qtype.signed:
            raise UnsupportedOpError(
                node.name,
                expected="an unsigned quantizer after the ReLU",
                got="a signed one",
                hint="Use an unsigned activation quantizer (for example Uint8ActPerTensorFixedPoint).",
            )
        return state.add(value.make(f"{value.layer}_out", quant.qtype), value.shape, quant.qtype)
    return value


def _requant(state: _Importer, node: NodeProto, value: _Integer, quant: QuantNode) -> _Integer:
    if value.tensor.qtype == quant.qtype:
        return value
    layer = _identifier(node.name)
    return state.add(Requant(layer, (value.tensor.name,), f"{layer}_out"), value.tensor.shape, quant.qtype)


def _constant_input(state: _Importer, node: NodeProto, index: int, what: str) -> _Constant:
    value = state.value(node, index)
    if not isinstance(value, _Constant):
        raise UnsupportedOpError(node.name, expected=f"constant quantised {what}", got=f"'{node.input[index]}'")
    return value


def _bias(state: _Importer, node: NodeProto, channels: int, frac: int) -> IntArray:
    if len(node.input) < 3 or not node.input[2]:
        return IntArray.of(np.zeros(channels, dtype=np.int64))
    bias = _constant_input(state, node, 2, "bias")
    shift = frac - bias.qtype.frac
    if shift < 0:
        raise ScaleError(
            node.name,
            expected=f"a bias scale of at least 2**-{frac} (weight scale x input scale)",
            got=f"2**-{bias.qtype.frac}",
            hint="Quantise the bias at the accumulator's scale (for example Int32Bias).",
        )
    return IntArray.of(bias.values.array.reshape(-1) << shift)


def _conv(state: _Importer, node: NodeProto) -> _Value:
    source = state.integer(node, 0)
    weight = _constant_input(state, node, 1, "weights")
    values = attributes(node)
    kernel = list(weight.values.shape[2:])
    _expect(node, values, "auto_pad", "NOTSET", "NOTSET")
    _expect(node, values, "group", 1, 1)
    _expect(node, values, "dilations", [1, 1], [1, 1])
    _expect(node, values, "strides", [1, 1], [1, 1])
    if kernel not in ([1, 1], [3, 3]):
        raise UnsupportedOpError(node.name, expected="a kernel of 3x3 or 1x1", got=f"kernel {kernel}")
    margin = kernel[0] // 2
    _expect(node, values, "pads", [0] * 4, [margin] * 4)
    return _matrix(state, node, Conv2d, source, weight, weight.values.array.transpose(2, 3, 1, 0), 1)


def _conv_transpose(state: _Importer, node: NodeProto) -> _Value:
    source = state.integer(node, 0)
    weight = _constant_input(state, node, 1, "weights")
    values = attributes(node)
    _expect(node, values, "auto_pad", "NOTSET", "NOTSET")
    _expect(node, values, "group", 1, 1)
    _expect(node, values, "dilations", [1, 1], [1, 1])
    _expect(node, values, "strides", [1, 1], [2, 2])
    _expect(node, values, "pads", [0] * 4, [0] * 4)
    _expect(node, values, "output_padding", [0, 0], [0, 0])
    if list(weight.values.shape[2:]) != [2, 2]:
        raise UnsupportedOpError(node.name, expected="a kernel of 2x2", got=f"kernel {weight.values.shape[2:]}")
    return _matrix(state, node, ConvTranspose2d, source, weight, weight.values.array.transpose(2, 3, 0, 1), 2)


def _matrix(
    state: _Importer,
    node: NodeProto,
    kind: type[Conv2d] | type[ConvTranspose2d],
    source: Tensor,
    weight: _Constant,
    values: npt.NDArray[np.int64],
    stride: int,
) -> _Value:
    layer = _identifier(node.name)
    channels_in, channels_out = values.shape[2:]
    if channels_in != source.shape[2]:
        raise ShapeError(node.name, expected=f"weights for {source.shape[2]} input channels", got=str(channels_in))
    bias = _bias(state, node, channels_out, weight.qtype.frac + source.qtype.frac)
    if bias.shape != (channels_out,):
        raise ShapeError(node.name, expected=f"a bias of {channels_out} values", got=str(bias.shape))

    def make(output: str, qtype: QType) -> Node:
        return kind(layer, (source.name,), output, IntArray.of(values), weight.qtype, bias)

    return _Pending(layer, (source.shape[0] * stride, source.shape[1] * stride, channels_out), make)


def _relu(state: _Importer, node: NodeProto) -> _Value:
    value = state.value(node, 0)
    if isinstance(value, _Pending):
        return replace(value, relu=True)
    if isinstance(value, _Integer) and not value.tensor.qtype.signed:
        return value
    raise UnsupportedOpError(
        node.name,
        expected="a ReLU between a convolution and its unsigned quantizer",
        got=f"a ReLU on '{node.input[0]}'",
        hint="Remove the quantizer between the convolution and the ReLU.",
    )


def _maxpool(state: _Importer, node: NodeProto) -> _Value:
    source = state.integer(node, 0)
    values = attributes(node)
    _expect(node, values, "auto_pad", "NOTSET", "NOTSET")
    _expect(node, values, "kernel_shape", None, [2, 2])
    _expect(node, values, "strides", [1, 1], [2, 2])
    _expect(node, values, "pads", [0] * 4, [0] * 4)
    _expect(node, values, "dilations", [1, 1], [1, 1])
    _expect(node, values, "ceil_mode", 0, 0)
    height, width, channels = source.shape
    if height % 2 or width % 2:
        raise ShapeError(
            node.name,
            expected="an even height and width to halve",
            got=f"{height}x{width}",
            hint="Choose an input size that is divisible by 2**depth.",
        )
    layer = _identifier(node.name)
    shape = (height // 2, width // 2, channels)
    return state.add(MaxPool2d(layer, (source.name,), f"{layer}_out"), shape, source.qtype)


def _concat(state: _Importer, node: NodeProto) -> _Value:
    if len(node.input) != 2:
        raise UnsupportedOpError(node.name, expected="a concatenation of two tensors", got=f"{len(node.input)}")
    _expect(node, attributes(node), "axis", None, 1)
    skip, up = state.integer(node, 0), state.integer(node, 1)
    if skip.qtype != up.qtype:
        raise TypeMismatchError(
            node.name,
            expected="one type for both legs",
            got=f"{skip.qtype} ('{skip.name}') and {up.qtype} ('{up.name}')",
            hint="Share one quantizer between the legs.",
        )
    layer = _identifier(node.name)
    shape = (*up.shape[:2], skip.shape[2] + up.shape[2])
    return state.add(Concat(layer, (skip.name, up.name), f"{layer}_out"), shape, up.qtype)


def _sigmoid(state: _Importer, node: NodeProto) -> _Value:
    source = state.integer(node, 0)
    layer = _identifier(node.name)

    def make(output: str, qtype: QType) -> Node:
        return Sigmoid(layer, (source.name,), output, sigmoid_table(source.qtype, qtype))

    return _Pending(layer, source.shape, make)


def _identity(state: _Importer, node: NodeProto) -> _Value:
    return state.value(node, 0)


_HANDLERS: dict[str, Callable[[_Importer, NodeProto], _Value]] = {
    "Quant": _quant,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Relu": _relu,
    "MaxPool": _maxpool,
    "Concat": _concat,
    "Sigmoid": _sigmoid,
    "Identity": _identity,
}


def _read(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise StorageError(str(path), expected="a QONNX file", got="no such file", hint="Check the path.")
    try:
        model = onnx.load(str(path))
    except (DecodeError, ValueError, OSError) as error:
        raise FileFormatError(
            str(path), expected="a whole QONNX file", got=str(error), hint="Export or copy it again."
        ) from error
    if not model.graph.node or len(model.graph.output) != 1:
        raise FileFormatError(
            str(path),
            expected="a QONNX network with one output",
            got=f"{len(model.graph.node)} nodes and {len(model.graph.output)} outputs",
            hint="Export or copy it again.",
        )
    # The list of operator sets stands last in the file: without it the file was cut off.
    missing = {node.domain for node in model.graph.node} - {opset.domain for opset in model.opset_import}
    if missing:
        raise FileFormatError(
            str(path),
            expected="a version for every operator set that is used",
            got=f"none for {', '.join(sorted(name or 'ai.onnx' for name in missing))}",
            hint="Export or copy it again.",
        )
    return model


def _constants(path: Path, model: onnx.ModelProto) -> dict[str, npt.NDArray[np.generic]]:
    try:
        constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    except (ValueError, TypeError, OSError) as error:
        raise FileFormatError(
            str(path), expected="whole constants", got=str(error), hint="Export or copy it again."
        ) from error
    for node in model.graph.node:
        if node.op_type == "Constant":
            value = attributes(node).get("value")
            if not isinstance(value, onnx.TensorProto):
                raise UnsupportedOpError(
                    node.name or node.output[0], expected="a Constant that holds a tensor", got="another kind of value"
                )
            constants[node.output[0]] = numpy_helper.to_array(value)
    return constants


def _input_value(
    path: Path, model: onnx.ModelProto, constants: dict[str, npt.NDArray[np.generic]]
) -> tuple[str, _Input]:
    inputs = [item for item in model.graph.input if item.name not in constants]
    if len(inputs) != 1:
        raise ModelError(str(path), expected="one input", got=", ".join(item.name for item in inputs) or "none")
    dims = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
    if len(dims) != 4 or min(dims[1:]) < 1 or dims[0] > 1:
        raise ShapeError(
            inputs[0].name,
            expected="an input of fixed shape (1, channels, height, width)",
            got=str(tuple(dims)),
            hint="Export with one image of the final size.",
        )
    return inputs[0].name, _Input((dims[2], dims[3], dims[1]))


def load(path: Path | str) -> Graph:
    """Read a QONNX file into the integer graph.

    Args:
        path: The file; its stem becomes the network's name.

    Returns:
        A graph that :meth:`Graph.check` has passed.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is truncated or not ONNX.
        PixelScaleError: Its metadata say nonsense about what a byte means.
        ModelError: Or a subclass: something that integers with power-of-two scales cannot represent exactly, with the
            name of the layer.
    """
    path = Path(path)
    model = _read(path)
    constants = _constants(path, model)
    input_name, input_value = _input_value(path, model, constants)
    state = _Importer(_identifier(path.stem), constants, {input_name: input_value})
    for node in model.graph.node:
        if node.op_type == "Constant":
            continue
        if node.op_type not in _HANDLERS:
            raise UnsupportedOpError(
                node.name or node.op_type,
                expected=f"one of {', '.join(_HANDLERS)}",
                got=node.op_type,
                hint="Remove the operation, or run qonnx's cleanup on the file.",
            )
        state.values[node.output[0]] = _HANDLERS[node.op_type](state, node)
    output = state.values.get(model.graph.output[0].name)
    if not isinstance(output, _Integer):
        raise UnsupportedOpError(
            model.graph.output[0].name,
            expected="a quantised output",
            got="an output without a quantizer",
            hint="Put a quantizer behind the last layer (for the sigmoid: unsigned, 8 bits, scale 2**-8).",
        )
    pixels = Pixels(read_pixel_scale(model))
    graph = Graph(state.name, ("image",), output.tensor.name, tuple(state.tensors), tuple(state.nodes), pixels).check()
    logger.info("%s: %d layers", path, len(graph.nodes))
    return graph
