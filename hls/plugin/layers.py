"""What each hls4ml layer means, as calls of the normalisation: one function a layer class."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from quantunet import functions
from quantunet.accumulator import bits_for
from quantunet.curve_tables import MAX_TABLE_BITS
from quantunet.errors import ShapeError, UnsupportedOpError, WidthError
from quantunet.hls.plugin.onnx_layers import read_onnx_conv_transpose, read_onnx_resize
from quantunet.hls.plugin.original import is_signal
from quantunet.hls.plugin.precision import behind, held, holds, qtype_of, rule_of
from quantunet.hls.plugin.quantizer_layers import read_quantizer, read_unary_table
from quantunet.hls.plugin.reading import AS_IT_IS, Layout, Reader, narrow_source, result
from quantunet.hls.plugin.weights import integers, reals
from quantunet.ir import Array, Conv2d, ConvTranspose2d, IntArray, Pair, QType, Sides, Tensor
from quantunet.values import AnyValue, Form, Place, Rule, SumSource, frac_of, step_of
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


def _sides(layer: Any, what: str, signal: bool) -> Sides:
    """Return rows and columns at the sides: a padding, a cropping; a signal has no rows."""
    if signal:
        return 0, _number(layer, f"{what}_left"), 0, _number(layer, f"{what}_right")
    top, left, bottom, right = (_number(layer, f"{what}_{side}") for side in ("top", "left", "bottom", "right"))
    return top, left, bottom, right


def read_input(reader: Reader, layer: Any, place: Place) -> None:
    """Read an input: a tensor of its declared type."""
    reader.unread[layer.outputs[0]] = Tensor(place.output, reader.shape_of(layer), qtype_of(layer.name, result(layer)))


def read_conv(reader: Reader, layer: Any, place: Place) -> None:
    """Read a convolution, of images or signals."""
    signal = is_signal(layer)
    kernel, stride, pads = _pair(layer, "filt", signal), _pair(layer, "stride", signal), _sides(layer, "pad", signal)
    _expect(layer, {"data_format": "channels_last"})
    dilation, groups = reader.original.window(layer, kernel)
    codes, qtype = integers(reader, layer, "weight", "weights")
    channels_in, channels_out = _number(layer, "n_chan"), _number(layer, "n_filt")
    weight = codes.reshape(*kernel, channels_in // groups, channels_out)
    pads = _dilated(reader, layer, kernel, stride, dilation, pads, signal)
    _matrix(reader, layer, place, Conv2d, weight, qtype, Window(stride, dilation, pads, groups))


def _dilated(
    reader: Reader, layer: Any, kernel: Pair, stride: Pair, dilation: Pair, pads: Sides, signal: bool
) -> Sides:
    """Return the padding of a convolution: one by name hls4ml counts as if there were no dilation."""
    padding = reader.original.pads_with_dilation(layer)
    if dilation == (1, 1) or not padding:
        return pads
    heights = (1 if signal else _number(layer, "in_height")), _number(layer, "in_width")
    rows = []
    for size, taps, step, reach in zip(heights, kernel, stride, dilation, strict=True):
        total = max((-(-size // step) - 1) * step + reach * (taps - 1) + 1 - size, 0)
        rows.append((reach * (taps - 1), 0) if padding == "causal" else (total // 2, total - total // 2))
    return rows[0][0], rows[1][0], rows[0][1], rows[1][1]


def read_depthwise(reader: Reader, layer: Any, place: Place) -> None:
    """Read a depthwise convolution."""
    signal = is_signal(layer)
    kernel, stride, pads = _pair(layer, "filt", signal), _pair(layer, "stride", signal), _sides(layer, "pad", signal)
    _expect(layer, {"data_format": "channels_last"})
    dilation, _ = reader.original.window(layer, kernel)
    name = "depthwise" if "depthwise" in layer.weights else "weight"
    codes, qtype = integers(reader, layer, name, "weights")
    channels = _number(layer, "n_chan")
    weight = codes.reshape(*kernel, 1, codes.size // (kernel[0] * kernel[1]))
    pads = _dilated(reader, layer, kernel, stride, dilation, pads, signal)
    _matrix(reader, layer, place, Conv2d, weight, qtype, Window(stride, dilation, pads, channels))


def read_conv_transpose(reader: Reader, layer: Any, place: Place) -> None:
    """Read a transpose convolution of any geometry, as this package's front ends write it."""
    if not layer.get_attr("transposed"):
        raise UnsupportedOpError(layer.name, expected="a transpose convolution", got="a convolution")
    codes, qtype = integers(reader, layer, "weight", "weights")
    channels_in, channels_out = _number(layer, "n_chan"), _number(layer, "n_filt")
    kernel, stride, first = _pair(layer, "filt", False), _pair(layer, "stride", False), _pair(layer, "crop", False)
    rows, columns = (
        (size - 1) * step + taps - left - out
        for size, step, taps, left, out in zip(
            reader.source(layer).shape[:2], stride, kernel, first, reader.shape_of(layer)[:2], strict=True
        )
    )
    weight = codes.reshape(*kernel, channels_in, channels_out)
    _matrix(reader, layer, place, ConvTranspose2d, weight, qtype, Window(stride, (1, 1), (*first, rows, columns)))


