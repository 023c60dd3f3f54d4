"""ONNX ops on single values: quantizers, activations, factors, sums, functions; and constants that a file computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from quantunet import functions
from quantunet.accumulator import bits_for
from quantunet.errors import FileFormatError, LayoutError, ScaleError, ShapeError, UnsupportedOpError
from quantunet.ir import MAX_BITS, MAX_TENSOR_VALUES
from quantunet.onnx_file import Op, Reals
from quantunet.onnx_walk import Carried, Constant, Walk, expect, place_of
from quantunet.qonnx_quant import BIAS_MAX_BITS, Quantizer, read_bipolar, read_linear, read_quant, read_trunc
from quantunet.ranges import Bound

Number = Fraction | float


def quant(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``Quant`` and ``IntQuant``."""
    source = walk.get(op, 0)
    constants = walk.file.constants
    if isinstance(source, Constant):
        return _constant(read_quant(op.node, op.name, op.attributes, constants, BIAS_MAX_BITS), source)
    quantizer = read_quant(op.node, op.name, op.attributes, constants, MAX_BITS)
    return replace(source, value=walk.builder.quantise(place_of(op), source.value, quantizer.rule()))


def bipolar_quant(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``BipolarQuant``."""
    source = walk.get(op, 0)
    quantizer = read_bipolar(op.node, op.name, walk.file.constants)
    if isinstance(source, Constant):
        return _constant(quantizer, source)
    return replace(source, value=walk.builder.quantise(place_of(op), source.value, quantizer.rule()))


def trunc(walk: Walk, op: Op) -> Carried:
    """Read ``Trunc``: integers that lose their last places."""
    source = walk.tensor(op)
    quantizer = read_trunc(op.node, op.name, op.attributes, walk.file.constants)
    return replace(source, value=walk.builder.quantise(place_of(op), source.value, quantizer.rule()))


def _constant(quantizer: Quantizer, source: Constant) -> Constant:
    codes = quantizer.integers(source.values)
    bits = quantizer.bits + (not quantizer.signed)
    if quantizer.bipolar or quantizer.zero:
        bits = max(bits_for(int(codes.min()), int(codes.max())) if codes.size else 1, 2)
    return Constant(codes * quantizer.scales, codes, quantizer.scales, bits)


def quantize_linear(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``QuantizeLinear``: the value stays what the integers stand for, which ``DequantizeLinear`` says."""
    source = walk.get(op, 0)
    rank = source.values.ndim if isinstance(source, Constant) else len(source.axes)
    quantizer = read_linear(op.node, op.name, op.attributes, walk.file.constants, rank)
    if isinstance(source, Constant):
        codes = quantizer.integers(source.values) + quantizer.zero
        return Constant(codes.astype(np.float64), whole=True)
    value = walk.builder.quantise(place_of(op), source.value, quantizer.rule())
    step = quantizer.step
    assert step is not None  # rule() has refused others
    return replace(source, value=value, integers=(step, quantizer.zero))


def dequantize_linear(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``DequantizeLinear``."""
    source = walk.get(op, 0)
    if isinstance(source, Constant):
        quantizer = read_linear(op.node, op.name, op.attributes, walk.file.constants, source.values.ndim, source.whole)
        codes = source.values.astype(np.int64) - quantizer.zero
        low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
        bits = quantizer.bits if not quantizer.zero and quantizer.signed else bits_for(low, high)
        return Constant(codes * quantizer.scales, codes, quantizer.scales, bits)
    quantizer = read_linear(op.node, op.name, op.attributes, walk.file.constants, len(source.axes), integer=True)
    if source.integers is None:
        raise UnsupportedOpError(
            op.name,
            expected="a QuantizeLinear in front of DequantizeLinear",
            got="real numbers",
            hint="Export it again.",
        )
    step, zero = source.integers
    if quantizer.step is None or zero != quantizer.zero:
        raise ScaleError(
            op.name, expected=f"one scale, and the zero point {zero} of the QuantizeLinear in front",
            got=f"{quantizer.scales.size} scales and the zero point {quantizer.zero}",
        )  # fmt: skip
    value, channels = source.value, source.value.shape[2]
    if quantizer.step != step:
        gain = [quantizer.step / step] * channels
        value = walk.builder.scale(place_of(op), value, gain, [Fraction(0)] * channels)
    return replace(source, value=value, integers=None)


def relu(walk: Walk, op: Op) -> Carried:
    """Read ``Relu``."""
    return _clip_at(walk, op, walk.tensor(op), Fraction(0), None)


def _clip_at(walk: Walk, op: Op, tensor: Carried, low: Bound, high: Bound) -> Carried:
    return replace(tensor, value=walk.builder.clip(place_of(op), tensor.value, low, high))


def thresholded_relu(walk: Walk, op: Op) -> Carried:
    """Read ``ThresholdedRelu`` at 0, which is a ReLU."""
    alpha = op.attributes.number("alpha")
    expect(op, "alpha", 1.0 if alpha is None else alpha, 0.0)
    return relu(walk, op)


def leaky_relu(walk: Walk, op: Op) -> Carried:
    """Read ``LeakyRelu``."""
    alpha = op.attributes.number("alpha")
    return _leaky(walk, op, [Fraction(float(np.float32(0.01)) if alpha is None else alpha)])


def prelu(walk: Walk, op: Op) -> Carried:
    """Read ``PRelu`` with one slope, or one of each channel."""
    tensor = walk.tensor(op)
    slopes = _per_channel(op, walk.constant(op, 1, "slopes"), tensor)
    return _leaky(walk, op, slopes)


def _leaky(walk: Walk, op: Op, slopes: list[Fraction]) -> Carried:
    tensor = walk.tensor(op)
    if any(slope < 0 for slope in slopes):
        raise UnsupportedOpError(op.name, expected="slopes of 0 or more", got=str(float(min(slopes))))
    channels = tensor.value.shape[2]
    spread = slopes * channels if len(slopes) == 1 else slopes
    return replace(tensor, value=walk.builder.leaky(place_of(op), tensor.value, spread))


def clip(walk: Walk, op: Op) -> Carried:
    """Read ``Clip``."""
    attributes = op.attributes
    bounds: list[Bound] = []
    for index, key in enumerate(("min", "max"), start=1):
        number = attributes.number(key)
        if op.has_input(index):
            number = walk.scalar(op, index, "a bound")
        bounds.append(None if number is None or np.isinf(number) else Fraction(number))
        if number is not None and (np.isnan(number) or number == (np.inf if key == "min" else -np.inf)):
            raise UnsupportedOpError(op.name, expected=f"a finite {key}", got=str(number))
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise UnsupportedOpError(op.name, expected="min <= max", got=f"{float(low)} and {float(high)}")
    return _clip_at(walk, op, walk.tensor(op), low, high)


def extremum(walk: Walk, op: Op) -> Carried:
    """Read ``Max`` and ``Min``: of a tensor and one number, or the maximum of two tensors."""
    if len(op.node.input) != 2:
        raise UnsupportedOpError(op.name, expected="two inputs", got=str(len(op.node.input)))
    first, second = walk.get(op, 0), walk.get(op, 1)
    if isinstance(first, Carried) and isinstance(second, Carried):
        if op.kind != "Max":
            raise UnsupportedOpError(op.name, expected="Max of two tensors, or a constant", got="Min of two tensors")
        _same_order(op, first, second)
        return replace(first, value=walk.builder.maximum(place_of(op), first.value, second.value))
    index = 0 if isinstance(second, Constant) else 1
    bound = Fraction(walk.scalar(op, 1 - index, "a bound"))
    low, high = (bound, None) if op.kind == "Max" else (None, bound)
    return _clip_at(walk, op, walk.tensor(op, index), low, high)


def sigmoid(walk: Walk, op: Op) -> Carried:
    """Read ``Sigmoid``."""
    tensor = walk.tensor(op)
    return replace(tensor, value=walk.builder.sigmoid(place_of(op), tensor.value))


def _hard_sigmoid(op: Op) -> Callable[[Number], Number]:
    alpha, beta = op.attributes.number("alpha"), op.attributes.number("beta")
    a = Fraction(float(np.float32(0.2)) if alpha is None else alpha)
    b = Fraction(0.5 if beta is None else beta)
    return lambda x: min(max(Fraction(x) * a + b, Fraction(0)), Fraction(1))


def _elu(op: Op) -> Callable[[Number], Number]:
    alpha = op.attributes.number("alpha")
    scale = 1.0 if alpha is None else alpha
    return lambda x: x if x >= 0 else scale * math.expm1(x)


def _selu(op: Op) -> Callable[[Number], Number]:
    alpha, gamma = op.attributes.number("alpha"), op.attributes.number("gamma")
    a = float(np.float32(1.67326319217681884765625)) if alpha is None else alpha
    g = float(np.float32(1.05070102214813232421875)) if gamma is None else gamma
    return lambda x: Fraction(g) * x if x >= 0 and isinstance(x, Fraction) else g * (x if x >= 0 else a * math.expm1(x))


FUNCTIONS: dict[str, Callable[[Op], Callable[[Number], Number]]] = {
    "Tanh": lambda op: math.tanh,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda op: functions.hard_swish,
    "Elu": _elu,
    "Selu": _selu,
    "Softplus": lambda op: functions.softplus,
    "Softsign": lambda op: functions.softsign,
    "Mish": lambda op: functions.mish,
    "Gelu": lambda op: functions.gelu,
    "Abs": lambda op: functions.absolute,
    "Sign": lambda op: lambda x: Fraction((x > 0) - (x < 0)),
    "Exp": lambda op: math.exp,
    "Erf": lambda op: math.erf,
}
"""Functions of one value, which become tables; fractions where they are exact, else float64."""


def function(walk: Walk, op: Op) -> Carried:
    """Read a function of one value."""
    if op.kind == "Gelu":
        expect(op, "approximate", op.attributes.text("approximate", "none"), "none")
    tensor = walk.tensor(op)
    return replace(tensor, value=walk.builder.curve(place_of(op), tensor.value, FUNCTIONS[op.kind](op)))


def batch_norm(walk: Walk, op: Op) -> Carried:
    """Read ``BatchNormalization`` in evaluation mode; the square root is a float64 and exact from there on."""
    tensor = walk.tensor(op)
    expect(op, "training_mode", op.attributes.integer("training_mode", 0), 0)
    axis = len(tensor.axes) - 1 if op.channels_last else 1
    channels = tensor.value.shape[2]
    if len(tensor.axes) < 2 or tensor.axes[axis] != "c":
        if len(tensor.axes) < 2 or tensor.letters(axis) != ("c" if channels > 1 else ""):
            raise LayoutError(op.name, expected=f"channels on axis {axis}", got=str(tensor.axes))
    names = ("factors", "summands", "means", "variances")
    parts = [walk.constant(op, index, name) for index, name in enumerate(names, start=1)]
    if any(part.values.shape != (channels,) for part in parts):
        raise ShapeError(op.name, expected=f"constants of {channels} values", got=str([p.values.shape for p in parts]))
    epsilon = op.attributes.number("epsilon")
    spread = parts[3].values + (float(np.float32(1e-5)) if epsilon is None else epsilon)
    if (spread <= 0).any():
        raise UnsupportedOpError(op.name, expected="variances of 0 or more", got=str(float(spread.min())))
    roots = [Fraction(value) for value in np.sqrt(spread).tolist()]
    gains = [gamma / root for gamma, root in zip(parts[0].fractions(), roots, strict=True)]
    offsets = [
        beta - mean * gain for beta, mean, gain in zip(parts[1].fractions(), parts[2].fractions(), gains, strict=True)
    ]
    return replace(tensor, value=walk.builder.scale(place_of(op), tensor.value, gains, offsets))


def _same_order(op: Op, first: Carried, second: Carried) -> None:
    if [first.letters(axis) for axis in range(len(first.axes))] != [
        second.letters(axis) for axis in range(len(second.axes))
    ] and first.value.shape[2] == second.value.shape[2]:
        raise LayoutError(op.name, expected="tensors with one order of axes", got=f"{first.axes} and {second.axes}")


def arithmetic(walk: Walk, op: Op) -> Carried:
    """Read ``Add``, ``Sub``, ``Mul`` and ``Div``: of two tensors, or of a tensor and a constant."""
    first, second = walk.get(op, 0), walk.get(op, 1)
    if isinstance(first, Carried) and isinstance(second, Carried):
        return _of_two(walk, op, first, second)
    index = 0 if isinstance(second, Constant) else 1
    found, other = walk.get(op, index), walk.get(op, 1 - index)
    assert isinstance(found, Carried) and isinstance(other, Constant)  # two constants are folded
    constants = _per_channel(op, other, found)
    channels = found.value.shape[2]
    constants = constants * channels if len(constants) == 1 else constants
    ones, zeros = [Fraction(1)] * channels, [Fraction(0)] * channels
    if op.kind == "Div" and (index == 1 or not all(constants)):
        raise UnsupportedOpError(op.name, expected="a division by a constant other than 0", got="another")
    if op.kind == "Mul":
        gain, offset = constants, zeros
    elif op.kind == "Div":
        gain, offset = [1 / each for each in constants], zeros
    elif op.kind == "Add":
        gain, offset = ones, constants
    elif index == 0:
        gain, offset = ones, [-each for each in constants]
    else:
        gain, offset = [-each for each in ones], constants
    if gain == ones and offset == zeros:
        return found
    return replace(found, value=walk.builder.scale(place_of(op), found.value, gain, offset))


def _of_two(walk: Walk, op: Op, first: Carried, second: Carried) -> Carried:
    _same_order(op, first, second)
    place, builder = place_of(op), walk.builder
    wider = first if first.value.shape[2] >= second.value.shape[2] else second
    if op.kind == "Mul":
        curve = builder.curves(place, first.value, second.value, lambda a, b: a * b)
        return replace(wider, value=curve or builder.multiply(place, first.value, second.value))
    if op.kind in ("Add", "Sub"):
        sign = 1 if op.kind == "Add" else -1
        return replace(first, value=builder.add(place, first.value, second.value, sign))
    raise UnsupportedOpError(op.name, expected="a division by a constant", got="a division of two tensors")


def _per_channel(op: Op, constant: Constant, tensor: Carried) -> list[Fraction]:
    """Return a constant that meets a tensor: one number, or one for each channel."""
    values, rank = constant.values, len(tensor.axes)
    if values.size == 1:
        return constant.fractions()
    shape = (1,) * (rank - values.ndim) + values.shape
    allowed = [{1, tensor.size(axis)} if tensor.letters(axis) == "c" else {1} for axis in range(rank)]
    if len(shape) != rank or any(size not in sizes for size, sizes in zip(shape, allowed, strict=True)):
        raise UnsupportedOpError(
            op.name, expected="one number, or one for each channel", got=f"a constant of shape {values.shape}"
        )
    return constant.fractions()


def identity(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``Identity``."""
    return walk.get(op, 0)


def cast(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``Cast`` of a constant, or of real numbers to real numbers."""
    found = walk.get(op, 0)
    to = op.attributes.integer("to", 0)
    real = to in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    if isinstance(found, Carried) and (not real or found.integers is not None):
        raise UnsupportedOpError(op.name, expected="a Cast between real numbers", got=f"one to type {to}")
    return found


def dropout(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``Dropout`` in evaluation mode, which does nothing."""
    if op.has_input(2) and walk.constant(op, 2, "training mode").values.any():
        raise UnsupportedOpError(
            op.name, expected="a network in evaluation mode", got="Dropout in training mode",
            hint="Export the network in evaluation mode.",
        )  # fmt: skip
    return walk.get(op, 0)


def argmax(walk: Walk, op: Op) -> Carried:
    """Read ``ArgMax`` over the channels, the first of equals."""
    tensor = walk.tensor(op)
    rank = len(tensor.axes)
    axis = op.attributes.integer("axis", 0) % rank
    if tensor.letters(axis) != "c":
        raise LayoutError(op.name, expected="ArgMax over the channels", got=f"axis {axis} of {tensor.axes}")
    expect(op, "select_last_index", op.attributes.integer("select_last_index", 0), 0)
    keep = op.attributes.integer("keepdims", 1)
    axes = tuple(letters for each, letters in enumerate(tensor.axes) if keep or each != axis)
    return Carried(walk.builder.argmax(place_of(op), tensor.value), axes)


def shape(walk: Walk, op: Op) -> Constant:
    """Read ``Shape``: a constant, since sizes are fixed."""
    found = walk.get(op, 0)
    dims = list(found.values.shape) if isinstance(found, Constant) else found.dims
    return Constant(np.array(dims, dtype=np.float64), whole=True)


_FOLDED_LIMIT = MAX_TENSOR_VALUES


def folded(walk: Walk, op: Op) -> Constant | None:
    """Return what an op of constants alone is, by ONNX' own definition in float64; ``None`` if it has other inputs.

    Raises:
        UnsupportedOpError: The definition has no value for it.
    """
    names = [name for name in op.node.input if name]
    if not names or any(not isinstance(walk.values.get(name), Constant) and name not in walk.file.constants
                        for name in names):  # fmt: skip
        return None
    inputs = {name: walk.get(op, index) for index, name in enumerate(op.node.input) if name}
    feeds = {}
    for name, found in inputs.items():
        assert isinstance(found, Constant)
        feeds[name] = found.values.astype(np.int64) if found.whole else found.values
    try:
        versions = [item.version for item in walk.file.model.opset_import if item.domain in ("", "ai.onnx")]
        evaluator = ReferenceEvaluator(op.node, opsets={"": versions[0]})
        (result, *_) = evaluator.run(None, feeds)
    except Exception as error:  # the reference evaluator raises whatever its implementations raise
        raise UnsupportedOpError(
            op.name, expected=f"{op.kind} of constants that can be computed", got=str(error)[:200],
            hint="Fold the file's constants (onnxsim, or qonnx's cleanup).",
        ) from error  # fmt: skip
    array = np.asarray(result)
    if array.size > _FOLDED_LIMIT or array.dtype.kind not in "fiub" or not np.isfinite(array.astype(np.float64)).all():
        raise FileFormatError(op.name, expected="finite constants", got=f"{array.dtype} {array.shape}")
    values: Reals = array.astype(np.float64)
    return Constant(values, whole=array.dtype.kind in "iu")
