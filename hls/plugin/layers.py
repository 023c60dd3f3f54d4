"""What each hls4ml layer means, as calls of the normalisation: one function a layer class."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from quantunet import functions
from quantunet.accumulator import bits_for
from quantunet.curve_tables import MAX_TABLE_BITS
from quantunet.errors import ScaleError, ShapeError, UnsupportedOpError, WidthError
from quantunet.hls.csim.lower.layer import NODE_ATTRIBUTE
from quantunet.hls.plugin.precision import holds, qtype_of, rule_of
from quantunet.hls.plugin.reading import Reader, result, shape_of
from quantunet.ir import Array, Conv2d, ConvTranspose2d, IntArray, Pair, QType, Sides, Tensor
from quantunet.values import AnyValue, Form, Place, Rule, SumSource, Value, frac_of
from quantunet.window_layers import Window

logger = logging.getLogger(__name__)

Read = Callable[[Reader, Any, Place], None]


def _expect(layer: Any, expected: Mapping[str, object]) -> None:
    """Check attributes; one that is missing is unknown, and not right."""
    for key, value in expected.items():
        got = layer.get_attr(key)
        if got != value:
            unknown = "nothing: hls4ml does not pass it on"
            raise UnsupportedOpError(layer.name, expected=f"{key} = {value}", got=unknown if got is None else str(got))


def _number(layer: Any, key: str) -> int:
    got = layer.get_attr(key)
    if got is None:
        raise UnsupportedOpError(layer.name, expected=f"the attribute {key}", got="nothing: hls4ml does not pass it on")
    return int(got)


def _pair(layer: Any, prefix: str, signal: bool) -> Pair:
    """Return an attribute of rows and columns; a signal has one row."""
    return (1 if signal else _number(layer, f"{prefix}_height")), _number(layer, f"{prefix}_width")


def _pads(layer: Any, signal: bool) -> Sides:
    if signal:
        return 0, _number(layer, "pad_left"), 0, _number(layer, "pad_right")
    top, left, bottom, right = (_number(layer, f"pad_{side}") for side in ("top", "left", "bottom", "right"))
    return top, left, bottom, right


def _is_signal(layer: Any) -> bool:
    return layer.get_attr("filt_height") is None and layer.get_attr("pool_height") is None


def integers(reader: Reader, layer: Any, name: str, what: str) -> tuple[Array, QType]:
    """Return weights as integers of the type that the layer declares for them.

    Real weights are rounded to it as the type says, which is what every backend of hls4ml does; those of the project's
    own graphs have to be exact.

    Raises:
        ScaleError: Weights of an own graph that are not exact.
    """
    weights = layer.weights[name]
    rule = rule_of(layer.name, weights.type.precision)
    qtype = qtype_of(layer.name, weights.type.precision)
    data = np.asarray(weights.data, dtype=np.float64)
    scaled = np.ldexp(data, qtype.frac)
    codes = np.rint(scaled)
    exact = codes == scaled
    codes = np.clip(codes, -(2.0**62), 2.0**62).astype(np.int64)
    if not exact.all():
        if layer.get_attr(NODE_ATTRIBUTE) is not None:
            raise ScaleError(
                layer.name,
                expected=f"{what} that are multiples of 2**{-qtype.frac}",
                got=f"{float(data.ravel()[int(np.argmin(exact))])!r}",
                hint="Quantise them with a power-of-two scale that the layer's precision holds.",
            )
        for place in zip(*np.nonzero(~exact), strict=True):
            codes[place] = rule.rounding(Fraction(float(data[place])) / rule.step)
    low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
    if low < rule.low or high > rule.high:
        if layer.get_attr(NODE_ATTRIBUTE) is not None:
            raise WidthError(layer.name, expected=f"{what} in {rule.low}..{rule.high} ({qtype})", got=f"{low}..{high}")
        codes = _limited(codes, qtype, rule.low, rule.high, wraps=rule.wraps)
    if not exact.all() or low < rule.low or high > rule.high:
        reader.rounded.setdefault(f"{what} to {weights.type.precision}", []).append(layer.name)
    return codes, qtype


def _limited(codes: Array, qtype: QType, low: int, high: int, *, wraps: bool) -> Array:
    if not wraps:
        return np.clip(codes, low, high)
    span = np.int64(1 << qtype.bits)
    return np.asarray((codes - qtype.qmin) % span + qtype.qmin)


def _reals(reader: Reader, layer: Any, name: str, what: str) -> list[Fraction]:
    codes, qtype = integers(reader, layer, name, what)
    step = Fraction(2) ** -qtype.frac
    return [int(code) * step for code in codes.reshape(-1).tolist()]


def read_input(reader: Reader, layer: Any, place: Place) -> None:
    """Read an input: a tensor of its declared type."""
    reader.unread[layer.outputs[0]] = Tensor(place.output, shape_of(layer), qtype_of(layer.name, result(layer)))


def read_conv(reader: Reader, layer: Any, place: Place) -> None:
    """Read a convolution, of images or signals."""
    signal = _is_signal(layer)
    kernel, stride, pads = _pair(layer, "filt", signal), _pair(layer, "stride", signal), _pads(layer, signal)
    _expect(layer, {"data_format": "channels_last"})
    dilation, groups = (1, 1), 1
    if layer.get_attr(NODE_ATTRIBUTE) is None:
        dilation, groups = reader.original.window(layer, kernel)
    codes, qtype = integers(reader, layer, "weight", "weights")
    channels_in, channels_out = _number(layer, "n_chan"), _number(layer, "n_filt")
    weight = codes.reshape(*kernel, channels_in // groups, channels_out)
    if groups == 1:
        pads = _dilated(layer, kernel, stride, dilation, pads, signal)
    _matrix(reader, layer, place, Conv2d, weight, qtype, Window(stride, dilation, pads, groups))


def _dilated(layer: Any, kernel: Pair, stride: Pair, dilation: Pair, pads: Sides, signal: bool) -> Sides:
    """Return the padding of a dilated convolution: hls4ml counts it as if there were no dilation."""
    if dilation == (1, 1) or not any(pads):
        return pads
    heights = (1 if signal else _number(layer, "in_height")), _number(layer, "in_width")
    rows = []
    for size, taps, step, reach in zip(heights, kernel, stride, dilation, strict=True):
        total = max((-(-size // step) - 1) * step + reach * (taps - 1) + 1 - size, 0)
        rows.append((total // 2, total - total // 2))
    return rows[0][0], rows[1][0], rows[0][1], rows[1][1]


def read_depthwise(reader: Reader, layer: Any, place: Place) -> None:
    """Read a depthwise convolution."""
    signal = _is_signal(layer)
    kernel, stride, pads = _pair(layer, "filt", signal), _pair(layer, "stride", signal), _pads(layer, signal)
    _expect(layer, {"data_format": "channels_last"})
    dilation, _ = reader.original.window(layer, kernel)
    name = "depthwise" if "depthwise" in layer.weights else "weight"
    codes, qtype = integers(reader, layer, name, "weights")
    channels = _number(layer, "n_chan")
    weight = codes.reshape(*kernel, 1, codes.size // (kernel[0] * kernel[1]))
    pads = _dilated(layer, kernel, stride, dilation, pads, signal)
    _matrix(reader, layer, place, Conv2d, weight, qtype, Window(stride, dilation, pads, channels))


def read_conv_transpose(reader: Reader, layer: Any, place: Place) -> None:
    """Read a transpose convolution: 2x2 with stride 2 of the project's own graphs, or of any geometry."""
    codes, qtype = integers(reader, layer, "weight", "weights")
    channels_in, channels_out = _number(layer, "n_chan"), _number(layer, "n_filt")
    kernel, stride, crop = (2, 2), (2, 2), (0, 0, 0, 0)
    if layer.get_attr("filt_width") is not None:
        kernel, stride = _pair(layer, "filt", False), _pair(layer, "stride", False)
        crop = (
            _number(layer, "crop_top"), _number(layer, "crop_left"),
            _number(layer, "crop_bottom"), _number(layer, "crop_right"),
        )  # fmt: skip
    weight = codes.reshape(*kernel, channels_in, channels_out)
    _matrix(reader, layer, place, ConvTranspose2d, weight, qtype, Window(stride, (1, 1), crop))


