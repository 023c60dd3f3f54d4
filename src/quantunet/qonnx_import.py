"""The QONNX door: a file becomes an integer graph that means the same, or is refused with the reason.

The nodes are walked once, in the file's (topological) order. Constants are exact real numbers; what a float tensor of
the file is at each point is a value of :mod:`quantunet.normalise`, with the order of its axes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from quantunet.accumulator import bits_for
from quantunet.errors import (
    FileFormatError,
    LayoutError,
    ModelError,
    ShapeError,
    UnsupportedOpError,
    WidthError,
)
from quantunet.identifiers import identifier
from quantunet.ir import MAX_BITS, MAX_TENSOR_VALUES, Array, Conv2d, ConvTranspose2d, Graph, IntArray, QType
from quantunet.normalise import INPUT_NAME, AnyValue, Builder, Place
from quantunet.onnx_file import Attributes, OnnxFile, Op, Reals, channels_last, read
from quantunet.onnx_metadata import read_pixel_scale
from quantunet.pixels import Pixels
from quantunet.qonnx_quant import BIAS_MAX_BITS, bipolar_constant, read_quant
from quantunet.ranges import Bound

logger = logging.getLogger(__name__)

_NCHW, _NHWC = "nchw", "nhwc"

_ADVICE = {
    "BatchNormalization": "Merge it into the convolution in front before the quantizers are trained.",
    "Resize": "Use a transpose convolution (kernel 2x2, stride 2).",
    "Upsample": "Use a transpose convolution (kernel 2x2, stride 2).",
    "AveragePool": "Use a maximum pooling (2x2, stride 2).",
    "GlobalAveragePool": "End the network in front of it.",
    "Softmax": "End the network at the logits: the largest one is the class.",
    "ArgMax": "End the network at the logits: the largest one is the class.",
    "LeakyRelu": "Use a ReLU.",
    "PRelu": "Use a ReLU.",
    "Gemm": "Write a layer on every pixel as a 1x1 convolution.",
    "MatMul": "Write a layer on every pixel as a 1x1 convolution.",
    "BipolarQuant": "Use a quantizer of 2 bits.",
}


@dataclass(frozen=True)
class _Constant:
    """A constant: exact real numbers, and the type that its last quantizer declared."""

    values: Reals
    qtype: QType | None = None


@dataclass(frozen=True)
class _Tensor:
    """A value of the walk with the order of its axes in the file, four letters out of ``nchw``."""

    value: AnyValue
    axes: str
    turned: str = ""
    """The transposition that has brought the axes into this order."""


@dataclass
class _Walk:
    """The state of one import."""

    file: OnnxFile
    builder: Builder
    values: dict[str, _Tensor | _Constant] = field(default_factory=dict)

    def get(self, op: Op, index: int) -> _Tensor | _Constant:
        name = op.input(index)
        if name not in self.values:
            if name not in self.file.constants:
                raise FileFormatError(
                    op.name, expected="an input that an earlier node writes", got=f"'{name}'",
                    hint="Sort the nodes of the file, or export it again.",
                )  # fmt: skip
            self.values[name] = _Constant(self.file.constants.reals(name, op.name, self.file.role(name)))
        return self.values[name]

    def tensor(self, op: Op, index: int = 0) -> _Tensor:
        found = self.get(op, index)
        if isinstance(found, _Constant):
            raise UnsupportedOpError(
                op.name, expected=f"a tensor of the network as input {index}", got=f"the constant '{op.input(index)}'"
            )
        return found

    def constant(self, op: Op, index: int, what: str) -> _Constant:
        found = self.get(op, index)
        if not isinstance(found, _Constant):
            raise UnsupportedOpError(
                op.name, expected=f"constant {what}", got=f"'{op.input(index)}', which the network computes",
                hint="Export the network in evaluation mode.",
            )  # fmt: skip
        return found

    def image_order(self, op: Op, tensor: _Tensor) -> AnyValue:
        """Return a value for an op that reads (1, channels, height, width)."""
        height, width, channels = tensor.value.shape
        sizes = {"n": 1, "c": channels, "h": height, "w": width}
        moved = [axis for axis in tensor.axes if sizes[axis] > 1]
        as_read = [sizes[axis] for axis in tensor.axes] == [1, channels, height, width]
        if not as_read or moved != [axis for axis in _NCHW if sizes[axis] > 1]:
            raise LayoutError(
                tensor.turned or op.name,
                expected=f"axes in the order batch, channels, height, width where '{op.name}' reads them",
                got=f"{'a Transpose to ' if tensor.turned else ''}"
                + ", ".join({"n": "batch", "c": "channels", "h": "height", "w": "width"}[axis] for axis in tensor.axes),
                hint="Give the file with the channels first, as torch exports it.",
            )
        return tensor.value


def _place(op: Op) -> Place:
    return Place(op.name, op.order, f"{op.name}_out")


def _expect(op: Op, name: str, got: object, allowed: object) -> None:
    if got != allowed:
        raise UnsupportedOpError(op.name, expected=f"{name} = {allowed}", got=f"{op.kind} with {name} = {got}")


def _quant(walk: _Walk, op: Op) -> _Tensor | _Constant:
    source = walk.get(op, 0)
    constant = isinstance(source, _Constant)
    quantizer = read_quant(
        op.node, op.name, op.attributes, walk.file.constants, BIAS_MAX_BITS if constant else MAX_BITS
    )
    if isinstance(source, _Constant):
        frac = quantizer.whole_frac
        plain = frac is not None and not quantizer.bipolar and not quantizer.zero
        qtype = QType(quantizer.bits, quantizer.signed, frac) if plain and frac is not None else None
        return _Constant(quantizer.constant(source.values), qtype)
    return replace(source, value=walk.builder.quantise(_place(op), source.value, quantizer.rule()))


def _bipolar_quant(walk: _Walk, op: Op) -> _Constant:
    source = walk.get(op, 0)
    if not isinstance(source, _Constant):
        raise UnsupportedOpError(
            op.name, expected="BipolarQuant on a constant", got="on an activation", hint=_ADVICE["BipolarQuant"]
        )
    return _Constant(bipolar_constant(op.node, op.name, source.values, walk.file.constants))


def _weights(op: Op, constant: _Constant) -> tuple[Array, QType]:
    """Return weights as integers of a signed type.

    The declared type is kept; else the smallest that holds every weight exactly (quantised per channel, or by a
    constant folding of the file).
    """
    values = constant.values
    if values.ndim != 4:
        raise ShapeError(op.name, expected="weights of four axes (two-dimensional images)", got=f"{values.ndim} axes")
    if values.size > MAX_TENSOR_VALUES:
        raise ShapeError(op.name, expected=f"at most {MAX_TENSOR_VALUES} weights", got=str(values.size))
    frac = _exact_frac(values) if constant.qtype is None else constant.qtype.frac
    codes = np.ldexp(values, frac)
    low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
    bits = bits_for(low, high)
    if constant.qtype is not None:
        declared = constant.qtype.bits + (not constant.qtype.signed)
        bits = declared if declared <= MAX_BITS else bits
    if bits > MAX_BITS:
        if constant.qtype is None:
            raise UnsupportedOpError(
                op.name,
                expected=f"quantised weights (multiples of one power of two, at most {MAX_BITS} bits)",
                got=f"weights that need {bits} bits",
                hint="Train the network with quantizers, and export those with it.",
            )
        raise WidthError(
            op.name, expected=f"weights of at most {MAX_BITS} bits, the sign included", got=f"{bits} bits",
            hint="Train with fewer bits.",
        )  # fmt: skip
    return codes.astype(np.int64), QType(bits, True, frac)


def _exact_frac(values: Reals) -> int:
    """Return the fewest fractional bits with which every value is an integer.

    >>> _exact_frac(np.array([0.5, 0.75, -4.0])), _exact_frac(np.array([0.0])), _exact_frac(np.array([8.0]))
    (2, 0, -3)
    """
    nonzero = values[values != 0]
    if not nonzero.size:
        return 0
    mantissa, exponent = np.frexp(nonzero)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    zeros = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int((53 - zeros - exponent).max())


def _pads(op: Op, attributes: Attributes, kernel: list[int], stride: int, size: tuple[int, int]) -> list[int]:
    """Return the pads (top, left, bottom, right) that a node asks for, in pixels."""
    given = attributes.integers("pads")
    auto = attributes.text("auto_pad", "NOTSET")
    if auto == "NOTSET":
        return [0] * 4 if given is None else given
    if auto == "VALID":
        pads = [0] * 4
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        totals = [
            max((-(-length // stride) - 1) * stride + taps - length, 0)
            for taps, length in zip(kernel, size, strict=True)
        ]
        small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
        pads = [*small, *large] if auto == "SAME_UPPER" else [*large, *small]
    else:
        raise UnsupportedOpError(op.name, expected="auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", got=auto)
    if given is not None and any(given):
        raise FileFormatError(
            op.name, expected="either pads or auto_pad", got=f"{given} and {auto}", hint="Remove one of the two."
        )
    return pads


def _kernel(op: Op, attributes: Attributes, constant: _Constant) -> list[int]:
    """Return the kernel's size; an attribute that contradicts the weights is refused."""
    kernel = list(constant.values.shape[2:])
    given = attributes.integers("kernel_shape")
    if given is not None and given != kernel:
        raise FileFormatError(
            op.name, expected=f"kernel_shape = {kernel}, as the weights have it", got=str(given),
            hint="Export or copy it again.",
        )  # fmt: skip
    return kernel


