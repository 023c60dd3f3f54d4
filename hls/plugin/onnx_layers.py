"""What the layers mean that this package's part of hls4ml's ONNX front end writes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hls4ml.model.types import UnspecifiedPrecisionType

from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.reading import Reader, result
from quantunet.hls.plugin.weights import held, rounded
from quantunet.ir import Array, ConvTranspose2d, IntArray, QType
from quantunet.onnx_file import Op
from quantunet.onnx_windows import resizing, transpose_window
from quantunet.values import AnyValue, Form, Place


def read_onnx_conv_transpose(reader: Reader, layer: Any, place: Place) -> None:
    """Read ``ConvTranspose``, whose weights are ``(channels in, channels out, rows, columns)``."""
    if layer.inputs[0] not in reader.channels_first:
        raise UnsupportedOpError(
            layer.name, expected="a tensor with the channels first", got="the order of the input",
            hint="Convert the file with qonnx' ConvertToChannelsLastAndClean(make_input_channels_last=True).",
        )  # fmt: skip
    codes, qtype = _constant(reader, layer, "weight")
    signal = codes.ndim == 3
    weight = (codes[:, :, np.newaxis] if signal else codes).transpose(2, 3, 0, 1)
    source = reader.source(layer)
    rank = 1 if signal else 2
    window = transpose_window(_op(reader, layer), rank, source.shape[2 - rank : 2], weight.shape[:2])
    form = Form.of(qtype if qtype.signed else QType(qtype.bits + 1, True, qtype.frac))
    bias = None
    if layer.get_attr("bias_constant") is not None:
        bias = held(*_constant(reader, layer, "bias"))
    value = reader.builder.matrix(place, ConvTranspose2d, source, IntArray.of(weight), form, bias, window)
    _keep(reader, layer, place, value)


def read_onnx_resize(reader: Reader, layer: Any, place: Place) -> None:
    """Read ``Resize``."""
    source, factors = reader.source(layer), [Fraction(factor) for factor in layer.get_attr("factors")]
    if layer.outputs[0] in reader.channels_first:
        factors = [*factors[1:], factors[0]]
    height, width, channels = [Fraction(1)] * (3 - len(factors)) + factors
    if channels != 1:
        raise UnsupportedOpError(layer.name, expected="height and width to be resized", got="channels")
    whole, nearest = resizing(_op(reader, layer), (height, width), source.shape[:2])
    resized = reader.builder.nearest if nearest else reader.builder.bilinear
    _keep(reader, layer, place, resized(place, source, whole))


def _op(reader: Reader, layer: Any) -> Op:
    """Return the layer's node of the file."""
    node = reader.original.known(layer)
    return Op(node, layer.name, 0, node.op_type)


def _constant(reader: Reader, layer: Any, name: str) -> tuple[Array, QType]:
    """Return a constant as integers of its quantizer's type, or of the type that hls4ml gives to what has none."""
    constant = layer.get_attr(f"{name}_constant")
    precision = constant.get_output_variable().type.precision
    if isinstance(precision, UnspecifiedPrecisionType):
        config = reader.model.config
        precision = config.backend.convert_precision_string(config.model_precision["default"])
    return rounded(reader, layer, constant.get_attr("value"), precision, {"bias": "biases"}.get(name, "weights"))


def _keep(reader: Reader, layer: Any, place: Place, value: AnyValue) -> None:
    """Keep a result: exactly, where its type is the one that hls4ml gives to what nobody has chosen."""
    reader.keep(layer, place, value, exact=str(result(layer)) in reader.defaults)