def read_dense(reader: Reader, layer: Any, place: Place) -> None:
    """Read a dense layer: of a pixel, or of a whole map that was flattened."""
    source = reader.source(layer)
    codes, qtype = integers(reader, layer, "weight", "weights")
    height, width, channels = source.shape
    n_in, n_out = _number(layer, "n_in"), _number(layer, "n_out")
    if n_in == height * width * channels:
        weight = codes.reshape(height, width, channels, n_out)
    elif n_in == channels:
        weight = codes.reshape(1, 1, channels, n_out)
    else:
        raise ShapeError(layer.name, expected=f"{n_in} values", got="x".join(map(str, source.shape)))
    _matrix(reader, layer, place, Conv2d, weight, qtype, Window())


def _matrix(
    reader: Reader,
    layer: Any,
    place: Place,
    kind: type[Conv2d] | type[ConvTranspose2d],
    weight: Array,
    qtype: QType,
    window: Window,
) -> None:
    source = reader.source(layer)
    if layer.get_attr(NODE_ATTRIBUTE) is not None:
        source = reader.builder.ready(reader.builder.tensor(source, place), place)
    form = Form.of(qtype if qtype.signed else QType(qtype.bits + 1, True, qtype.frac))
    bias = _reals(reader, layer, "bias", "biases")
    value = reader.builder.matrix(place, kind, source, IntArray.of(weight), form, bias, window)
    assert isinstance(value.source, SumSource)
    _check_accumulator(reader, layer, value.source)
    reader.keep(layer, place, value)