def _operands(walk: _Walk, op: Op, stride: int) -> tuple[AnyValue, Array, QType, list[int]]:
    """Return what both kinds of convolution have: the input, the weights with their type, and the kernel's size."""
    source = walk.image_order(op, walk.tensor(op))
    constant = walk.constant(op, 1, "weights")
    codes, qtype = _weights(op, constant)
    attributes = op.attributes
    kernel = _kernel(op, attributes, constant)
    _expect(op, "group", attributes.integer("group", 1), 1)
    if any(size > 1 for size in kernel):  # one tap has no dilation
        _expect(op, "dilations", attributes.integers("dilations") or [1, 1], [1, 1])
    _expect(op, "strides", attributes.integers("strides") or [1, 1], [stride, stride])
    return source, codes, qtype, kernel


def _conv(walk: _Walk, op: Op) -> _Tensor:
    source, codes, qtype, kernel = _operands(walk, op, 1)
    if kernel not in ([1, 1], [3, 3]):
        raise UnsupportedOpError(op.name, expected="a kernel of 3x3 or 1x1", got=f"kernel {kernel}")
    pads = _pads(op, op.attributes, kernel, 1, source.shape[:2])
    _expect(op, "pads", pads, [kernel[0] // 2] * 4)
    return _matrix(walk, op, Conv2d, source, codes.transpose(2, 3, 1, 0), qtype)


def _conv_transpose(walk: _Walk, op: Op) -> _Tensor:
    source, codes, qtype, kernel = _operands(walk, op, 2)
    attributes = op.attributes
    if kernel != [2, 2]:
        raise UnsupportedOpError(op.name, expected="a kernel of 2x2", got=f"kernel {kernel}")
    # With kernel and stride of 2 every spelling of auto_pad asks for no padding.
    if attributes.text("auto_pad", "NOTSET") not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        _expect(op, "auto_pad", attributes.text("auto_pad", "NOTSET"), "NOTSET")
    _expect(op, "pads", attributes.integers("pads") or [0] * 4, [0] * 4)
    _expect(op, "output_padding", attributes.integers("output_padding") or [0, 0], [0, 0])
    _expect(op, "output_shape", attributes.integers("output_shape"), None)
    return _matrix(walk, op, ConvTranspose2d, source, codes.transpose(2, 3, 0, 1), qtype)


def _matrix(
    walk: _Walk, op: Op, kind: type[Conv2d] | type[ConvTranspose2d], source: AnyValue, codes: Array, qtype: QType
) -> _Tensor:
    bias = walk.constant(op, 2, "bias").values if op.has_input(2) else None
    value = walk.builder.matrix(_place(op), kind, source, IntArray.of(codes), qtype, bias)
    return _Tensor(value, _NCHW)


def _relu(walk: _Walk, op: Op) -> _Tensor:
    return _clip_at(walk, op, walk.tensor(op), Fraction(0), None)


def _clip_at(walk: _Walk, op: Op, tensor: _Tensor, low: Bound, high: Bound) -> _Tensor:
    return replace(tensor, value=walk.builder.clip(_place(op), tensor.value, low, high))


def _thresholded_relu(walk: _Walk, op: Op) -> _Tensor:
    alpha = op.attributes.number("alpha")
    _expect(op, "alpha", 1.0 if alpha is None else alpha, 0.0)
    return _relu(walk, op)


def _clip(walk: _Walk, op: Op) -> _Tensor:
    attributes = op.attributes
    bounds: list[Bound] = []
    for index, key in enumerate(("min", "max"), start=1):
        number = attributes.number(key)
        if op.has_input(index):
            number = _scalar(walk, op, index)
        bounds.append(None if number is None or np.isinf(number) else Fraction(number))
        if number is not None and (np.isnan(number) or number == (np.inf if key == "min" else -np.inf)):
            raise UnsupportedOpError(op.name, expected=f"a finite {key}", got=str(number))
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise UnsupportedOpError(op.name, expected="min <= max", got=f"{float(low)} and {float(high)}")
    return _clip_at(walk, op, walk.tensor(op), low, high)


def _scalar(walk: _Walk, op: Op, index: int) -> float:
    values = walk.constant(op, index, "bounds").values
    if values.size != 1:
        raise UnsupportedOpError(op.name, expected="one number as a bound", got=f"{values.size} numbers")
    return float(values.flat[0])


def _extremum(walk: _Walk, op: Op) -> _Tensor:
    """Maximum or minimum of a tensor and one number."""
    if len(op.node.input) != 2:
        raise UnsupportedOpError(op.name, expected="a tensor and a constant", got=f"{len(op.node.input)} inputs")
    index = 0 if isinstance(walk.get(op, 1), _Constant) else 1
    bound = Fraction(_scalar(walk, op, 1 - index))
    low, high = (bound, None) if op.kind == "Max" else (None, bound)
    return _clip_at(walk, op, walk.tensor(op, index), low, high)


def _maxpool(walk: _Walk, op: Op) -> _Tensor:
    tensor = walk.tensor(op)
    source = walk.image_order(op, tensor)
    attributes = op.attributes
    _expect(op, "kernel_shape", attributes.integers("kernel_shape"), [2, 2])
    _expect(op, "strides", attributes.integers("strides") or [1, 1], [2, 2])
    _expect(op, "dilations", attributes.integers("dilations") or [1, 1], [1, 1])
    height, width, _ = source.shape
    even = height % 2 == 0 and width % 2 == 0
    if even:  # ceil_mode says nothing about even sizes; of odd ones the builder tells
        _expect(op, "pads", _pads(op, attributes, [2, 2], 2, (height, width)), [0] * 4)
    return _Tensor(walk.builder.maxpool(_place(op), source), _NCHW)


def _concat(walk: _Walk, op: Op) -> _Tensor:
    tensors = [walk.tensor(op, index) for index in range(len(op.node.input))]
    axis = op.attributes.integer("axis", 0)
    axes = {tensor.axes for tensor in tensors}
    if len(axes) != 1:
        raise LayoutError(op.name, expected="legs with one order of axes", got=" and ".join(sorted(axes)))
    order = axes.pop()
    if not -4 <= axis < 4 or order[axis] != "c":
        raise LayoutError(
            op.name, expected=f"a concatenation along the channels (axis {order.index('c')})", got=f"axis {axis}"
        )
    return _Tensor(walk.builder.concat(_place(op), [tensor.value for tensor in tensors]), order)


def _sigmoid(walk: _Walk, op: Op) -> _Tensor:
    tensor = walk.tensor(op)
    return replace(tensor, value=walk.builder.sigmoid(_place(op), tensor.value))


def _identity(walk: _Walk, op: Op) -> _Tensor | _Constant:
    return walk.get(op, 0)


def _dropout(walk: _Walk, op: Op) -> _Tensor | _Constant:
    if op.has_input(2) and walk.constant(op, 2, "training mode").values.any():
        raise UnsupportedOpError(
            op.name, expected="a network in evaluation mode", got="Dropout in training mode",
            hint="Export the network in evaluation mode.",
        )  # fmt: skip
    return walk.get(op, 0)


def _transpose(walk: _Walk, op: Op) -> _Tensor | _Constant:
    found = walk.get(op, 0)
    rank = found.values.ndim if isinstance(found, _Constant) else 4
    order = op.attributes.integers("perm") or list(range(rank))[::-1]
    if sorted(order) != list(range(rank)):
        raise FileFormatError(op.name, expected=f"a permutation of {rank} axes", got=str(order))
    if isinstance(found, _Constant):
        return replace(found, values=found.values.transpose(order))
    return replace(found, axes="".join(found.axes[axis] for axis in order), turned=op.name)


def _arithmetic(walk: _Walk, op: Op) -> _Tensor:
    """Add two tensors, or apply a constant to the network's input: that is the normalisation of the picture."""
    index = 0 if isinstance(walk.get(op, 1), _Constant) else 1
    found = walk.get(op, index)
    other = walk.get(op, 1 - index)
    if op.kind == "Add" and isinstance(found, _Tensor) and isinstance(other, _Tensor):
        if found.axes != other.axes:
            raise LayoutError(op.name, expected="tensors with one order of axes", got=f"{found.axes} and {other.axes}")
        return replace(found, value=walk.builder.add(_place(op), walk.tensor(op, 0).value, walk.tensor(op, 1).value))
    if isinstance(found, _Constant) or not isinstance(other, _Constant):
        raise UnsupportedOpError(
            op.name, expected="one tensor and one constant", got=f"{op.kind} of two", hint=_ADVICE.get(op.kind, "")
        )
    constants = _per_channel(op, other.values, found.axes, found.value.shape[2])
    neutral = 0 if op.kind in ("Add", "Sub") else 1
    if all(each == neutral for each in constants) and (index == 0 or op.kind in ("Add", "Mul")):
        return found
    if op.kind == "Div" and (index == 1 or not all(constants)):
        raise UnsupportedOpError(op.name, expected="a division by a constant other than 0", got="another")
    ones, zeros = [Fraction(1)] * len(constants), [Fraction(0)] * len(constants)
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
    return replace(found, value=walk.builder.scale_input(_place(op), op.kind, found.value, gain, offset))


def _per_channel(op: Op, values: Reals, axes: str, channels: int) -> list[Fraction]:
    """Return a constant that meets the input, as one number for each channel."""
    shape = (1,) * (4 - values.ndim) + values.shape
    allowed = [{1, channels} if axis == "c" else {1} for axis in axes]
    if len(shape) != 4 or any(size not in sizes for size, sizes in zip(shape, allowed, strict=True)):
        raise UnsupportedOpError(
            op.name, expected="one number, or one for each channel", got=f"a constant of shape {values.shape}"
        )
    return [Fraction(value) for value in np.broadcast_to(values.reshape(-1), (channels,)).tolist()]


_HANDLERS: dict[str, Callable[[_Walk, Op], _Tensor | _Constant]] = {
    "Quant": _quant,
    "IntQuant": _quant,
    "BipolarQuant": _bipolar_quant,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Relu": _relu,
    "ThresholdedRelu": _thresholded_relu,
    "Clip": _clip,
    "Max": _extremum,
    "Min": _extremum,
    "MaxPool": _maxpool,
    "Concat": _concat,
    "Sigmoid": _sigmoid,
    "Identity": _identity,
    "Dropout": _dropout,
    "Transpose": _transpose,
    "Add": _arithmetic,
    "Sub": _arithmetic,
    "Mul": _arithmetic,
    "Div": _arithmetic,
}


_INPUTS = {
    "Quant": (4, 4),
    "IntQuant": (4, 4),
    "BipolarQuant": (2, 2),
    "Conv": (2, 3),
    "ConvTranspose": (2, 3),
    "Clip": (1, 3),
    "Dropout": (1, 3),
    "Max": (1, 99),
    "Min": (1, 99),
    "Concat": (1, 99),
    "Add": (2, 2),
    "Sub": (2, 2),
    "Mul": (2, 2),
    "Div": (2, 2),
}
"""Least and most inputs of an op; the others have one."""


def load(path: Path | str) -> Graph:
    """Read a QONNX file into the integer graph.

    Args:
        path: The file; its stem becomes the network's name.

    Returns:
        A graph that :func:`quantunet.graph_check.check` has passed, and that means what the file says in exact
        arithmetic over the definitions of ONNX and QONNX.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is truncated, not ONNX, or contradicts itself.
        PixelScaleError: Its metadata say nonsense about what a byte means.
        ModelError: Or a subclass: something that integers with power-of-two scales cannot represent exactly, with the
            name of the layer.
    """
    path = Path(path)
    file = read(path)
    try:
        graph = _walk(path, file, _NCHW)
    except LayoutError as error:
        # The file does not say in which order its input has its axes; only one order can be read to the end.
        try:
            graph = _walk(path, file, _NHWC)
        except LayoutError:
            raise error from None
    logger.info("%s: %d layers", path, len(graph.nodes))
    return graph


def _walk(path: Path, file: OnnxFile, axes: str) -> Graph:
    sizes = dict(zip(axes, file.input_dims, strict=True))
    walk = _Walk(file, Builder(pixels=Pixels(read_pixel_scale(file.model))))
    start = Place(INPUT_NAME, -1, INPUT_NAME)
    shape = (sizes["h"], sizes["w"], sizes["c"])
    walk.values[file.input_name] = _Tensor(walk.builder.input(start, shape), axes)
    for op in file.ops:
        if op.kind not in _HANDLERS:
            raise _unsupported(op)
        least, most = _INPUTS.get(op.kind, (1, 1))
        if not least <= len(op.node.input) <= most:
            raise FileFormatError(
                op.name,
                expected=f"{least if least == most else f'{least} to {most}'} inputs of {op.kind}",
                got=str(len(op.node.input)),
                hint="Export or copy it again.",
            )
        extra = [name for name in op.node.output[1:] if file.readers.get(name)]
        if extra:
            raise UnsupportedOpError(op.name, expected=f"one output of {op.kind}", got=f"'{extra[0]}' is read too")
        found = _HANDLERS[op.kind](walk, op)
        if isinstance(found, _Tensor) and file.readers.get(op.node.output[0], 0) > 1:
            found = replace(found, value=walk.builder.settle(found.value))
        walk.values[op.node.output[0]] = found
    output = walk.values.get(file.output)
    if not isinstance(output, _Tensor):
        raise ModelError(
            file.output, expected="an output that the network computes from its input", got="none",
            hint="Export or copy it again.",
        )  # fmt: skip
    return walk.builder.graph(identifier(path.stem), output.value, Place(identifier(file.output), len(file.ops), ""))


def _unsupported(op: Op) -> UnsupportedOpError:
    if channels_last(op):
        return UnsupportedOpError(
            op.name,
            expected="a file with the channels first",
            got=f"{op.node.op_type} of qonnx's channels-last operators",
            hint="Give the file as it was before qonnx's conversion to channels last.",
        )
    return UnsupportedOpError(
        op.name,
        expected=f"one of {', '.join(_HANDLERS)}",
        got=op.kind,
        hint=_ADVICE.get(op.kind, "Remove the operation, or compute it outside the network."),
    )