def read_dense(reader: Reader, layer: Any, place: Place) -> None:
    """Read a dense layer: of a pixel, or of a whole map that was flattened."""
    source = reader.source(layer, flat=True)
    codes, qtype = integers(reader, layer, "weight", "weights")
    height, width, channels = source.shape
    n_in, n_out = _number(layer, "n_in"), _number(layer, "n_out")
    if n_in == height * width * channels:
        weight = codes.reshape(height, width, channels, n_out)
    elif n_in == channels:
        weight = codes.reshape(1, 1, channels, n_out)
    else:
        raise ShapeError(layer.name, expected=f"{n_in} values", got="x".join(map(str, source.shape)))
    _matrix(reader, layer, place, Conv2d, weight, qtype, Window(), flat=True)


def _matrix(
    reader: Reader,
    layer: Any,
    place: Place,
    kind: type[Conv2d] | type[ConvTranspose2d],
    weight: Array,
    qtype: QType,
    window: Window,
    *,
    flat: bool = False,
) -> None:
    source = reader.source(layer, flat=flat)
    form = Form.of(qtype if qtype.signed else QType(qtype.bits + 1, True, qtype.frac))
    bias = reals(reader, layer, "bias", "biases")
    value = reader.builder.matrix(place, kind, source, IntArray.of(weight), form, bias, window)
    assert isinstance(value.source, SumSource)
    _check_accumulator(reader, layer, value.source)
    reader.keep(layer, place, value)