def _check_accumulator(reader: Reader, layer: Any, sums: SumSource) -> None:
    """Check that a C++ accumulator that somebody has chosen holds every reachable sum; it may wrap in between.

    The sums of this backend are exact. The type that hls4ml gives to everything that nobody has chosen is no wish.
    """
    precision = layer.get_attr("accum_t").precision
    got, frac = qtype_of(layer.name, precision), frac_of(sums.steps[0])
    assert frac is not None  # hls4ml has no other scales
    if holds(got, sums.reach, frac) or str(precision) in reader.defaults:
        return
    raise WidthError(
        layer.name,
        expected=f"an accumulator that holds {QType(bits_for(*sums.reach), True, frac)} (signed, bits.fraction)",
        got=str(got),
        hint="Widen the layer's accum precision, or leave it out: the sums of this backend are exact.",
    )


def read_pool(reader: Reader, layer: Any, place: Place) -> None:
    """Read a pooling."""
    signal = _is_signal(layer)
    kernel, stride, pads = _pair(layer, "pool", signal), _pair(layer, "stride", signal), _pads(layer, signal)
    _expect(layer, {"data_format": "channels_last"})
    if reader.original.of(layer) is not None:
        dilation, _ = reader.original.window(layer, kernel, grouped=False)
        if any(step > 1 and taps > 1 for step, taps in zip(dilation, kernel, strict=True)):
            raise UnsupportedOpError(layer.name, expected="a pooling without dilation", got=str(dilation))
    operation, source = str(layer.get_attr("pool_op")).lower(), reader.source(layer)
    if operation == "max":
        reader.keep(layer, place, reader.builder.maxpool(place, source, kernel, stride, pads))
    elif operation == "average" and not any(pads):
        reader.keep(layer, place, reader.builder.average(place, source, kernel, stride))
    else:
        raise UnsupportedOpError(
            layer.name, expected="a maximum, or an average without padding", got=f"{operation} with pads {pads}",
            hint="Use padding='valid'.",
        )  # fmt: skip


def read_global_pool(reader: Reader, layer: Any, place: Place) -> None:
    """Read a pooling over the whole map."""
    source, operation = reader.source(layer), str(layer.get_attr("pool_op")).lower()
    kernel = source.shape[:2]
    if operation == "max":
        reader.keep(layer, place, reader.builder.maxpool(place, source, kernel, (1, 1)))
    elif operation == "average":
        reader.keep(layer, place, reader.builder.average(place, source, kernel, (1, 1)))
    else:
        raise UnsupportedOpError(layer.name, expected="a maximum or an average", got=operation)


def read_concat(reader: Reader, layer: Any, place: Place) -> None:
    """Read a concatenation along the channels."""
    rank = len(layer.get_output_variable().shape)
    if layer.get_attr("axis") not in (rank, -1):
        raise UnsupportedOpError(
            layer.name,
            expected=f"concatenation along the channels (axis {rank})",
            got=f"axis {layer.get_attr('axis')}",
        )
    legs = [reader.source(layer, index) for index in range(len(layer.inputs))]
    reader.keep(layer, place, reader.builder.concat(place, legs))


