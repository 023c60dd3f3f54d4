"""QONNX files in exact rational arithmetic: what a file means, without the product and without floating point.

Every tensor is ``num * unit``: an object array of Python integers and one common fraction. Constants are the exact
values of their float32 or float64 numbers. The definitions are those of qonnx (``qonnx.custom_op.general``) and of the
ONNX operators; what they leave open, or what has no value in exact arithmetic (NaN, infinity, an attribute that
contradicts a shape), raises :class:`NoExactMeaningError`. Nothing of the product is imported here.

Irrational functions are computed once in float64, exact from there: the square root in BatchNormalization, Sigmoid,
Tanh and their like.
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
    if np.broadcast_shapes(x.shape, scale.shape, zero.shape) != x.shape:
        raise NoExactMeaningError(f"scales of {scale.shape} and zero points of {zero.shape} for {x.shape}")
    if zero.num.size == 1 and zero.only() == 0 and not (bits == 1 and signed) and (scale.num > 0).all():
        low, high = integer_range(bits, signed, narrow)
        top, bottom = (x.unit / scale.unit).as_integer_ratio()

        def quotient(value: int, one: int) -> int:
            above, below = value * top, one * bottom
            if above <= low * below:
                return low
            return high if above >= high * below else rounding(Fraction(above, below))

        return multiply(Exact(_each(quotient, x.num, scale.num)), scale)
    y = add(divide(x, scale), zero)
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

    def __init__(
        self, proto: onnx.NodeProto, inputs: list[Exact | None], opset: int, kinds: Sequence[int] = ()
    ) -> None:
        self.proto = proto
        self.inputs = inputs
        self.opset = opset
        self.kinds = kinds
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


_LENGTHS = {"kernel_shape": 1, "strides": 1, "dilations": 1, "output_padding": 0}
"""Attributes with a number for each axis, and what they have for an axis of height 1."""


def _with_height(operation: Operation) -> Operation:
    """The operation on images, also for signals: images of height 1."""

    def lifted(node: _Node) -> Exact:
        if len(node[0].shape) != 3:
            return operation(node)
        matrix = node.proto.op_type in ("Conv", "ConvTranspose")
        inputs = [
            value.with_num(value.num[:, :, None]) if value is not None and index < 1 + matrix else value
            for index, value in enumerate(node.inputs)
        ]
        image = _Node(node.proto, inputs, node.opset, node.kinds)
        for name, value in node.attributes.items():
            if name in _LENGTHS:
                image.attributes[name] = [_LENGTHS[name], *value]
            elif name == "pads" and len(value) == 2:
                image.attributes[name] = [0, value[0], 0, value[1]]
            elif name == "output_shape":
                image.attributes[name] = [*value[:-1], 1, value[-1]]
        result = operation(image)
        return result.with_num(result.num[:, :, 0])

    return lifted


@_with_height
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


@_with_height
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
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise NoExactMeaningError(f"auto_pad = {auto}")
    if auto != "NOTSET" and pads is not None and any(pads):
        raise NoExactMeaningError(f"both auto_pad = {auto} and pads")
    if wanted is None and auto.startswith("SAME"):
        wanted = [size[a] * strides[a] for a in (0, 1)]
    if wanted is not None:
        # "If (auto_pads == SAME_UPPER): pads[start_i] = total_padding[i]/2; pads[end_i] = the rest. Else: the reverse."
        total = [full[a] + extra[a] - wanted[a] for a in (0, 1)]
        if min(total) < 0:
            raise NoExactMeaningError(f"output_shape = {wanted}, larger than the full result")
        small, large = [value // 2 for value in total], [value - value // 2 for value in total]
        margins = [*small, *large] if auto == "SAME_UPPER" else [*large, *small]
    else:
        margins = [0, 0, 0, 0] if pads is None or auto == "VALID" else list(pads)
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


@_with_height
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


@_with_height
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


def _reduced(function: Callable[..., Any], node: _Node, axes: Sequence[int], keep: bool) -> Exact:
    return node[0].with_num(_wrap(function(node[0].num, axis=tuple(axes), keepdims=keep)))


def _mean(node: _Node, axes: Sequence[int], keep: bool) -> Exact:
    count = math.prod(node[0].shape[axis] for axis in axes)
    total = _reduced(np.sum, node, axes, keep)
    return Exact(total.num, total.unit / count)


def _global_average_pool(node: _Node) -> Exact:
    node.arity(1, 1)
    return _mean(node, range(2, len(node[0].shape)), True)


def _global_max_pool(node: _Node) -> Exact:
    node.arity(1, 1)
    return _reduced(np.max, node, range(2, len(node[0].shape)), True)


def _reduce(function: Callable[[_Node, Sequence[int], bool], Exact]) -> Operation:
    def operation(node: _Node) -> Exact:
        rank = len(node[0].shape)
        axes = _axes(node, 18)
        if axes is None and node.get("noop_with_empty_axes", 0):
            return node[0]
        chosen = range(rank) if axes is None else [_axis(axis, rank) for axis in axes]
        return function(node, list(chosen), bool(node.get("keepdims", 1)))

    return operation


def _product(first: Exact, second: Exact) -> Exact:
    left, right = first.num, second.num
    if not left.size or not right.size:
        raise NoExactMeaningError("an empty tensor")
    if left.ndim == right.ndim == 2:
        return Exact(_dot(left, right), first.unit * second.unit)
    return Exact(_wrap(np.matmul(left, right)), first.unit * second.unit)


def _mat_mul(node: _Node) -> Exact:
    node.arity(2, 2)
    return _product(node[0], node[1])


def _gemm(node: _Node) -> Exact:
    node.arity(2, 3)
    alpha, beta = (Exact.of(np.float32(node.get(name, 1.0))) for name in ("alpha", "beta"))
    first, second = (
        value.with_num(value.num.T) if node.get(name, 0) else value
        for name, value in (("transA", node[0]), ("transB", node[1]))
    )
    result = multiply(_product(first, second), alpha)
    bias = node.optional(2)
    return result if bias is None else add(result, multiply(bias, beta))


# Element by element


def _integer_kind(node: _Node, index: int) -> tuple[int, int] | None:
    """The range of the integers of an input, where the file says it."""
    names = {
        "INT4": (4, True), "UINT4": (4, False), "INT8": (8, True), "UINT8": (8, False), "INT16": (16, True),
        "UINT16": (16, False), "INT32": (32, True),
    }  # fmt: skip
    kind = node.kinds[index] if index < len(node.kinds) else 0
    name = onnx.TensorProto.DataType.Name(kind)
    return integer_range(*names[name], False) if name in names else None


def _spread(node: _Node, index: int, rank: int) -> Exact:
    """A scale or a zero point, laid along the axis that the node names."""
    value = node[index]
    if value.num.size == 1:
        return _one(value)
    if len(value.shape) != 1:
        raise NoExactMeaningError(f"input {index} of shape {value.shape}: blocks")
    axis = _axis(node.get("axis", 1), rank)
    return value.with_num(value.num.reshape([-1 if each == axis else 1 for each in range(rank)]))


def _quantize_linear(node: _Node) -> Exact:
    node.arity(2, 3)
    x, scale = node[0], _spread(node, 1, len(node[0].shape))
    given = node.optional(2)
    zero = Exact.of(0) if given is None else _spread(node, 2, len(x.shape))
    found = _integer_kind(node, 2) if given is not None else integer_range(8, False, False)
    declared = node.get("output_dtype", 0)
    if declared and given is None:
        kinds = _Node(node.proto, [], node.opset, [declared])
        found = _integer_kind(kinds, 0)
    if found is None or node.get("block_size", 0):
        raise NoExactMeaningError("QuantizeLinear to numbers of another kind")
    low, high = found
    quotient = divide(x, scale)
    if quotient.shape != x.shape:
        raise NoExactMeaningError(f"a scale that makes {quotient.shape} of {x.shape}")
    nearest = Exact(_each(lambda value: half_even(value * quotient.unit), quotient.num))
    shifted = add(nearest, zero)
    return Exact(_each(lambda value: min(max(int(value * shifted.unit), low), high), shifted.num))


def _dequantize_linear(node: _Node) -> Exact:
    node.arity(2, 3)
    x, scale = node[0], _spread(node, 1, len(node[0].shape))
    if node.get("block_size", 0):
        raise NoExactMeaningError("DequantizeLinear of blocks")
    zero = Exact.of(0) if node.optional(2) is None else _spread(node, 2, len(x.shape))
    return multiply(add(x, zero, -1), scale)


def _function(function: Callable[[_Node, float], float]) -> Operation:
    """A function with no exact value: of the nearest float64, in float64."""

    def operation(node: _Node) -> Exact:
        node.arity(1, 1)
        return Exact.of(_each(lambda value: Fraction(function(node, float(value * node[0].unit))), node[0].num))

    return operation


def _rational(function: Callable[[_Node, Fraction], Fraction]) -> Operation:
    def operation(node: _Node) -> Exact:
        node.arity(1, 1)
        return Exact.of(_each(lambda value: function(node, Fraction(value * node[0].unit)), node[0].num))

    return operation


def _number(node: _Node, name: str, default: float) -> float:
    """An attribute, which is a float32 in the file."""
    return float(np.float32(node.get(name, default)))


def _hard_sigmoid(node: _Node, value: Fraction) -> Fraction:
    slope, offset = Fraction(_number(node, "alpha", 0.2)), Fraction(_number(node, "beta", 0.5))
    return max(Fraction(0), min(Fraction(1), value * slope + offset))


def _hard_swish(node: _Node, value: Fraction) -> Fraction:
    return value * max(Fraction(0), min(Fraction(1), value / 6 + Fraction(1, 2)))


def _elu(node: _Node, value: float) -> float:
    return value if value >= 0 else _number(node, "alpha", 1.0) * math.expm1(value)


def _selu(node: _Node, value: float) -> float:
    alpha, gamma = _number(node, "alpha", 1.67326319217681884765625), _number(node, "gamma", 1.05070102214813232421875)
    return gamma * (value if value >= 0 else alpha * math.expm1(value))


def _softplus(node: _Node, value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _gelu(node: _Node, value: float) -> float:
    if _text(node.get("approximate", b"none")) != "none":
        raise NoExactMeaningError("an approximate Gelu")
    return value * (1 + math.erf(value / math.sqrt(2))) / 2


def _power(node: _Node) -> Exact:
    node.arity(2, 2)
    if len(set(node[1].num.ravel())) == 1 and node[1].only().denominator == 1 and 0 <= node[1].only() <= 8:
        exponent = int(node[1].only())
        if np.broadcast_shapes(node[0].shape, node[1].shape) == node[0].shape:
            return Exact.of(_each(lambda value: Fraction(value * node[0].unit) ** exponent, node[0].num))
    return Exact.of(np.power(node[0].floats(), node[1].floats()))


def _cast(node: _Node) -> Exact:
    to = onnx.TensorProto.DataType.Name(node.required("to"))
    if to in ("FLOAT", "DOUBLE"):
        return node[0]
    if to in ("INT64", "INT32"):
        return Exact(_each(lambda value: math.trunc(value * node[0].unit), node[0].num))
    raise NoExactMeaningError(f"a Cast to {to}")


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
    shape = [size + before + after for size, (before, after) in zip(x.shape, both, strict=True)]
    padded = np.full(shape, filling.num.ravel()[0], dtype=object)
    padded[tuple(slice(before, before + size) for size, (before, _) in zip(x.shape, both, strict=True))] = x.num
    return x.with_num(padded)


def _slice(node: _Node) -> Exact:
    rank = len(node[0].shape)
    if node.opset < 10:
        starts, ends, axes = list(node.required("starts")), list(node.required("ends")), node.get("axes")
        steps = [1] * len(starts)
    else:
        node.arity(3, 5)
        starts, ends, axes = node.ints(1) or [], node.ints(2) or [], node.ints(3)
        steps = node.ints(4) or [1] * len(starts)
    axes = list(range(len(starts))) if axes is None else [_axis(axis, rank) for axis in axes]
    if not len(starts) == len(ends) == len(axes) == len(steps) or min([1, *steps]) < 1:
        raise NoExactMeaningError(f"a Slice from {starts} to {ends} of {axes} by {steps}")
    picked = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = node[0].shape[axis]
        first, last = (max(0, min(size, each + size if each < 0 else each)) for each in (start, end))
        picked[axis] = slice(first, last, step)
    result = node[0].num[tuple(picked)]
    if 0 in result.shape:
        raise NoExactMeaningError("a Slice of nothing")
    return node[0].with_num(result)


def _depth_to_space(node: _Node) -> Exact:
    batch, channels, height, width = node[0].shape
    size, mode = node.required("blocksize"), _text(node.get("mode", b"DCR"))
    left = channels // size**2
    if left * size**2 != channels or mode not in ("DCR", "CRD"):
        raise NoExactMeaningError(f"DepthToSpace of {channels} channels by {size}, {mode}")
    if mode == "DCR":
        split = node[0].num.reshape(batch, size, size, left, height, width).transpose(0, 3, 4, 1, 5, 2)
    else:
        split = node[0].num.reshape(batch, left, size, size, height, width).transpose(0, 1, 4, 2, 5, 3)
    return node[0].with_num(split.reshape(batch, left, height * size, width * size))


def _shape(node: _Node) -> Exact:
    sizes = list(node[0].shape)
    start, end = node.get("start", 0), node.get("end")
    return Exact.of(np.array(sizes[start:end], dtype=np.int64))


def _gather(node: _Node) -> Exact:
    node.arity(2, 2)
    indices = np.array(node.ints(1), dtype=np.int64).reshape(node[1].shape)
    axis = _axis(node.get("axis", 0), len(node[0].shape))
    return node[0].with_num(_wrap(np.take(node[0].num, indices, axis=axis)))


# Resizing, by the formulas of ONNX' Resize


def _place(rule: str, index: int, length: int, target: int, scale: Fraction) -> Fraction:
    """Where a pixel of the result lies in the input."""
    half = Fraction(1, 2)
    if rule == "half_pixel" or (rule == "pytorch_half_pixel" and target > 1):
        return (index + half) / scale - half
    if rule == "pytorch_half_pixel":
        return Fraction(0)
    if rule == "align_corners":
        return Fraction(index * (length - 1), target - 1) if target > 1 else Fraction(0)
    if rule == "asymmetric":
        return index / scale
    raise NoExactMeaningError(f"the coordinate_transformation_mode {rule}")


_NEAREST: Mapping[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda place: math.ceil(place - Fraction(1, 2)),
    "round_prefer_ceil": lambda place: math.floor(place + Fraction(1, 2)),
}


def _resize_axis(x: Exact, axis: int, scale: Fraction, mode: str, rule: str, nearest: str) -> Exact:
    length = x.shape[axis]
    target = math.floor(length * scale)
    if target < 1:
        raise NoExactMeaningError("a Resize to nothing")
    places = [_place(rule, index, length, target, scale) for index in range(target)]

    def pixel(index: int) -> npt.NDArray[np.object_]:
        return x.num.take(min(max(index, 0), length - 1), axis=axis)

    if mode == "nearest":
        return x.with_num(np.stack([pixel(_NEAREST[nearest](place)) for place in places], axis=axis))
    common = math.lcm(*(place.denominator for place in places))
    rows = []
    for place in places:
        below = math.floor(place)
        part = int((place - below) * common)
        rows.append(pixel(below) * (common - part) + pixel(below + 1) * part)
    return Exact(_wrap(np.stack(rows, axis=axis)), x.unit / common)


def _resize(node: _Node) -> Exact:
    x, old = node[0], node.proto.op_type == "Upsample" or node.opset < 11
    mode = _text(node.get("mode", b"nearest"))
    rule = "asymmetric" if old else _text(node.get("coordinate_transformation_mode", b"half_pixel"))
    nearest = "floor" if old else _text(node.get("nearest_mode", b"round_prefer_floor"))
    if mode not in ("nearest", "linear") or nearest not in _NEAREST:
        raise NoExactMeaningError(f"Resize with {mode}, {nearest}")
    if not old and (node.get("axes") is not None or node.get("antialias", 0)):
        raise NoExactMeaningError("Resize with axes or antialias")
    if node.proto.op_type == "Upsample" and node.opset < 9:
        scales = [Fraction(value) for value in node.required("scales")]
    else:
        given, sizes = node.optional(1 if old else 2), node.ints(3)
        if given is not None and given.num.size:
            scales = list(given.fractions().ravel())
        elif sizes:
            scales = [Fraction(size, before) for size, before in zip(sizes, x.shape, strict=True)]
        else:
            raise NoExactMeaningError("Resize without scales")
    if len(scales) != len(x.shape) or any(scale <= 0 for scale in scales):
        raise NoExactMeaningError(f"Resize by {scales}")
    for axis, scale in enumerate(scales):
        if scale != 1:
            x = _resize_axis(x, axis, scale, mode, rule, nearest)
    return x


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
    "QuantizeLinear": _quantize_linear,
    "DequantizeLinear": _dequantize_linear,
    "MatMul": _mat_mul,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool,
    "ReduceMean": _reduce(_mean),
    "ReduceMax": _reduce(lambda node, axes, keep: _reduced(np.max, node, axes, keep)),
    "Slice": _slice,
    "DepthToSpace": _depth_to_space,
    "Shape": _shape,
    "Gather": _gather,
    "Pow": _power,
    "Cast": _cast,
    "Sqrt": _function(lambda node, value: math.sqrt(value)),
    "Exp": _function(lambda node, value: math.exp(value)),
    "Erf": _function(lambda node, value: math.erf(value)),
    "Tanh": _function(lambda node, value: math.tanh(value)),
    "Elu": _function(_elu),
    "Selu": _function(_selu),
    "Softplus": _function(_softplus),
    "Mish": _function(lambda node, value: value * math.tanh(_softplus(node, value))),
    "Gelu": _function(_gelu),
    "HardSigmoid": _rational(_hard_sigmoid),
    "HardSwish": _rational(_hard_swish),
    "Softsign": _rational(lambda node, value: value / (1 + abs(value))),
    "Abs": _rational(lambda node, value: abs(value)),
    "Neg": _rational(lambda node, value: -value),
    "Sign": _rational(lambda node, value: Fraction((value > 0) - (value < 0))),
}
QUANT_OPS: Mapping[str, Operation] = {"Quant": _quant, "IntQuant": _quant, "BipolarQuant": _bipolar, "Trunc": _trunc}


def _channels_last(node: _Node) -> Exact:
    """The wrapped operations of qonnx: channels last outside, the ONNX operation inside."""
    wrapped = {"Conv": _conv, "MaxPool": _max_pool, "BatchNormalization": _batch_normalisation}
    operation = wrapped.get(node.proto.op_type)
    if operation is None:
        raise NoExactMeaningError(f"{node.proto.op_type} with channels last")

    def first(value: Exact) -> Exact:
        return value.with_num(np.moveaxis(value.num, -1, 1))

    weights = [first(node[1])] if node.proto.op_type == "Conv" else node.inputs[1:2]
    inputs = [first(node[0]), *weights, *node.inputs[2:]]
    result = operation(_Node(node.proto, inputs, node.opset, node.kinds))
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
        self.kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
        if len(graph.sparse_initializer) or len(self.initializers) != len(graph.initializer):
            raise NoExactMeaningError("sparse or repeated constants")
        self.producers: dict[str, onnx.NodeProto] = {}
        for node in graph.node:
            for name in filter(None, node.output):
                if name in self.producers or name in self.initializers or name in feeds:
                    raise NoExactMeaningError(f"the tensor {name!r} has two sources")
                self.producers[name] = node
            for attribute in node.attribute if node.op_type == "Constant" else ():
                self.kinds[node.output[0]] = attribute.t.data_type

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
        kinds = [self.kinds.get(name, 0) for name in proto.input]
        return table[proto.op_type](_Node(proto, inputs, self.opset, kinds))

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