def _check_accumulator(reader: Reader, layer: Any, sums: SumSource) -> None:
    """Check that a C++ accumulator that somebody has chosen holds every reachable sum; it may wrap in between.

    The sums of this backend are exact. The type that hls4ml gives to everything that nobody has chosen is no wish, nor
    is one that it has calculated from the quantizers.
    """
    if layer.get_attr("bit_exact_transformed"):
        return
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
    signal = is_signal(layer)
    kernel, stride, pads = _pair(layer, "pool", signal), _pair(layer, "stride", signal), _sides(layer, "pad", signal)
    _expect(layer, {"data_format": "channels_last"})
    if reader.original.of(layer) is not None:
        dilation, _ = reader.original.window(layer, kernel, grouped=False)
        if any(step > 1 and taps > 1 for step, taps in zip(dilation, kernel, strict=True)):
            raise UnsupportedOpError(layer.name, expected="a pooling without dilation", got=str(dilation))
    operation, source = str(layer.get_attr("pool_op")).lower(), reader.source(layer)
    if operation == "max":
        reader.keep(layer, place, reader.builder.maxpool(place, source, kernel, stride, pads))
    elif operation == "average" and (not any(pads) or reader.original.counts_padding(layer)):
        reader.keep(layer, place, reader.builder.average(place, source, kernel, stride, pads))
    else:
        raise UnsupportedOpError(
            layer.name, expected="a maximum, or an average that counts what is padded",
            got=f"{operation} with pads {pads}", hint="Use padding='valid'.",
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
    """Read a concatenation: along the channels, or of rows or columns as a sum of maps with zeros around them."""
    sizes = layer.get_output_variable().shape
    given = int(layer.get_attr("axis"))
    axis = given + len(sizes) if given < 0 else given - 1  # without the batch
    if layer.outputs[0] in reader.channels_first:
        axis = (axis - 1) % len(sizes)
    axis += 3 - len(sizes)  # of height, width, channels
    legs = [reader.source(layer, index) for index in range(len(layer.inputs))]
    if axis == 2:
        target = qtype_of(layer.name, result(layer))
        sources = [qtype_of(layer.name, reader.precision(variable)) for variable in layer.inputs]
        exact = all(holds(target, (each.qmin, each.qmax), each.frac) for each in sources)
        reader.keep(layer, place, reader.builder.concat(place, legs), exact=exact)
        return
    if len(legs) != 2 or not 0 <= axis < 2:
        raise UnsupportedOpError(
            layer.name, expected="a concatenation of channels, or of two maps by rows or columns",
            got=f"axis {given} of {len(legs)} tensors",
        )  # fmt: skip
    before, after = ([0, 0, 0, 0], [0, 0, 0, 0])
    before[axis], after[axis + 2] = legs[0].shape[axis], legs[1].shape[axis]
    padded = [
        reader.builder.pad(place.part(name), leg, (sides[0], sides[1], sides[2], sides[3]))
        for name, leg, sides in zip(("first", "second"), legs, (after, before), strict=True)
    ]
    reader.keep(layer, place, reader.builder.add(place, padded[0], padded[1]))


def read_merge(reader: Reader, layer: Any, place: Place) -> None:
    """Read an operation on two tensors."""
    operation = str(layer.get_attr("op")).lower()
    if len(layer.inputs) != 2:
        raise UnsupportedOpError(layer.name, expected="two inputs", got=str(len(layer.inputs)))
    first, second = _broadcast(reader, place, reader.source(layer, flat=True), reader.source(layer, 1, flat=True))
    builder = reader.builder
    value: AnyValue
    if operation in ("add", "subtract", "average"):
        value = builder.add(place, first, second, -1 if operation == "subtract" else 1)
        if operation == "average":
            channels = value.shape[2]
            value = builder.scale(place, value, [Fraction(1, 2)] * channels, [Fraction(0)] * channels)
    elif operation == "multiply":
        value = builder.multiply(place, first, second)
    elif operation == "maximum":
        value = builder.maximum(place, first, second)
    elif operation == "minimum":
        more = builder.clip(place, builder.add(place.part("excess"), first, second, -1), Fraction(0), None)
        value = builder.add(place, first, more, -1)
    else:
        raise UnsupportedOpError(
            layer.name, expected="add, subtract, multiply, average, maximum or minimum of two tensors", got=operation
        )
    reader.keep(layer, place, value)


def _broadcast(reader: Reader, place: Place, *values: AnyValue) -> list[AnyValue]:
    """Return two values of one size, where one of them has but a pixel."""
    sizes = [value.shape[:2] for value in values]
    found = list(values)
    for index, other in ((0, 1), (1, 0)):
        if sizes[index] == (1, 1) != sizes[other]:
            found[index] = reader.builder.nearest(place.part("spread"), values[index], sizes[other])
    return found


def read_activation(reader: Reader, layer: Any, place: Place) -> None:
    """Read an activation without parameters."""
    source, builder = reader.source(layer, flat=True), reader.builder
    activation = str(layer.get_attr("activation")).lower()
    if activation in _TABLES:
        _read_table(reader, layer, place, source, activation)
        return
    if activation in ("elu", "selu"):
        _read_bent(reader, layer, place, activation, Fraction(1))
        return
    if activation == "relu":
        limit, slope = reader.original.relu_limit(layer), reader.original.slope(layer)
        if slope:
            source = builder.leaky(place, source, [Fraction(slope)] * source.shape[2])
        high = None if limit is None else Fraction(limit)
        source = builder.clip(place, source, None if slope else Fraction(0), high)
    elif activation == "relu6":
        source = builder.clip(place, source, Fraction(0), Fraction(6))
    elif activation == "hard_tanh":
        source = builder.clip(place, source, Fraction(-1), Fraction(1))
    elif activation in functions.PLAIN:
        source = builder.curve(place, narrow_source(reader, layer, source), functions.PLAIN[activation])
    elif activation != "linear":
        names = sorted({*functions.PLAIN, *_TABLES, "elu", "hard_tanh", "linear", "relu", "relu6", "selu"})
        raise UnsupportedOpError(layer.name, expected=f"an activation {', '.join(names)}", got=activation)
    reader.keep(layer, place, source)


def _table_rule(layer: Any) -> Rule:
    """Return what an entry of hls4ml's table of a function is converted by."""
    return rule_of(layer.name, layer.get_attr("table_t").precision)


def _read_table(reader: Reader, layer: Any, place: Place, source: AnyValue, activation: str) -> None:
    """Read a function that hls4ml looks up: exact where the input is narrow, else its own table's entry.

    hls4ml cuts a range around 0 into ``table_size`` steps, goes from the input to the next step towards 0, and looks up
    the function there, in the table's type.
    """
    span, function = _TABLES[activation]
    builder, rule = reader.builder, rule_of(layer.name, result(layer))
    if reader.bits(layer.inputs[0]) > MAX_TABLE_BITS:
        entries = _entries(layer)
        source = _indexed(reader, layer, place, source, Fraction(span, entries), -(entries // 2), entries // 2 - 1)
        rule = behind(_table_rule(layer), rule)
    curve = builder.sigmoid(place, source) if activation == "sigmoid" else builder.curve(place, source, function)
    reader.keep(layer, place, curve, rule)


_TABLES: Mapping[str, tuple[int, functions.Function]] = {
    "sigmoid": (16, functions.sigmoid),
    "tanh": (8, math.tanh),
    "softplus": (16, functions.softplus),
    "softsign": (16, functions.softsign),
}
"""The functions of which hls4ml has tables around 0, with the tables' span."""

_BELOW = 8
"""How far below 0 hls4ml's tables of ELU and SELU reach."""


def _entries(layer: Any) -> int:
    entries = int(layer.get_attr("table_size"))
    if entries < 2 or entries & (entries - 1):
        raise UnsupportedOpError(layer.name, expected="a table_size that is a power of two", got=str(entries))
    return entries


def _indexed(
    reader: Reader, layer: Any, place: Place, source: AnyValue, step: Fraction, low: int, high: int
) -> AnyValue:
    """Return the places of hls4ml's table at which a wide value is looked up.

    Raises:
        UnsupportedOpError: The table is too long for the hardware's.
    """
    bits = bits_for(low, high)
    if bits > MAX_TABLE_BITS:
        raise UnsupportedOpError(
            layer.name, expected=f"a table_size of at most {(high - low + 1) >> (bits - MAX_TABLE_BITS)}",
            got=str(layer.get_attr("table_size")),
        )  # fmt: skip
    logger.info("%s: %d bits are looked up in hls4ml's own table", layer.name, reader.bits(layer.inputs[0]))
    rule = Rule(step, low, high, Form(bits, True, step), math.trunc)
    return reader.builder.quantise(place.part("index"), source, rule)


def _read_bent(reader: Reader, layer: Any, place: Place, kind: str, alpha: Fraction) -> None:
    """Read an ELU or a SELU: a table where the input is narrow, else as hls4ml: a line above 0, its own table below."""
    builder, source = reader.builder, reader.source(layer, flat=True)
    if reader.bits(layer.inputs[0]) <= MAX_TABLE_BITS:
        curve = functions.selu() if kind == "selu" else functions.elu(float(alpha))
        reader.keep(layer, place, builder.curve(place, source, curve))
        return
    entries, rule, channels = _entries(layer), rule_of(layer.name, result(layer)), source.shape[2]
    gain, factor, function = Fraction(1), alpha, functions.elu(1.0)
    if kind == "selu":  # the factor has the type of what it multiplies
        gain = held(rule_of(layer.name, reader.precision(layer.inputs[0])), Fraction(functions.SELU_GAIN))
        factor, function = Fraction(1), functions.selu()
    above, below = place.part("above"), place.part("below")
    upper = builder.clip(above, source, Fraction(0), None)
    upper = builder.scale(above, upper, [gain] * channels, [Fraction(0)] * channels)
    lower = builder.clip(below, source, None, Fraction(0))
    lower = _indexed(reader, layer, below, lower, Fraction(_BELOW, entries), -(entries - 1), 0)
    legs = [  # where one of them is not 0 the other is
        builder.quantise(above, upper, rule),
        builder.quantise(below, builder.curve(below, lower, function), behind(_table_rule(layer), rule, factor)),
    ]
    reader.keep(layer, place, builder.add(place, legs[0], legs[1]))


def _parameter(layer: Any, value: float) -> Fraction:
    """Return the parameter of an activation in the type that the layer declares for it."""
    return held(rule_of(layer.name, layer.get_attr("param_t").precision), Fraction(value))


def read_parametrized(reader: Reader, layer: Any, place: Place) -> None:
    """Read an activation with one parameter: leaky and thresholded ReLU, ELU."""
    kind, parameter = str(layer.get_attr("activation")).lower(), layer.get_attr("activ_param")
    source, builder = reader.source(layer, flat=True), reader.builder
    value: AnyValue
    if kind == "elu" and parameter is not None:
        _read_bent(reader, layer, place, kind, _parameter(layer, float(parameter)))
        return
    number = None if parameter is None else _parameter(layer, float(parameter))
    if kind in ("leakyrelu", "leaky_relu") and number is not None and number >= 0:
        value = builder.leaky(place, source, [number] * source.shape[2])
    elif kind in ("thresholdedrelu", "relu") and number is not None:
        limit = reader.original.relu_limit(layer, threshold=True)
        value = source if number == 0 else _above(reader, layer, place, source, number)
        value = builder.clip(
            place, value, Fraction(0) if number == 0 else None, None if limit is None else Fraction(limit)
        )
    else:
        raise UnsupportedOpError(
            layer.name, expected="a leaky ReLU, a ReLU with a threshold, or an ELU",
            got=f"{layer.get_attr('activation')} with the parameter {parameter}",
        )  # fmt: skip
    reader.keep(layer, place, value)


def _above(reader: Reader, layer: Any, place: Place, source: AnyValue, threshold: Fraction) -> AnyValue:
    """Return what is greater than a threshold, and 0 for the rest: by a table, or times a gate of one bit."""
    builder, channels = reader.builder, source.shape[2]
    if reader.bits(layer.inputs[0]) <= MAX_TABLE_BITS:
        return builder.curve(place, source, lambda x: x if x > threshold else Fraction(0))
    tensor = builder.tensor(source, place)
    whole, step = builder.ready(tensor, place), step_of(tensor)
    least = math.floor(threshold / step) + 1  # the least integer above it
    offset = [(1 - least) * step] * channels
    gate = builder.scale(place.part("gate"), whole, [Fraction(1)] * channels, offset)
    rule = Rule(step, 0, 1, Form(1, False, step))
    gate = builder.quantise(place.part("gate"), gate, rule)
    product = builder.multiply(place, whole, gate)
    return builder.scale(place, product, [1 / step] * channels, [Fraction(0)] * channels)


def read_relu(reader: Reader, layer: Any, place: Place) -> None:
    """Read a ReLU with a limit, a slope or a threshold."""
    limit, slope, threshold = (float(layer.get_attr(key)) for key in ("max_value", "negative_slope", "threshold"))
    source, builder = reader.source(layer, flat=True), reader.builder
    if threshold:
        raise UnsupportedOpError(
            layer.name, expected="a ReLU with a threshold alone", got=f"one with max_value {limit:g}, negative_slope "
            f"{slope:g} and threshold {threshold:g}",
        )  # fmt: skip
    if slope:
        source = builder.leaky(place, source, [Fraction(slope)] * source.shape[2])
    reader.keep(layer, place, builder.clip(place, source, None if slope else Fraction(0), Fraction(limit)))


def read_prelu(reader: Reader, layer: Any, place: Place) -> None:
    """Read a ReLU with a slope of each channel."""
    source = reader.source(layer, flat=True)
    channels = source.shape[2]
    slopes = reals(reader, layer, "param", "slopes")
    if len(slopes) % channels or any(slope != slopes[i % channels] for i, slope in enumerate(slopes)):
        raise UnsupportedOpError(
            layer.name, expected="one slope for each channel", got="a slope for each pixel",
            hint="Use PReLU(shared_axes=[1, 2]).",
        )  # fmt: skip
    reader.keep(layer, place, reader.builder.leaky(place, source, slopes[:channels]))


def read_hard_activation(reader: Reader, layer: Any, place: Place) -> None:
    """Read a hard sigmoid, or a hard tanh."""
    kind = str(layer.get_attr("activation")).lower()
    if kind not in ("hard_sigmoid", "hard_tanh"):
        raise UnsupportedOpError(layer.name, expected="hard_sigmoid or hard_tanh", got=kind)
    slope, shift = (
        held(rule_of(layer.name, layer.get_attr(f"{key}_t").precision), Fraction(value))
        for key, value in (("slope", reader.original.hard_slope(layer)), ("shift", float(layer.get_attr("shift"))))
    )
    low = Fraction(0)
    if kind == "hard_tanh":
        slope, shift, low = 2 * slope, 2 * shift - 1, Fraction(-1)
    builder, source = reader.builder, reader.source(layer, flat=True)
    channels = source.shape[2]
    line = builder.scale(place, source, [slope] * channels, [shift] * channels)
    reader.keep(layer, place, builder.clip(place, line, low, Fraction(1)))


def read_batch_norm(reader: Reader, layer: Any, place: Place) -> None:
    """Read a BatchNormalization, or the scales of a quantizer: a factor and a summand of each channel."""
    source = reader.source(layer)
    channels = source.shape[2]
    parts = [reals(reader, layer, name, name) for name in ("scale", "bias")]
    spread = [part * channels if len(part) == 1 else part for part in parts]
    if any(len(part) != channels for part in spread):
        raise ShapeError(layer.name, expected=f"constants of {channels} channels", got=str([len(p) for p in parts]))
    reader.keep(layer, place, reader.builder.scale(place, source, spread[0], spread[1]))


def read_reshape(reader: Reader, layer: Any, place: Place) -> None:
    """Read another arrangement of values in the same order.

    At the model's edge it only says how the values lie. A flattened map stays one, and what reads it decides; channels
    become pixels.
    """
    variable, target = layer.inputs[0], reader.shape_of(layer)
    if variable in reader.unread and reader.is_read_once(variable):
        reader.unread[variable] = replace(reader.unread[variable], shape=target)
        reader.values[layer.outputs[0]] = reader.source(layer, flat=True)
        return
    source = reader.source(layer, flat=True)
    height, width, channels = source.shape
    if source.shape == target or target[:2] == (1, 1) or layer.outputs[0] in reader.model.outputs:
        reader.values[layer.outputs[0]] = source
        return
    block = (target[0] // height, target[1] // width)
    whole = (height * block[0], width * block[1], block[0] * block[1] * target[2]) == (*target[:2], channels)
    if not whole or (block[0] > 1 and width > 1):  # several rows of a pixel lie between those of the next
        raise UnsupportedOpError(
            layer.name, expected="a flattening, or channels that become pixels", got=f"{source.shape} to {target}"
        )
    reader.keep(layer, place, reader.builder.depth_to_space(place, source, block))


def read_zero_padding(reader: Reader, layer: Any, place: Place) -> None:
    """Read a padding with zeros."""
    signal = layer.get_attr("pad_top") is None
    reader.keep(layer, place, reader.builder.pad(place, reader.source(layer), _sides(layer, "pad", signal)))


def read_cropping(reader: Reader, layer: Any, place: Place) -> None:
    """Read a cropping."""
    signal = layer.get_attr("crop_top") is None
    sides = _sides(layer, "crop", signal)
    reader.keep(layer, place, reader.builder.crop(place, reader.source(layer), sides))


def read_resize(reader: Reader, layer: Any, place: Place) -> None:
    """Read a resizing by whole factors."""
    source, target = reader.source(layer), reader.shape_of(layer)
    algorithm = reader.original.interpolation(layer)
    factor = (target[0] // source.shape[0], target[1] // source.shape[1])
    if (source.shape[0] * factor[0], source.shape[1] * factor[1]) != target[:2] or min(factor) < 1:
        raise UnsupportedOpError(layer.name, expected="whole factors", got=f"{source.shape} to {target}")
    if getattr(reader.original.of(layer), "align_corners", None):
        raise UnsupportedOpError(layer.name, expected="align_corners = False", got="True")
    if algorithm == "nearest":
        reader.keep(layer, place, reader.builder.nearest(place, source, factor))
    elif algorithm == "bilinear" and max(factor) <= 2:
        reader.keep(layer, place, reader.builder.bilinear(place, source, factor))
    else:
        raise UnsupportedOpError(
            layer.name, expected="nearest, or bilinear to twice the size", got=f"{algorithm} by {factor}"
        )


def read_transpose(reader: Reader, layer: Any, place: Place) -> None:
    """Leave out a transposition: it says in which order values lie, and changes none.

    At the model's edge what is given or returned is transposed; inside, the layers up to the next transposition have
    the channels first.
    """
    variable, target = layer.inputs[0], layer.outputs[0]
    perm = [int(axis) for axis in layer.get_attr("perm")]
    at_input = variable in reader.unread and reader.is_read_once(variable)
    at_output = target in reader.model.outputs and not layer.get_output_nodes()
    sizes = tuple(int(size) for size in reader.model.output_vars[variable].shape)
    to_last, to_first = [*range(1, len(perm)), 0], [len(perm) - 1, *range(len(perm) - 1)]
    order = [axis for axis in perm if sizes[axis] != 1]
    moves, is_first = order != sorted(order), variable in reader.channels_first
    if at_input and (perm == to_last or not moves):
        reader.unread[variable] = replace(reader.unread[variable], shape=reader.shape_of(layer))
        reader.layout = (Layout(sizes, tuple(perm)) if moves else AS_IT_IS), reader.layout[1]
    elif at_output and not is_first and (perm == to_first or not moves):
        reader.layout = reader.layout[0], (Layout(sizes, tuple(perm)) if moves else AS_IT_IS)
    elif perm != (to_last if is_first else to_first):
        raise UnsupportedOpError(
            layer.name,
            expected="tensors with the channels last, or with the channels first",
            got=f"a transposition of {sizes} by {perm}",
            hint="Leave it out, or put it at the model's input or output.",
        )
    elif not is_first:
        reader.channels_first.add(target)
    reader.values[target] = reader.source_of(variable)


def read_einsum_dense(reader: Reader, layer: Any, place: Place) -> None:
    """Read a dense layer by an equation: of the last axis, or of all axes."""
    equation = str(layer.get_attr("equation"))
    codes, qtype = integers(reader, layer, "weight", "weights")
    operands, target = equation.split("->")
    source_axes, kernel_axes = operands.split(",")
    axes = source_axes.replace("...", "")
    summed = [axis for axis in axes if axis in kernel_axes]
    free = [axis for axis in kernel_axes if axis not in axes]
    whole = summed == list(axes) and "..." not in equation
    point = summed == [axes[-1]] and target.endswith(f"{axes[:-1]}{''.join(free)}")
    source = reader.source(layer)
    height, width, channels = source.shape
    if (
        len(set(axes)) < len(axes)
        or not (whole and target.endswith("".join(free)) or point)
        or kernel_axes != "".join((*summed, *free))
    ):
        raise UnsupportedOpError(
            layer.name, expected="an equation that sums over the last axis, or over all of them, in their order",
            got=equation, hint="Use a Dense layer.",
        )  # fmt: skip
    window = (height, width) if whole else (1, 1)
    _matrix(reader, layer, place, Conv2d, codes.reshape(*window, channels, -1), qtype, Window())


READERS: Mapping[str, Read] = {
    "Input": read_input,
    "Conv1D": read_conv,
    "Conv2D": read_conv,
    "PointwiseConv1D": read_conv,
    "PointwiseConv2D": read_conv,
    "DepthwiseConv1D": read_depthwise,
    "DepthwiseConv2D": read_depthwise,
    "QunConv2D": read_conv_transpose,
    "QunConvTranspose1D": read_conv_transpose,
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
    "EinsumDense": read_einsum_dense,
    "FixedPointQuantizer": read_quantizer,
    "UnaryLUT": read_unary_table,
    "QunOnnxConvTranspose": read_onnx_conv_transpose,
    "QunOnnxResize": read_onnx_resize,
    "QunReLU": read_relu,
    "Resize": read_resize,
    "Transpose": read_transpose,
}
"""By hls4ml's layer class."""