def read_merge(reader: Reader, layer: Any, place: Place) -> None:
    """Read an operation on two tensors."""
    operation = str(layer.get_attr("op")).lower()
    if len(layer.inputs) != 2:
        raise UnsupportedOpError(layer.name, expected="two inputs", got=str(len(layer.inputs)))
    first, second, builder = reader.source(layer), reader.source(layer, 1), reader.builder
    value: AnyValue
    if operation in ("add", "subtract", "average"):
        value = builder.add(place, first, second, -1 if operation == "subtract" else 1)
        if operation == "average":
            channels = value.shape[2]
            value = builder.scale(place, operation, value, [Fraction(1, 2)] * channels, [Fraction(0)] * channels)
    elif operation == "multiply":
        value = builder.multiply(place, first, second)
    elif operation == "maximum":
        value = builder.maximum(place, first, second)
    else:
        raise UnsupportedOpError(
            layer.name, expected="add, subtract, multiply, average or maximum of two tensors", got=operation
        )
    reader.keep(layer, place, value)


def read_activation(reader: Reader, layer: Any, place: Place) -> None:
    """Read an activation without parameters."""
    source, builder = reader.source(layer), reader.builder
    activation = str(layer.get_attr("activation")).lower()
    if layer.get_attr(NODE_ATTRIBUTE) is not None:
        reader.values[layer.outputs[0]] = builder.requant(place, source, qtype_of(place.name, result(layer)))
        return
    if activation == "relu":
        limit, slope = reader.original.relu_limit(layer), reader.original.slope(layer)
        if slope:
            source = builder.leaky(place, source, [Fraction(slope)] * source.shape[2])
        high = None if limit is None else Fraction(limit)
        source = builder.clip(place, source, None if slope else Fraction(0), high)
    elif activation == "relu6":
        source = builder.clip(place, source, Fraction(0), Fraction(6))
    elif activation == "sigmoid":
        source = builder.sigmoid(place, _indexed(reader, layer, place, source, 16))
    elif activation == "tanh":
        source = builder.curve(place, _indexed(reader, layer, place, source, 8), math.tanh)
    elif activation in functions.PLAIN:
        source = builder.curve(place, source, functions.PLAIN[activation])
    elif activation == "elu":
        source = builder.curve(place, source, functions.elu(1.0))
    elif activation == "selu":
        source = builder.curve(place, source, functions.selu(1.6732632423543772, 1.0507009873554805))
    elif activation != "linear":
        raise UnsupportedOpError(
            layer.name,
            expected=f"an activation linear, relu, sigmoid, elu, selu, {', '.join(functions.PLAIN)}",
            got=activation,
            hint="End the model at the logits." if activation == "softmax" else "",
        )
    reader.keep(layer, place, source)


