"""QONNX files in exact rational arithmetic: what a file means, without the product and without floating point.

Every tensor is ``num * unit``: an object array of Python integers and one common fraction. Constants are the exact
values of their float32 or float64 numbers. The definitions are those of qonnx (``qonnx.custom_op.general``) and of the
ONNX operators; what they leave open, or what has no value in exact arithmetic (NaN, infinity, an attribute that
contradicts a shape), raises :class:`NoExactMeaningError`. Nothing of the product is imported here.

Two operations are irrational and are computed once in float64, exact from there: the square root in BatchNormalization,
and Sigmoid.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

QUANT_DOMAINS = frozenset({"qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"})
CHANNELS_LAST = "qonnx.custom_op.channels_last"
STANDARD = frozenset({"", "ai.onnx"})


class NoExactMeaningError(Exception):
    """The file, or one of its nodes, has no exact meaning, or one that this reference does not know."""


@dataclass(frozen=True, eq=False)
class Exact:
    """A tensor of rationals, ``num * unit``.

    Attributes:
        num: Python integers, any shape.
        unit: A positive fraction.
    """

    num: npt.NDArray[np.object_]
    unit: Fraction = Fraction(1)

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Exact:
        """The exact values of integers, floats or fractions."""
        array = np.asarray(values)
        if array.dtype.kind in "iu":
            return cls(_integers(array))
        if array.dtype.kind == "f":
            if array.dtype.itemsize > 8 or not np.isfinite(array).all():
                raise NoExactMeaningError(f"NaN or infinity, or a type with no exact value ({array.dtype})")
            pairs = [value.as_integer_ratio() for value in array.astype(np.float64).ravel().tolist()]
        elif array.dtype == object:
            pairs = [Fraction(value).as_integer_ratio() for value in array.ravel()]
        else:
            raise NoExactMeaningError(f"a tensor of {array.dtype}")
        common = math.lcm(*(bottom for _, bottom in pairs)) if pairs else 1
        tops = [top * (common // bottom) for top, bottom in pairs]
        step = math.gcd(*tops) or 1
        return cls(_objects([top // step for top in tops], array.shape), Fraction(step, common))

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(self.num.shape)

    def fractions(self) -> npt.NDArray[np.object_]:
        """The values, one fraction each."""
        return _each(lambda value: value * self.unit, self.num)

    def floats(self) -> npt.NDArray[np.float64]:
        """The values, rounded to float64."""
        return np.array([float(value * self.unit) for value in self.num.ravel()]).reshape(self.shape)

    def with_num(self, num: npt.NDArray[np.object_]) -> Exact:
        """Other integers of the same unit."""
        return Exact(num, self.unit)

    def only(self) -> Fraction:
        """The value of a tensor that holds one value (or the same value everywhere)."""
        values = set(self.num.ravel())
        if len(values) != 1:
            raise NoExactMeaningError(f"one value is needed, got {len(values)} of shape {self.shape}")
        return Fraction(values.pop() * self.unit)

    def same(self, other: Exact) -> bool:
        """Whether shapes and all values are equal."""
        return self.shape == other.shape and self.differing(other) == 0

    def differing(self, other: Exact) -> int:
        """How many of the values differ; the shapes must be equal."""
        left, right = _aligned(self, other)
        return int(np.count_nonzero(left.num != right.num))


def _objects(values: Sequence[Any], shape: Sequence[int]) -> npt.NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def _integers(array: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    return _objects([int(value) for value in array.ravel().tolist()], array.shape)


def _each(function: Callable[..., Any], *arrays: Any) -> npt.NDArray[np.object_]:
    """Apply a function to every element, to equal ones once; a 0-dimensional result stays an array."""
    if len(arrays) == 1:
        flat = np.asarray(arrays[0], dtype=object).ravel().tolist()
        known = {value: function(value) for value in set(flat)}
        return _objects([known[value] for value in flat], np.shape(arrays[0]))
    shape = np.broadcast_shapes(*(np.shape(array) for array in arrays))
    columns = [np.broadcast_to(np.asarray(array, dtype=object), shape).ravel() for array in arrays]
    return _objects([function(*values) for values in zip(*columns, strict=True)], shape)


def _common(first: Fraction, second: Fraction) -> Fraction:
    return Fraction(
        math.gcd(first.numerator * second.denominator, second.numerator * first.denominator),
        first.denominator * second.denominator,
    )


def _aligned(*values: Exact) -> list[Exact]:
    """The same tensors with one unit."""
    unit = functools.reduce(_common, (value.unit for value in values))
    return [Exact(_wrap(value.num * int(value.unit / unit)), unit) for value in values]


def _wrap(num: Any) -> npt.NDArray[np.object_]:
    return np.asarray(num, dtype=object)


def add(first: Exact, second: Exact, sign: int = 1) -> Exact:
    """``first + sign * second``, broadcast."""
    left, right = _aligned(first, second)
    return Exact(_wrap(left.num + sign * right.num), left.unit)


def multiply(first: Exact, second: Exact) -> Exact:
    """The product, broadcast."""
    return Exact(_wrap(first.num * second.num), first.unit * second.unit)


def divide(first: Exact, second: Exact) -> Exact:
    """The quotient, broadcast."""
    if (second.num == 0).any():
        raise NoExactMeaningError("a division by zero")
    if len(set(second.num.ravel())) == 1:
        factor = 1 / (second.num.ravel()[0] * second.unit)
        shape = np.broadcast_shapes(first.shape, second.shape)
        sign = 1 if factor > 0 else -1
        return Exact(_wrap(np.broadcast_to(first.num, shape) * sign), first.unit * abs(factor))
    return Exact.of(_each(lambda a, b: Fraction(a * first.unit) / (b * second.unit), first.num, second.num))


# Rounding, by the names of qonnx' resolve_rounding_mode.


def half_even(value: Fraction) -> int:
    """Nearest, ties to even."""
    return round(value)


def _away(value: Fraction, magnitude: Callable[[Fraction], int]) -> int:
    return magnitude(abs(value)) if value >= 0 else -magnitude(abs(value))


ROUNDING: Mapping[str, Callable[[Fraction], int]] = {
    "ROUND": half_even,
    "HALF_EVEN": half_even,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "UP": lambda value: _away(value, math.ceil),
    "DOWN": math.trunc,
    "HALF_UP": lambda value: _away(value, lambda size: math.floor(size + Fraction(1, 2))),
    "HALF_DOWN": lambda value: _away(value, lambda size: math.ceil(size - Fraction(1, 2))),
}


def _rounding(mode: str) -> Callable[[Fraction], int]:
    try:
        return ROUNDING[mode.upper()]
    except KeyError:
        raise NoExactMeaningError(f"the rounding mode {mode!r}") from None


def integer_range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """The least and the greatest integer of a quantizer, as ``min_int`` and ``max_int`` of qonnx."""
    if signed:
        return -(2 ** (bits - 1)) + int(narrow), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - int(narrow)


def quantise(x: Exact, scale: Exact, zero: Exact, bits: int, signed: bool, narrow: bool, mode: str) -> Exact:
    """``int_quant`` of qonnx: ``(round(clamp(x / scale + zero)) - zero) * scale``."""
    rounding = _rounding(mode)
    y = add(divide(x, scale), zero)
    if y.shape != x.shape:
        raise NoExactMeaningError(f"a scale or zero point that makes {y.shape} of {x.shape}")
    if bits == 1 and signed:
        codes = _each(lambda value: 1 if value >= 0 else -1, y.num)
    else:
        low, high = integer_range(bits, signed, narrow)
        codes = _each(lambda value: rounding(min(max(Fraction(value * y.unit), Fraction(low)), Fraction(high))), y.num)
    return multiply(add(Exact(codes), zero, -1), scale)


# Attributes and constants of nodes


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Node:
    """A node with the values of its inputs."""

    def __init__(self, proto: onnx.NodeProto, inputs: list[Exact | None], opset: int) -> None:
        self.proto = proto
        self.inputs = inputs
        self.opset = opset
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
        self.used: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.used.add(name)
        return self.attributes.get(name, default)

    def required(self, name: str) -> Any:
        if name not in self.attributes:
            raise NoExactMeaningError(f"the attribute {name} is missing")
        return self.get(name)

    def flag(self, name: str) -> bool:
        value = self.required(name)
        if value not in (0, 1):
            raise NoExactMeaningError(f"the attribute {name} = {value!r}")
        return bool(value)

    def __getitem__(self, index: int) -> Exact:
        value = self.optional(index)
        if value is None:
            raise NoExactMeaningError(f"input {index} is missing")
        return value

    def optional(self, index: int) -> Exact | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def arity(self, least: int, most: int) -> None:
        if not least <= len(self.inputs) <= most:
            raise NoExactMeaningError(f"{len(self.inputs)} inputs")

    def ints(self, index: int) -> list[int] | None:
        value = self.optional(index)
        if value is None:
            return None
        values = [Fraction(entry * value.unit) for entry in value.num.ravel()]
        if any(entry.denominator != 1 for entry in values):
            raise NoExactMeaningError(f"input {index} must hold integers")
        return [int(entry) for entry in values]


Operation = Callable[[_Node], Exact]


def _quant(node: _Node) -> Exact:
    node.arity(4, 4)
    x, scale, zero = node[0], _one(node[1]), _one(node[2])
    bits = node[3].only()
    if bits.denominator != 1 or bits < 1:
        raise NoExactMeaningError(f"a width of {bits} bits")
    mode = _text(node.get("rounding_mode", b"ROUND"))
    return quantise(x, scale, zero, int(bits), node.flag("signed"), node.flag("narrow"), mode)


def _one(value: Exact) -> Exact:
    """A tensor of one value, whatever its shape, is a scalar."""
    return value.with_num(value.num.reshape(())) if value.num.size == 1 else value


def _bipolar(node: _Node) -> Exact:
    node.arity(2, 2)
    y = multiply(Exact(_each(lambda value: 1 if value >= 0 else -1, node[0].num)), _one(node[1]))
    if y.shape != node[0].shape:
        raise NoExactMeaningError(f"a scale that makes {y.shape} of {node[0].shape}")
    return y


def _trunc(node: _Node) -> Exact:
    rounding = _rounding(_text(node.required("rounding_mode")))
    scale, zero, in_bits = node[1].only(), node[2].only(), node[3].only()
    codes = Exact(_each(lambda value: half_even(value * node[0].unit / scale + zero), node[0].num))
    if len(node.inputs) == 5:
        step = Fraction(2) ** int(in_bits - node[4].only())
        low, high = None, None
        out_scale = scale  # as trunc_v1 has it: the result is in steps of the input's scale
        out_zero = zero
    else:
        node.arity(6, 6)
        out_scale, out_bits = node[4].only(), node[5].only()
        step = Fraction(2) ** round(math.log2(out_scale / scale))
        if step * scale != out_scale or out_bits.denominator != 1:
            raise NoExactMeaningError(f"a truncation of {scale} to {out_scale}")
        signed, narrow = bool(node.get("signed", 1)), bool(node.get("narrow", 0))
        low, high = integer_range(int(out_bits), signed, narrow)
        out_zero = zero / step

    def truncate(code: int) -> Fraction:
        value = code / step
        if low is not None and high is not None:
            value = min(max(value, Fraction(low)), Fraction(high))
        return (rounding(value) - out_zero) * out_scale

    return Exact.of(_each(truncate, codes.num))


# Windows


def _pairs(node: _Node, name: str, default: int) -> tuple[int, int]:
    values = node.get(name)
    values = [default, default] if values is None else list(values)
    if len(values) != 2 or min(values) < 1:
        raise NoExactMeaningError(f"{name} = {values}: two positive values are needed")
    return values[0], values[1]


@dataclass(frozen=True)
class _Window:
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    out: tuple[int, int]

    def offsets(self) -> Iterator[tuple[int, int]]:
        return itertools.product(range(self.kernel[0]), range(self.kernel[1]))

    def slices(self, dy: int, dx: int) -> tuple[slice, slice]:
        """Where the taps of one kernel offset lie in the padded map."""
        firsts = (dy * self.dilations[0], dx * self.dilations[1])
        return tuple(
            slice(first, first + (out - 1) * stride + 1, stride)
            for first, out, stride in zip(firsts, self.out, self.strides, strict=True)
        )  # type: ignore[return-value]

    def padded(self, num: npt.NDArray[np.object_], fill: Any) -> npt.NDArray[np.object_]:
        """The map with its padding, as large as the last window needs."""
        shape = list(num.shape)
        for axis in (0, 1):
            needed = (self.out[axis] - 1) * self.strides[axis] + (self.kernel[axis] - 1) * self.dilations[axis] + 1
            shape[2 + axis] = max(needed, self.before[axis] + num.shape[2 + axis])
        full = np.full(shape, fill, dtype=object)
        top, left = self.before
        full[:, :, top : top + num.shape[2], left : left + num.shape[3]] = num
        return full


def _window(node: _Node, size: tuple[int, int], kernel: tuple[int, int]) -> _Window:
    strides, dilations = _pairs(node, "strides", 1), _pairs(node, "dilations", 1)
    auto, pads = _text(node.get("auto_pad", b"NOTSET")), node.get("pads")
    ceil = bool(node.get("ceil_mode", 0))
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    if auto == "NOTSET":
        margins = [0, 0, 0, 0] if pads is None else list(pads)
        if len(margins) != 4 or min(margins) < 0:
            raise NoExactMeaningError(f"pads = {margins}")
        before, after = tuple(margins[:2]), tuple(margins[2:])
        out = []
        for axis in (0, 1):
            span = size[axis] + before[axis] + after[axis] - extent[axis]
            out.append((-(-span // strides[axis]) if ceil else span // strides[axis]) + 1)
            if ceil and (out[axis] - 1) * strides[axis] >= size[axis] + before[axis]:
                raise NoExactMeaningError("ceil_mode with a window that begins in the padding")
    elif auto == "VALID":
        before = after = (0, 0)
        out = [(size[axis] - extent[axis]) // strides[axis] + 1 for axis in (0, 1)]
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        out = [-(-size[axis] // strides[axis]) for axis in (0, 1)]
        total = [max((out[axis] - 1) * strides[axis] + extent[axis] - size[axis], 0) for axis in (0, 1)]
        less, more = tuple(value // 2 for value in total), tuple(value - value // 2 for value in total)
        before, after = (less, more) if auto == "SAME_UPPER" else (more, less)
    else:
        raise NoExactMeaningError(f"auto_pad = {auto}")
    if pads is not None and any(pads) and tuple(pads) != (*before, *after):
        raise NoExactMeaningError(f"auto_pad = {auto}, and pads = {pads}")
    if min(out) < 1:
        raise NoExactMeaningError(f"a window of {extent} in a map of {size}")
    return _Window(kernel, strides, dilations, before, after, (out[0], out[1]))  # type: ignore[arg-type]


def _kernel(node: _Node, weight: Exact) -> tuple[int, int]:
    if len(weight.shape) != 4 or len(node[0].shape) != 4:
        raise NoExactMeaningError(f"an input of {node[0].shape} and weights of {weight.shape}: four axes are needed")
    kernel = weight.shape[2], weight.shape[3]
    stated = node.get("kernel_shape")
    if stated is not None and tuple(stated) != kernel:
        raise NoExactMeaningError(f"kernel_shape = {stated} with weights of {weight.shape}")
    return kernel


def _dot(weight: npt.NDArray[np.object_], columns: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """``weight @ columns``, in int64 where no sum can leave it."""
    if not weight.size or not columns.size:
        raise NoExactMeaningError("an empty tensor")
    largest = max(map(abs, weight.ravel())) * max(map(abs, columns.ravel())) * weight.shape[1]
    if largest < 2**62 and max(map(abs, columns.ravel())) < 2**62 and max(map(abs, weight.ravel())) < 2**62:
        return (weight.astype(np.int64) @ columns.astype(np.int64)).astype(object)
    return _wrap(np.dot(weight, columns))


def _with_bias(node: _Node, result: Exact, channels: int) -> Exact:
    bias = node.optional(2)
    if bias is None:
        return result
    if bias.shape != (channels,):
        raise NoExactMeaningError(f"a bias of {bias.shape} for {channels} channels")
    return add(result, bias.with_num(bias.num.reshape(1, channels, 1, 1)))


def _conv(node: _Node) -> Exact:
    node.arity(2, 3)
    x, weight = node[0], node[1]
    window = _window(node, x.shape[2:4], _kernel(node, weight))  # type: ignore[arg-type]
    batch, channels = x.shape[:2]
    groups, outputs = node.get("group", 1), weight.shape[0]
    if groups < 1 or outputs % groups or weight.shape[1] * groups != channels:
        raise NoExactMeaningError(f"group = {groups} with {channels} channels and weights of {weight.shape}")
    padded = window.padded(x.num, 0)
    taps = [padded[(slice(None), slice(None), *window.slices(dy, dx))] for dy, dx in window.offsets()]
    columns = np.stack(taps, axis=2)  # batch, channel, tap, height, width
    result = np.empty((batch, outputs, *window.out), dtype=object)
    inner, outer = channels // groups, outputs // groups
    for image, group in itertools.product(range(batch), range(groups)):
        part = columns[image, group * inner : (group + 1) * inner].reshape(inner * len(taps), -1)
        kernel = weight.num[group * outer : (group + 1) * outer].reshape(outer, -1)
        result[image, group * outer : (group + 1) * outer] = _dot(kernel, part).reshape(outer, *window.out)
    return _with_bias(node, Exact(result, x.unit * weight.unit), outputs)


def _conv_transpose(node: _Node) -> Exact:
    node.arity(2, 3)
    x, weight = node[0], node[1]
    kernel = _kernel(node, weight)
    strides, dilations = _pairs(node, "strides", 1), _pairs(node, "dilations", 1)
    groups, (batch, channels, *size) = node.get("group", 1), x.shape
    if groups < 1 or channels % groups or weight.shape[0] != channels:
        raise NoExactMeaningError(f"group = {groups} with {channels} channels and weights of {weight.shape}")
    extra = list(node.get("output_padding") or [0, 0])
    full = [strides[a] * (size[a] - 1) + (kernel[a] - 1) * dilations[a] + 1 for a in (0, 1)]
    auto, pads, wanted = _text(node.get("auto_pad", b"NOTSET")), node.get("pads"), node.get("output_shape")
    if wanted is not None and list(wanted) != [full[a] + extra[a] for a in (0, 1)]:
        raise NoExactMeaningError(f"output_shape = {wanted}")
    if auto == "NOTSET":
        margins = [0, 0, 0, 0] if pads is None else list(pads)
    elif pads is not None and any(pads):
        raise NoExactMeaningError(f"both auto_pad = {auto} and pads")
    elif auto == "VALID":
        margins = [0, 0, 0, 0]
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        total = [full[a] + extra[a] - size[a] * strides[a] for a in (0, 1)]
        if min(total) < 0 or any(value % 2 for value in total):
            raise NoExactMeaningError(f"auto_pad = {auto} with an odd or negative padding of {total}")
        margins = [value // 2 for value in total] * 2
    else:
        raise NoExactMeaningError(f"auto_pad = {auto}")
    if len(margins) != 4 or min(margins) < 0 or len(extra) != 2 or not all(0 <= extra[a] < strides[a] for a in (0, 1)):
        raise NoExactMeaningError(f"pads = {margins}, output_padding = {extra}")
    outer, inner = weight.shape[1], channels // groups
    canvas = np.zeros((batch, outer * groups, full[0] + extra[0], full[1] + extra[1]), dtype=object)
    for image, group in itertools.product(range(batch), range(groups)):
        part = x.num[image, group * inner : (group + 1) * inner].reshape(inner, -1)
        for dy, dx in itertools.product(range(kernel[0]), range(kernel[1])):
            taps = weight.num[group * inner : (group + 1) * inner, :, dy, dx].T
            rows = slice(dy * dilations[0], dy * dilations[0] + strides[0] * (size[0] - 1) + 1, strides[0])
            columns = slice(dx * dilations[1], dx * dilations[1] + strides[1] * (size[1] - 1) + 1, strides[1])
            canvas[image, group * outer : (group + 1) * outer, rows, columns] += _dot(taps, part).reshape(outer, *size)
    top, left, bottom, right = margins
    result = canvas[:, :, top : canvas.shape[2] - bottom, left : canvas.shape[3] - right]
    if 0 in result.shape:
        raise NoExactMeaningError("a transpose convolution without a result")
    return _with_bias(node, Exact(result, x.unit * weight.unit), outer * groups)


def _pool_window(node: _Node) -> _Window:
    node.arity(1, 1)
    if len(node[0].shape) != 4:
        raise NoExactMeaningError(f"a pool of {node[0].shape}")
    if "kernel_shape" not in node.attributes or len(node.attributes["kernel_shape"]) != 2:
        raise NoExactMeaningError("a pool without a kernel of two axes")
    kernel = _pairs(node, "kernel_shape", 1)
    window = _window(node, node[0].shape[2:4], kernel)  # type: ignore[arg-type]
    if any(margin >= size for margin, size in zip((*window.before, *window.after), (*kernel, *kernel), strict=True)):
        raise NoExactMeaningError("a window that lies in the padding")
    return window


def _max_pool(node: _Node) -> Exact:
    window = _pool_window(node)
    if len(node.proto.output) > 1 and node.proto.output[1]:
        raise NoExactMeaningError("MaxPool with indices")
    node.get("storage_order")
    least = min(node[0].num.ravel()) - 1
    padded = window.padded(node[0].num, least)
    taps = [padded[(slice(None), slice(None), *window.slices(dy, dx))] for dy, dx in window.offsets()]
    result = functools.reduce(np.maximum, taps)
    if (result == least).any():
        raise NoExactMeaningError("a window that holds padding alone")
    return node[0].with_num(result)


def _average_pool(node: _Node) -> Exact:
    window = _pool_window(node)
    include = bool(node.get("count_include_pad", 0))
    rows, columns = node[0].shape[2:4]
    if include and any(
        (window.out[a] - 1) * window.strides[a] + (window.kernel[a] - 1) * window.dilations[a] + 1
        > window.before[a] + (rows, columns)[a] + window.after[a]
        for a in (0, 1)
    ):
        raise NoExactMeaningError("count_include_pad with a window beyond the padding")
    padded = window.padded(node[0].num, 0)
    ones = window.padded(np.full((1, 1, rows, columns), 1, dtype=object), int(include))

    def total(array: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        return _wrap(sum(array[(slice(None), slice(None), *window.slices(dy, dx))] for dy, dx in window.offsets()))

    return divide(node[0].with_num(total(padded)), Exact(total(ones)))


# Element by element


def _relu(node: _Node) -> Exact:
    node.arity(1, 1)
    return node[0].with_num(_each(lambda value: max(value, 0), node[0].num))


def _clip(node: _Node) -> Exact:
    limits: list[Fraction | None] = []
    if node.opset < 11:
        node.arity(1, 1)
        for name in ("min", "max"):
            value = node.get(name)
            if value is not None and math.isnan(value):
                raise NoExactMeaningError("Clip with NaN")
            limits.append(None if value is None or math.isinf(value) else Fraction(value))
    else:
        node.arity(1, 3)
        for index in (1, 2):
            bound = node.optional(index)
            limits.append(None if bound is None else bound.only())
    low, high = limits

    def clip(value: int) -> Fraction:
        result = Fraction(value * node[0].unit)
        result = result if low is None else max(result, low)
        return result if high is None else min(result, high)

    return Exact.of(_each(clip, node[0].num))


def _thresholded(node: _Node) -> Exact:
    node.arity(1, 1)
    alpha = Fraction(node.get("alpha", 1.0))
    return node[0].with_num(_each(lambda value: value if value * node[0].unit > alpha else 0, node[0].num))


def _extremum(choose: Callable[[Any, Any], Any]) -> Operation:
    def operation(node: _Node) -> Exact:
        parts = _aligned(*(node[index] for index in range(len(node.inputs))))
        return parts[0].with_num(_wrap(functools.reduce(choose, (part.num for part in parts))))

    return operation


def _leaky(node: _Node) -> Exact:
    alpha = Exact.of(np.float32(node.get("alpha", np.float32(0.01))))
    return _sloped(node[0], alpha)


def _prelu(node: _Node) -> Exact:
    node.arity(2, 2)
    if np.broadcast_shapes(node[0].shape, node[1].shape) != node[0].shape:
        raise NoExactMeaningError(f"slopes of {node[1].shape} for {node[0].shape}")
    return _sloped(node[0], node[1])


def _sloped(x: Exact, slope: Exact) -> Exact:
    plain, scaled = _aligned(x, multiply(x, slope))
    return plain.with_num(_each(lambda whole, part: whole if whole >= 0 else part, plain.num, scaled.num))


def _arithmetic(function: Callable[[Exact, Exact], Exact]) -> Operation:
    def operation(node: _Node) -> Exact:
        node.arity(2, 2)
        if node.opset < 7:
            raise NoExactMeaningError(f"{node.proto.op_type} of operator set {node.opset}: another way to broadcast")
        return function(node[0], node[1])

    return operation


def _batch_normalisation(node: _Node) -> Exact:
    node.arity(5, 5)
    if node.get("training_mode", 0) or node.get("spatial", 1) != 1 or node.opset < 7:
        raise NoExactMeaningError("BatchNormalization in training, or of an old operator set")
    x, gamma, beta, mean, variance = (node[index] for index in range(5))
    epsilon = float(np.float32(node.get("epsilon", np.float32(1e-5))))
    shape = (1, x.shape[1], *(1 for _ in x.shape[2:]))
    roots = np.sqrt(variance.floats() + epsilon)

    def laid(value: Exact) -> Exact:
        if value.num.size != x.shape[1]:
            raise NoExactMeaningError(f"parameters of {value.shape} for {x.shape[1]} channels")
        return value.with_num(value.num.reshape(shape))

    centred = multiply(add(x, laid(mean), -1), laid(gamma))
    return add(divide(centred, laid(Exact.of(roots))), laid(beta))


def _sigmoid(node: _Node) -> Exact:
    return Exact.of(_each(lambda value: Fraction(_logistic(float(value * node[0].unit))), node[0].num))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _identity(node: _Node) -> Exact:
    return node[0]


def _dropout(node: _Node) -> Exact:
    training = node.optional(2)
    if training is not None and training.only() != 0:
        raise NoExactMeaningError("Dropout in training")
    if len(node.proto.output) > 1 and node.proto.output[1]:
        raise NoExactMeaningError("Dropout with a mask")
    node.get("ratio")
    node.get("seed")
    return node[0]


# Shape and order


def _axis(value: int, rank: int) -> int:
    if not -rank <= value < rank:
        raise NoExactMeaningError(f"axis {value} of {rank} axes")
    return value % rank


def _concat(node: _Node) -> Exact:
    parts = _aligned(*(node[index] for index in range(len(node.inputs))))
    axis = _axis(node.required("axis"), len(parts[0].shape))
    rest = {part.shape[:axis] + part.shape[axis + 1 :] for part in parts}
    if len(rest) != 1:
        raise NoExactMeaningError(f"a concatenation of {[part.shape for part in parts]}")
    return parts[0].with_num(np.concatenate([part.num for part in parts], axis=axis))


def _transpose(node: _Node) -> Exact:
    order = node.get("perm")
    order = list(range(len(node[0].shape)))[::-1] if order is None else list(order)
    if sorted(order) != list(range(len(node[0].shape))):
        raise NoExactMeaningError(f"perm = {order} of {node[0].shape}")
    return node[0].with_num(node[0].num.transpose(order))


def _reshape(node: _Node) -> Exact:
    wanted = node.ints(1) if node.opset >= 5 else list(node.required("shape"))
    assert wanted is not None
    if node.get("allowzero", 0):
        raise NoExactMeaningError("allowzero")
    shape = [node[0].shape[index] if value == 0 else value for index, value in enumerate(wanted)]
    try:
        return node[0].with_num(node[0].num.reshape(shape))
    except ValueError as error:
        raise NoExactMeaningError(str(error)) from error


def _flatten(node: _Node) -> Exact:
    axis = node.get("axis", 1)
    axis = axis + len(node[0].shape) if axis < 0 else axis
    return node[0].with_num(node[0].num.reshape(math.prod(node[0].shape[:axis]), -1))


def _axes(node: _Node, since: int = 13) -> list[int] | None:
    axes = node.ints(1) if node.opset >= since else node.get("axes")
    return None if axes is None else list(axes)


def _squeeze(node: _Node) -> Exact:
    axes, shape = _axes(node), node[0].shape
    chosen = {i for i, s in enumerate(shape) if s == 1} if axes is None else {_axis(a, len(shape)) for a in axes}
    if any(shape[axis] != 1 for axis in chosen):
        raise NoExactMeaningError(f"Squeeze of the axes {axes} of {shape}")
    return node[0].with_num(node[0].num.reshape([s for i, s in enumerate(shape) if i not in chosen]))


def _unsqueeze(node: _Node) -> Exact:
    axes = _axes(node)
    if axes is None:
        raise NoExactMeaningError("Unsqueeze without axes")
    rank = len(node[0].shape) + len(axes)
    return node[0].with_num(np.expand_dims(node[0].num, tuple(_axis(axis, rank) for axis in axes)))


def _pad(node: _Node) -> Exact:
    if _text(node.get("mode", b"constant")) != "constant":
        raise NoExactMeaningError("Pad that is not constant")
    rank = len(node[0].shape)
    if node.opset < 11:
        margins, value = list(node.required("pads")), Fraction(node.get("value", 0.0))
    else:
        found, fill = node.ints(1), node.optional(2)
        assert found is not None
        margins, value = found, Fraction(0) if fill is None else fill.only()
    axes = node.ints(3) if node.opset >= 18 else None
    axes = list(range(rank)) if axes is None else [_axis(axis, rank) for axis in axes]
    if len(margins) != 2 * len(axes) or min(margins) < 0:
        raise NoExactMeaningError(f"pads = {margins}")
    both = [(0, 0)] * rank
    for index, axis in enumerate(axes):
        both[axis] = margins[index], margins[index + len(axes)]
    x, filling = _aligned(node[0], Exact.of(np.array(value, dtype=object)))
    return x.with_num(np.pad(x.num, both, constant_values=filling.num.ravel()[0]))


def _resize(node: _Node) -> Exact:
    """Nearest by whole factors: there every coordinate rule that is allowed here picks the same pixel."""
    x = node[0]
    if _text(node.get("mode", b"nearest")) != "nearest":
        raise NoExactMeaningError("Resize that is not nearest")
    kind, index = node.proto.op_type, 1 if node.opset < 11 else 2
    if kind == "Resize" and node.opset >= 11:
        rule = _text(node.get("coordinate_transformation_mode", b"half_pixel"))
        nearest = _text(node.get("nearest_mode", b"round_prefer_floor"))
        if (rule, nearest) not in {
            ("asymmetric", "floor"),
            ("half_pixel", "round_prefer_floor"),
            ("half_pixel", "round_prefer_ceil"),
        }:
            raise NoExactMeaningError(f"Resize with {rule} and {nearest}")
        if node.get("axes") is not None or node.get("antialias", 0):
            raise NoExactMeaningError("Resize with axes or antialias")
    if kind == "Upsample" and node.opset < 9:
        scales = [Fraction(value) for value in node.required("scales")]
    else:
        given, sizes = node.optional(index), node.ints(3)
        if given is not None and given.num.size:
            scales = list(given.fractions().ravel())
        elif sizes:
            scales = [Fraction(size, old) for size, old in zip(sizes, x.shape, strict=True)]
        else:
            raise NoExactMeaningError("Resize without scales")
    if len(scales) != len(x.shape) or any(scale.denominator != 1 or scale < 1 for scale in scales):
        raise NoExactMeaningError(f"Resize by {scales}")
    num = x.num
    for axis, scale in enumerate(scales):
        num = np.repeat(num, int(scale), axis=axis)
    return x.with_num(num)


def _arg_max(node: _Node) -> Exact:
    axis = _axis(node.get("axis", 0), len(node[0].shape))
    if node.get("select_last_index", 0):
        raise NoExactMeaningError("ArgMax of the last")
    found = np.argmax(node[0].num, axis=axis)
    return Exact(_integers(np.expand_dims(found, axis) if node.get("keepdims", 1) else found))


STANDARD_OPS: Mapping[str, Operation] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Relu": _relu,
    "Clip": _clip,
    "ThresholdedRelu": _thresholded,
    "Max": _extremum(np.maximum),
    "Min": _extremum(np.minimum),
    "LeakyRelu": _leaky,
    "PRelu": _prelu,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "Concat": _concat,
    "Add": _arithmetic(add),
    "Sub": _arithmetic(lambda first, second: add(first, second, -1)),
    "Mul": _arithmetic(multiply),
    "Div": _arithmetic(divide),
    "BatchNormalization": _batch_normalisation,
    "Sigmoid": _sigmoid,
    "Identity": _identity,
    "Dropout": _dropout,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
    "ArgMax": _arg_max,
}
QUANT_OPS: Mapping[str, Operation] = {"Quant": _quant, "IntQuant": _quant, "BipolarQuant": _bipolar, "Trunc": _trunc}


def _channels_last(node: _Node) -> Exact:
    """The wrapped operations of qonnx: channels last outside, the ONNX operation inside."""
    operation = {"Conv": _conv, "MaxPool": _max_pool}.get(node.proto.op_type)
    if operation is None:
        raise NoExactMeaningError(f"{node.proto.op_type} with channels last")

    def first(value: Exact) -> Exact:
        return value.with_num(np.moveaxis(value.num, -1, 1))

    inputs = [first(node[0])] + ([first(node[1]), *node.inputs[2:]] if node.proto.op_type == "Conv" else [])
    result = operation(_Node(node.proto, inputs, node.opset))
    return result.with_num(np.moveaxis(result.num, 1, -1))


def _constant(proto: onnx.NodeProto) -> Exact:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
    if len(attributes) != 1:
        raise NoExactMeaningError(f"a Constant with {sorted(attributes)}")
    ((name, value),) = attributes.items()
    if name == "value":
        return Exact.of(numpy_helper.to_array(value))
    if name in ("value_float", "value_floats"):
        return Exact.of(np.array(value, dtype=np.float32))
    if name in ("value_int", "value_ints"):
        return Exact.of(np.array(value, dtype=np.int64))
    raise NoExactMeaningError(f"a Constant with {name}")


class Executor:
    """A file in exact arithmetic; tensors are computed when they are asked for, and kept."""

    def __init__(self, model: onnx.ModelProto, feeds: Mapping[str, Exact]) -> None:
        versions = [entry for entry in model.opset_import if entry.domain in STANDARD]
        if len(versions) != 1:
            raise NoExactMeaningError(f"{len(versions)} versions of the standard operator set")
        self.opset = versions[0].version
        if len(model.functions):
            raise NoExactMeaningError("a file with functions of its own")
        graph = model.graph
        self.values = dict(feeds)
        self.outputs = [value.name for value in graph.output]
        self.initializers = {tensor.name: tensor for tensor in graph.initializer}
        if len(graph.sparse_initializer) or len(self.initializers) != len(graph.initializer):
            raise NoExactMeaningError("sparse or repeated constants")
        self.producers: dict[str, onnx.NodeProto] = {}
        for node in graph.node:
            for name in filter(None, node.output):
                if name in self.producers or name in self.initializers or name in feeds:
                    raise NoExactMeaningError(f"the tensor {name!r} has two sources")
                self.producers[name] = node

    def __getitem__(self, name: str) -> Exact:
        """The value of a tensor.

        Raises:
            NoExactMeaningError: It has none.
        """
        pending = [name]
        while pending:
            current = pending[-1]
            if current in self.values:
                pending.pop()
                continue
            if len(pending) > len(self.producers) + 2:
                raise NoExactMeaningError("a cycle")
            missing = [] if current in self.initializers else self._missing(current)
            if missing:
                pending.append(missing[0])
                continue
            self.values[current] = self._computed(current)
        return self.values[name]

    def _missing(self, name: str) -> list[str]:
        if name not in self.producers:
            raise NoExactMeaningError(f"the tensor {name!r} has no source")
        return [entry for entry in self.producers[name].input if entry and entry not in self.values]

    def _computed(self, name: str) -> Exact:
        if name in self.initializers:
            tensor = self.initializers[name]
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                raise NoExactMeaningError("external data")
            return self._named(name, lambda: Exact.of(numpy_helper.to_array(tensor)))
        node = self.producers[name]
        return self._named(f"{node.name or name} ({node.op_type})", lambda: self.evaluate(node))

    @staticmethod
    def _named(where: str, function: Callable[[], Exact]) -> Exact:
        try:
            return function()
        except NoExactMeaningError as error:
            raise NoExactMeaningError(f"{where}: {error}") from error
        except ValueError as error:  # NumPy's: shapes that do not broadcast
            raise NoExactMeaningError(f"{where}: {error}") from error

    def evaluate(self, proto: onnx.NodeProto) -> Exact:
        """The result of one node, whose inputs are known."""
        if proto.domain in STANDARD:
            if proto.op_type == "Constant":
                return _constant(proto)
            table: Mapping[str, Operation] = STANDARD_OPS
        elif proto.domain in QUANT_DOMAINS:
            table = QUANT_OPS
        elif proto.domain == CHANNELS_LAST:
            table = {proto.op_type: _channels_last}
        else:
            table = {}
        if proto.op_type not in table:
            raise NoExactMeaningError(f"the operation {proto.domain or 'ai.onnx'}.{proto.op_type}")
        self._check_attributes(proto)
        inputs = [self.values[name] if name else None for name in proto.input]
        while inputs and inputs[-1] is None:
            inputs.pop()
        return table[proto.op_type](_Node(proto, inputs, self.opset))

    def _check_attributes(self, proto: onnx.NodeProto) -> None:
        """An attribute that the operation does not have at the file's version has no meaning."""
        if proto.domain in STANDARD:
            known = set(onnx.defs.get_schema(proto.op_type, self.opset, "").attributes)
        elif proto.domain == CHANNELS_LAST:
            return
        else:
            known = {"signed", "narrow", "rounding_mode"}
        names = [attribute.name for attribute in proto.attribute]
        unknown = sorted(set(names) - known)
        if unknown or len(names) != len(set(names)):
            raise NoExactMeaningError(f"unknown or repeated attributes {unknown or names}")


def run(model: onnx.ModelProto, feeds: Mapping[str, Exact]) -> dict[str, Exact]:
    """The file's outputs in exact arithmetic.

    Args:
        model: A QONNX or ONNX model.
        feeds: The values of its inputs.

    Raises:
        NoExactMeaningError: The outputs have no exact value.
    """
    executor = Executor(model, feeds)
    return {name: executor[name] for name in executor.outputs}