def _indexed(reader: Reader, layer: Any, place: Place, source: AnyValue, span: int) -> AnyValue:
    """Return what a function is looked up of: the value itself, or hls4ml's index where it is too wide for a table.

    hls4ml cuts a range of ``span`` around 0 into ``table_size`` steps, rounds down to one of them, and looks up the
    function there, whatever the input's type.
    """
    bits = reader.bits(layer.inputs[0])
    if bits <= MAX_TABLE_BITS:
        return source
    entries = int(layer.get_attr("table_size") or _TABLE_SIZE)
    step = Fraction(span, entries)
    if entries & (entries - 1) or not 2 <= entries <= 1 << MAX_TABLE_BITS:
        raise UnsupportedOpError(
            layer.name, expected=f"a table_size that is a power of two up to {1 << MAX_TABLE_BITS}", got=str(entries)
        )
    width = entries.bit_length() - 1
    logger.info("%s: %d bits are looked up in hls4ml's table of %d entries", layer.name, bits, entries)
    rule = Rule(step, -(entries // 2), entries // 2 - 1, Form(width, True, step), math.floor)
    return reader.builder.quantise(place.part("index"), source, rule)


_TABLE_SIZE = 1024  # hls4ml's default


def read_parametrized(reader: Reader, layer: Any, place: Place) -> None:
    """Read an activation with one parameter: leaky and thresholded ReLU, ELU."""
    kind, parameter = str(layer.get_attr("activation")).lower(), layer.get_attr("activ_param")
    source, builder = reader.source(layer), reader.builder
    number = None if parameter is None else float(parameter)
    value: AnyValue
    if kind in ("leakyrelu", "leaky_relu") and number is not None and number >= 0:
        value = builder.leaky(place, source, [Fraction(number)] * source.shape[2])
    elif kind in ("thresholdedrelu", "relu") and number == 0:
        limit = reader.original.relu_limit(layer)
        value = builder.clip(place, source, Fraction(0), None if limit is None else Fraction(limit))
    elif kind == "elu" and number is not None:
        value = builder.curve(place, source, functions.elu(number))
    else:
        raise UnsupportedOpError(
            layer.name, expected="a leaky ReLU, a ReLU with threshold 0, or an ELU",
            got=f"{layer.get_attr('activation')} with the parameter {parameter}",
        )  # fmt: skip
    reader.keep(layer, place, value)


def read_prelu(reader: Reader, layer: Any, place: Place) -> None:
    """Read a ReLU with a slope of each channel."""
    source = reader.source(layer)
    channels = source.shape[2]
    slopes = _reals(reader, layer, "param", "slopes")
    if len(slopes) % channels or any(slope != slopes[i % channels] for i, slope in enumerate(slopes)):
        raise UnsupportedOpError(
            layer.name, expected="one slope for each channel", got="a slope for each pixel",
            hint="Use PReLU(shared_axes=[1, 2]).",
        )  # fmt: skip
    reader.keep(layer, place, reader.builder.leaky(place, source, slopes[:channels]))


def read_hard_activation(reader: Reader, layer: Any, place: Place) -> None:
    """Read a hard sigmoid, or a hard tanh."""
    slope, shift = (Fraction(float(layer.get_attr(key))) for key in ("slope", "shift"))
    function = functions.hard_sigmoid(slope, shift)
    kind = str(layer.get_attr("activation")).lower()
    if kind not in ("hard_sigmoid", "hard_tanh"):
        raise UnsupportedOpError(layer.name, expected="hard_sigmoid or hard_tanh", got=kind)
    curve = function if kind == "hard_sigmoid" else (lambda x: 2 * Fraction(function(x)) - 1)
    reader.keep(layer, place, reader.builder.curve(place, reader.source(layer), curve))


def read_batch_norm(reader: Reader, layer: Any, place: Place) -> None:
    """Read a BatchNormalization, or the scales of a quantizer: a factor and a summand of each channel."""
    source = reader.source(layer)
    channels = source.shape[2]
    parts = [_reals(reader, layer, name, name) for name in ("scale", "bias")]
    spread = [part * channels if len(part) == 1 else part for part in parts]
    if any(len(part) != channels for part in spread):
        raise ShapeError(layer.name, expected=f"constants of {channels} channels", got=str([len(p) for p in parts]))
    reader.keep(layer, place, reader.builder.scale(place, layer.class_name, source, spread[0], spread[1]))


def read_reshape(reader: Reader, layer: Any, place: Place) -> None:
    """Read a flattening: the order of values stays, and a dense layer behind it reads the whole map."""
    source = reader.source(layer)
    sizes = tuple(int(size) for size in layer.get_output_variable().shape)
    real = [size for size in sizes if size > 1]
    kept = [size for size in source.shape if size > 1]
    if len(real) > 1 and real != kept:
        raise UnsupportedOpError(
            layer.name, expected="a flattening, or axes of size 1", got=f"{source.shape} to {sizes}"
        )
    reader.values[layer.outputs[0]] = source


def read_zero_padding(reader: Reader, layer: Any, place: Place) -> None:
    """Read a padding with zeros."""
    signal = layer.get_attr("pad_top") is None
    reader.keep(layer, place, reader.builder.pad(place, reader.source(layer), _pads(layer, signal)))


def read_cropping(reader: Reader, layer: Any, place: Place) -> None:
    """Read a cropping, of images or signals."""
    signal = layer.get_attr("crop_top") is None
    left, right = _number(layer, "crop_left"), _number(layer, "crop_right")
    top, bottom = (0, 0) if signal else (_number(layer, "crop_top"), _number(layer, "crop_bottom"))
    reader.keep(layer, place, reader.builder.crop(place, reader.source(layer), (top, left, bottom, right)))


def read_resize(reader: Reader, layer: Any, place: Place) -> None:
    """Read a resizing by whole factors."""
    source, target = reader.source(layer), shape_of(layer)
    algorithm = str(layer.get_attr("algorithm")).lower()
    factor = (target[0] // source.shape[0], target[1] // source.shape[1])
    if (source.shape[0] * factor[0], source.shape[1] * factor[1]) != target[:2] or min(factor) < 1:
        raise UnsupportedOpError(layer.name, expected="whole factors", got=f"{source.shape} to {target}")
    if getattr(reader.original.of(layer), "align_corners", None):
        raise UnsupportedOpError(layer.name, expected="align_corners = False", got="True")
    if algorithm == "nearest":
        reader.keep(layer, place, reader.builder.nearest(place, source, factor))
    elif algorithm in ("bilinear", "linear") and max(factor) <= 2:
        reader.keep(layer, place, reader.builder.bilinear(place, source, factor))
    else:
        raise UnsupportedOpError(
            layer.name, expected="nearest, or bilinear to twice the size", got=f"{algorithm} by {factor}"
        )


def read_transpose(reader: Reader, layer: Any, place: Place) -> None:
    """Leave out a transposition at the model's edge: it says in which order values lie, and changes none."""
    variable, target = layer.inputs[0], layer.outputs[0]
    perm = list(layer.get_attr("perm"))
    at_input = variable in reader.unread
    shape = reader.unread[variable].shape if at_input else reader.source(layer).shape
    rank = len(perm)
    order = [axis for axis in perm if shape[3 - rank :][axis] != 1]
    first, last = [*range(1, rank), 0], [rank - 1, *range(rank - 1)]
    edge = (at_input and perm == first) or (target in reader.model.outputs and perm == last)
    if not edge and (order != sorted(order) or not (at_input or target in reader.model.outputs)):
        raise UnsupportedOpError(
            layer.name,
            expected="tensors with the channels last",
            got=f"a transposition of {shape} to {shape_of(layer)}",
            hint="Leave it out, or put it at the model's input or output.",
        )
    if at_input:
        tensor = reader.unread[variable]
        reader.unread[variable] = Tensor(tensor.name, shape_of(layer), tensor.qtype, tensor.unit)
    reader.values[target] = reader.source(layer)


def read_lookup(reader: Reader, layer: Any, place: Place) -> None:
    """Read the project's own table."""
    table = layer.weights["table"]
    table_type = qtype_of(place.name, table.type.precision)
    codes, _ = integers(reader, layer, "table", "table entries")
    got = qtype_of(layer.name, result(layer))
    if got != table_type:
        raise UnsupportedOpError(layer.name, expected=f"a result of the table's type {table_type}", got=str(got))
    value: Value = reader.builder.table(
        place, reader.source(layer), IntArray.of(codes), table_type, probability=bool(layer.get_attr("probability"))
    )
    reader.values[layer.outputs[0]] = value


READERS: Mapping[str, Read] = {
    "Input": read_input,
    "Conv1D": read_conv,
    "Conv2D": read_conv,
    "PointwiseConv1D": read_conv,
    "PointwiseConv2D": read_conv,
    "DepthwiseConv1D": read_depthwise,
    "DepthwiseConv2D": read_depthwise,
    "QunConvTranspose2D": read_conv_transpose,
    "Dense": read_dense,
    "Pooling1D": read_pool,
    "Pooling2D": read_pool,
    "GlobalPooling1D": read_global_pool,
    "GlobalPooling2D": read_global_pool,
    "Activation": read_activation,
    "ParametrizedActivation": read_parametrized,
    "HardActivation": read_hard_activation,
    "PReLU": read_prelu,
    "BatchNormalization": read_batch_norm,
    "ApplyAlpha": read_batch_norm,
    "Concatenate": read_concat,
    "Merge": read_merge,
    "Reshape": read_reshape,
    "ZeroPadding1D": read_zero_padding,
    "ZeroPadding2D": read_zero_padding,
    "Cropping1D": read_cropping,
    "Cropping2D": read_cropping,
    "Resize": read_resize,
    "QunLookup": read_lookup,
    "Transpose": read_transpose,
}
"""By hls4ml's layer class."""
