"""Small ONNX files, each about one operator: what is taken of it, and what is refused.

Every file begins with a quantised picture and a convolution, and has the operator in a node called ``probe``; each
is made with scales of powers of two, and with others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np
import onnx
from helpers.random_qonnx import RandomFile
from helpers.small_qonnx import GENERAL, Net
from onnx import TensorProto

from quantunet.onnx_pointwise import FUNCTIONS

PROBE = "probe"
STEPS = {"power": 0.25, "float": 0.3}
"""The scale of activations and weights."""

PIXEL = Fraction(1, 255)
CHANNELS = 4


class Small(Net):
    """A file that grows behind a quantised convolution.

    Args:
        step: The scale of its quantizers.
        shape: Channels, height and width of the picture.
        opset: The version of ONNX' operators.
    """

    def __init__(self, step: float, shape: tuple[int, int, int], opset: int) -> None:
        super().__init__(shape)
        self.step, self.opset = step, opset

    @property
    def signal(self) -> bool:
        """Whether the input is one-dimensional."""
        return self.shape[1] == 1

    def start(self) -> str:
        """Add the input's quantizer, and a convolution to four channels with its quantizer."""
        channels, height, width = self.shape
        if self.signal:
            self.input_shape = [1, channels, width]
        kernel = [3] if self.signal else [3, 3]
        weights = self.weights(CHANNELS, channels, *kernel)
        x = self("Conv", self.input(), weights, kernel_shape=kernel, pads=[1] * 2 * len(kernel))
        return self.act(self("Relu", x), 5, 0)

    def weights(self, *shape: int, scale: Any = None, bits: int = 4) -> str:
        """Add quantised weights."""
        raw = self.constant(self.rng.normal(0, 3 * self.step, size=shape))
        return self.quant(raw, self.step if scale is None else scale, bits, 1, 1)

    def act(self, x: str, bits: int = 6, signed: int = 1) -> str:
        """Add the quantizer of an activation."""
        return self.quant(x, self.step, bits, signed)

    def ints(self, *values: int) -> str:
        """Add integers."""
        return self.constant(list(values), np.int64)

    def probe(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add the operator that the file is about."""
        return self(op, *inputs, name=PROBE, **attributes)


Build = Callable[[Small, str], str]


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        build: Adds the operator behind a tensor of four channels and returns the file's output.
        shape: Channels, height and width of the picture; of height 1 it is a signal.
        opset: The version of ONNX' operators.
        last: Whether the output has its channels last.
    """

    build: Build
    shape: tuple[int, int, int] = (2, 6, 8)
    opset: int = 17
    last: bool = False

    def file(self, step: float) -> tuple[onnx.ModelProto, str]:
        """Return the file, and the name of the tensor behind its input's quantizer."""
        net = Small(step, self.shape, self.opset)
        output = self.build(net, net.start())
        return net.model(output), net.quantised

    def random_file(self, step: float) -> RandomFile:
        """Return the file for :func:`helpers.random_qonnx.judge`, which must take it."""
        model, quantised = self.file(step)
        channels, height, width = self.shape
        picture = np.random.default_rng(1).integers(0, 256, size=(height, width, channels)).astype(np.uint8)
        level = {"operator": "asked"}
        return RandomFile(0, model, picture, PIXEL, (quantised,), "x", level, 1, output_last=self.last)


_Case = TypeVar("_Case")


@dataclass(frozen=True)
class Cases(Generic[_Case]):
    """What is tried of one operator or layer.

    Attributes:
        taken: Files or models that are taken, by what they have.
        refused: Those that are refused, by what they have.
    """

    taken: Mapping[str, _Case]
    refused: Mapping[str, _Case]


def _conv(kernel: tuple[int, int] = (3, 3), outputs: int = CHANNELS, groups: int = 1, bias: bool = False,
          scale: Any = None, **attributes: Any) -> Build:  # fmt: skip
    def build(net: Small, x: str) -> str:
        taps = kernel[-1:] if net.signal else kernel
        weights = net.weights(outputs, CHANNELS // groups, *taps, scale=scale)
        more = [net.constant(net.rng.normal(size=outputs))] if bias else []
        return net.act(net.probe("Conv", x, weights, *more, group=groups, **attributes))

    return build


def _up(kernel: tuple[int, int] = (2, 2), outputs: int = 3, groups: int = 1, bias: bool = False,
        **attributes: Any) -> Build:  # fmt: skip
    def build(net: Small, x: str) -> str:
        taps = kernel[-1:] if net.signal else kernel
        weights = net.weights(CHANNELS, outputs // groups, *taps)
        more = [net.constant(net.rng.normal(size=outputs))] if bias else []
        return net.act(net.probe("ConvTranspose", x, weights, *more, group=groups, **attributes))

    return build


def _plain(op: str, *constants: Any, quantised: bool = True, **attributes: Any) -> Build:
    """The operator with constants behind its input, and a quantizer behind it."""

    def build(net: Small, x: str) -> str:
        inputs = ["" if value is None else _constant(net, value) for value in constants]
        y = net.probe(op, x, *inputs, **attributes)
        return net.act(y) if quantised else y

    return build


def _constant(net: Small, value: Any) -> str:
    array = np.asarray(value)
    return net.constant(array, np.int64 if array.dtype.kind == "i" else np.float32)


def _behind_conv(op: str, *constants: Any, **attributes: Any) -> Build:
    """The operator between a convolution and its quantizer."""

    def build(net: Small, x: str) -> str:
        sums = net("Conv", x, net.weights(CHANNELS, CHANNELS, 1, 1), kernel_shape=[1, 1])
        inputs = ["" if value is None else _constant(net, value) for value in constants]
        return net.act(net.probe(op, sums, *inputs, **attributes))

    return build


def _pair(op: str, outputs: int = CHANNELS, **attributes: Any) -> Build:
    """The operator on a tensor and what a convolution makes of it, both quantised."""

    def build(net: Small, x: str) -> str:
        other = net.act(net("Conv", x, net.weights(outputs, CHANNELS, 1, 1), kernel_shape=[1, 1]))
        return net.act(net.probe(op, x, other, **attributes), 8)

    return build


def _concat(axis: int = 1, legs: int = 2) -> Build:
    def build(net: Small, x: str) -> str:
        others = [net.act(net("Conv", x, net.weights(3, CHANNELS, 1, 1), kernel_shape=[1, 1])) for _ in range(legs - 1)]
        if axis == 2:
            others = [x] * (legs - 1)
        return net.probe("Concat", net.act(x), *others, axis=axis)

    return build


def _quantizer(op: str = "Quant", *, scale: Any = None, zero: float = 0, bits: float = 5, signed: int = 1,
               narrow: int = 0, mode: str = "ROUND") -> Build:  # fmt: skip
    """A quantizer behind a convolution."""

    def build(net: Small, x: str) -> str:
        sums = net("Conv", x, net.weights(CHANNELS, CHANNELS, 1, 1), kernel_shape=[1, 1])
        step = net.step if scale is None else scale
        return net.quant(sums, step, bits, signed, narrow, zero, op=op, mode=mode, name=PROBE)

    return build


def _requantiser(op: str = "Quant") -> Build:
    """A second quantizer, four times as coarse, behind one that a pooling reads."""

    def build(net: Small, x: str) -> str:
        y = net.pool(x)
        if op == "QuantizeLinear":
            codes, given = _linear(net, y, scale=4 * net.step, name=PROBE)
            return net("DequantizeLinear", codes, *given)
        return net.quant(y, 4 * net.step, 3, 0, op=op, name=PROBE)

    return build


def _weight_quantizer(op: str = "Quant", *, each: bool = False, **options: Any) -> Build:
    """A quantizer of weights."""

    def build(net: Small, x: str) -> str:
        raw = net.constant(net.rng.normal(0, 1, size=(3, CHANNELS, 1, 1)))
        scale = np.array([0.3, 0.2, 0.1]).reshape(3, 1, 1, 1) if each else net.step
        weights = net.quant(raw, scale, options.pop("bits", 4), 1, 1, op=op, name=PROBE, **options)
        return net.act(net("Conv", x, weights, kernel_shape=[1, 1]))

    return build


def _bipolar(weights: bool, scale: float | None = None) -> Build:
    def build(net: Small, x: str) -> str:
        step = net.constant(net.step if scale is None else scale)
        if weights:
            raw = net.constant(net.rng.normal(0, 1, size=(3, CHANNELS, 1, 1)))
            made = net.probe("BipolarQuant", raw, step, domain=GENERAL)
            return net.act(net("Conv", x, made, kernel_shape=[1, 1]))
        sums = net("Conv", x, net.weights(CHANNELS, CHANNELS, 1, 1), kernel_shape=[1, 1])
        return net.probe("BipolarQuant", sums, step, domain=GENERAL)

    return build


def _trunc(inputs: int = 6, zero: float = 0.0) -> Build:
    """The two last places of a sum fall away."""

    def build(net: Small, x: str) -> str:
        step = float(np.float32(net.step))
        values = [step, zero, 6.0, 4.0] if inputs == 5 else [step, zero, 6.0, 4 * step, 4.0]
        given = [net.constant(value) for value in values]
        attributes: dict[str, Any] = {"rounding_mode": "FLOOR"}
        attributes |= {"signed": 1, "narrow": 0} if inputs == 6 else {}
        return net.probe("Trunc", net.act(x), *given, domain=GENERAL, **attributes)

    return build


def _linear(net: Small, x: str, kind: Any = np.uint8, zero: Any = 0, scale: Any = None, name: str | None = None) -> str:
    given = [net.constant(net.step if scale is None else scale), net.constant(zero, kind)]
    return net("QuantizeLinear", x, *given, name=name), given


def _quantize_linear(kind: Any = np.uint8, zero: Any = 0, scale: Any = None) -> Build:
    def build(net: Small, x: str) -> str:
        sums = net("Conv", x, net.weights(CHANNELS, CHANNELS, 1, 1), kernel_shape=[1, 1])
        codes, given = _linear(net, sums, kind, zero, scale, PROBE)
        return net("DequantizeLinear", codes, *given)

    return build


def _dequantize_linear(what: str) -> Build:
    def build(net: Small, x: str) -> str:
        if what == "real numbers":
            return net.act(net.probe("DequantizeLinear", x, net.constant(0.5)))
        if what in ("activation", "another zero point", "a scale of each channel"):
            codes, given = _linear(net, x, zero=3)
            if what == "another zero point":
                given[1] = net.constant(5, np.uint8)
            if what == "a scale of each channel":
                given = [net.constant([0.1, 0.2, 0.3, 0.4]), net.constant([3] * 4, np.uint8)]
            return net.act(net.probe("DequantizeLinear", codes, *given))
        scales = [0.1, 0.2, 0.3] if what == "weights, a scale of each channel" else 0.25
        codes = net.constant(net.rng.integers(-7, 8, size=(3, CHANNELS, 1, 1)), np.int8)
        given = [net.constant(scales), net.constant(np.zeros(np.shape(scales)), np.int8)]
        weights = net.probe("DequantizeLinear", codes, *given, **({"axis": 0} if np.ndim(scales) else {}))
        return net.act(net("Conv", x, weights, kernel_shape=[1, 1]))

    return build


def _resize(factors: list[float], op: str = "Resize", sizes: bool = False, **attributes: Any) -> Build:
    def build(net: Small, x: str) -> str:
        if op == "Upsample":
            return net.act(net.probe(op, x, net.constant([1, 1, *factors]), **attributes), 7)
        if sizes:
            dims = [1, CHANNELS, *(int(size * factor) for size, factor in zip(net.shape[1:], factors, strict=True))]
            return net.act(net.probe(op, x, "", "", net.ints(*dims), **attributes), 7)
        return net.act(net.probe(op, x, "", net.constant([1, 1, *factors]), **attributes), 7)

    return build


NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
LINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


def _depth_to_space(mode: str, behind: str) -> Build:
    def build(net: Small, x: str) -> str:
        if behind == "convolution":
            x = net("Conv", x, net.weights(8, CHANNELS, 1, 1), kernel_shape=[1, 1])
        else:
            x = net.pool(x)
        return net.act(net.probe("DepthToSpace", x, blocksize=2, mode=mode))

    return build


def _dense(op: str, *, whole: bool = False, computed: bool = False, bias: bool = False, **attributes: Any) -> Build:
    def build(net: Small, x: str) -> str:
        size = CHANNELS
        if whole:
            x, size = net("Flatten", x), CHANNELS * net.shape[1] * net.shape[2]
        elif op == "MatMul":
            x = net("Transpose", x, perm=[0, 2, 3, 1])
        if computed:
            return net.act(net.probe(op, x, net("Transpose", x, perm=[0, 1, 3, 2]), **attributes))
        shape = (3, size) if attributes.get("transB") else (size, 3)
        more = [net.constant(net.rng.normal(size=3))] if bias else []
        return net.act(net.probe(op, x, net.weights(*shape), *more, **attributes), 8)

    return build


def _axes(op: str, axes: list[int], old: bool = False, **attributes: Any) -> Build:
    """An operator that is told axes, as an attribute or as an input."""

    def build(net: Small, x: str) -> str:
        if old:
            return net.act(net.probe(op, x, axes=axes, **attributes))
        return net.act(net.probe(op, x, net.ints(*axes), **attributes))

    return build


def _squeezed(op: str) -> Build:
    def build(net: Small, x: str) -> str:
        x = net("GlobalAveragePool", x)
        x = net.act(x)
        if op == "Squeeze":
            return net.probe("Squeeze", x, net.ints(2, 3))
        flat = net("Flatten", x)
        return net.act(net("Relu", net.probe("Unsqueeze", flat, net.ints(2, 3))))

    return build


def _vector(op: str, *shape: int) -> Build:
    """The operator in front of a dense layer."""

    def build(net: Small, x: str) -> str:
        flat = net.probe(op, x, *([net.ints(*shape)] if shape else []))
        size = CHANNELS * net.shape[1] * net.shape[2]
        return net.act(net("MatMul", flat, net.weights(size, 3)), 8)

    return build


def _shape_of() -> Build:
    """The sizes of another tensor, as torch exports them."""

    def build(net: Small, x: str) -> str:
        low = net.pool(x)
        sizes = net.probe("Shape", x)
        return net.act(net("Resize", low, "", "", sizes, **NEAREST))

    return build


def _sigmoid(quantised: bool) -> Build:
    def build(net: Small, x: str) -> str:
        y = net.probe("Sigmoid", net.act(x))
        y = net.quant(y, 2.0**-8, 8, 0) if quantised else y
        return net.act(net("Conv", y, net.weights(3, CHANNELS, 1, 1), kernel_shape=[1, 1]))

    return build


def _function(op: str, bits: int = 6, **attributes: Any) -> Build:
    def build(net: Small, x: str) -> str:
        scale = 1.0 if op == "Exp" else net.step
        shifted = net("Sub", x, net.constant(4 * net.step))  # a multiple of its scale, so that wide ones are quick
        source = net.quant(shifted, net.step / (2 if bits < 12 else 4096), bits)
        return net.quant(net.probe(op, source, **attributes), scale, 8)

    return build


def _gate(net: Small, x: str) -> str:
    psi = net.act(net("Conv", x, net.weights(1, CHANNELS, 1, 1), kernel_shape=[1, 1]))
    gate = net.quant(net("Sigmoid", psi), 2.0**-6, 6, 0)
    return net.act(net.probe("Mul", x, gate), 8)


def _silu(net: Small, x: str) -> str:
    x = net.act(net("Sub", x, net.constant(1.0)))
    return net.act(net.probe("Mul", x, net("Sigmoid", x)), 8)


def _relu_of_legs(net: Small, x: str) -> str:
    shifted = net.act(net("Sub", x, net.constant(1.0)))
    other = net.act(net("Conv", shifted, net.weights(3, CHANNELS, 1, 1), kernel_shape=[1, 1]))
    return net.probe("Relu", net("Concat", net.pool(shifted), net.pool(other), axis=1))


def _mean_in_front_of_conv(net: Small, x: str) -> str:
    """The mean of a signed tensor that has no values below zero."""
    mean = net.probe("AveragePool", net.act(net.pool(x)), kernel_shape=[2, 2], strides=[2, 2])
    return net.act(net("Conv", mean, net.weights(3, CHANNELS, 1, 1), kernel_shape=[1, 1]))


def _narrow(net: Small, x: str) -> str:
    """A quantised difference, without the least integer of its type."""
    return net.quant(net("Sub", x, net.constant(1.0)), net.step, 4, 1, 1)


def _norm(training: int = 0) -> Build:
    def build(net: Small, x: str) -> str:
        sums = net("Conv", x, net.weights(CHANNELS, CHANNELS, 3, 3), kernel_shape=[3, 3], pads=[1] * 4)
        parts = ([1.5, -0.7, 0.9, 0.0], [0.1, -0.2, 0.3, 0.4], [0.5, 0.1, -0.4, 2.0], [0.7, 1.3, 2.0, 0.2])
        names = [net.constant(values) for values in parts]
        more = {"training_mode": 1} if training else {}
        return net.act(net("Relu", net.probe("BatchNormalization", sums, *names, **more)), 5, 0)

    return build


def _transpose(where: str) -> Build:
    def build(net: Small, x: str) -> str:
        if where == "output":
            return net.probe("Transpose", x, perm=[0, 2, 3, 1])
        turned = net.probe("Transpose", x, perm=[0, 1, 3, 2])
        return net.act(net("Conv", turned, net.weights(3, CHANNELS, 1, 1), kernel_shape=[1, 1]))

    return build


def _dropout(training: bool) -> Build:
    def build(net: Small, x: str) -> str:
        if not training:
            return net.probe("Dropout", x)
        return net.probe("Dropout", x, net.constant(0.5), net.constant(True, np.bool_))

    return build


SIGNAL = (2, 1, 12)
EACH = np.array([0.5, 1.25, 2.0, 3.0]).reshape(1, 4, 1, 1)
PIXELS = np.arange(1, 49, dtype=float).reshape(1, 1, 6, 8)

ONNX: Mapping[str, Cases[Case]] = {
    "Quant": Cases(
        {
            "of an activation": Case(_quantizer()),
            "of an activation that is quantised already": Case(_requantiser()),
            "unsigned": Case(_quantizer(signed=0)),
            "narrow": Case(_quantizer(narrow=1)),
            "a zero point": Case(_quantizer(zero=2)),
            **{f"rounding_mode {mode}": Case(_quantizer(mode=mode))
               for mode in ("CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN", "HALF_EVEN")},
            "of weights": Case(_weight_quantizer()),
            "of weights, a scale of each output channel": Case(_weight_quantizer(each=True)),
        },
        {
            "an activation with a scale of each channel": Case(
                _quantizer(scale=np.array([0.1, 0.2, 0.3, 0.4]).reshape(1, 4, 1, 1))
            ),
            "an activation of 17 bits": Case(_quantizer(bits=17)),
            "half a bit": Case(_quantizer(bits=2.5)),
            "a rounding_mode that QONNX lacks": Case(_quantizer(mode="STOCHASTIC")),
            "a scale of 0": Case(_quantizer(scale=0.0)),
        },
    ),
    "IntQuant": Cases(
        {
            "of an activation": Case(_quantizer("IntQuant")),
            "of an activation that is quantised already": Case(_requantiser("IntQuant")),
            "of weights": Case(_weight_quantizer("IntQuant")),
        },
        {"an activation of 17 bits": Case(_quantizer("IntQuant", bits=17))},
    ),
    "BipolarQuant": Cases(
        {"of an activation": Case(_bipolar(False)), "of weights": Case(_bipolar(True))},
        {"a scale of 0": Case(_bipolar(False, 0.0))},
    ),
    "Trunc": Cases(
        {"version 2, by a power of two": Case(_trunc())},
        {"version 1": Case(_trunc(5)), "a zero point": Case(_trunc(zero=1.0))},
    ),
    "QuantizeLinear": Cases(
        {
            "uint8": Case(_quantize_linear()),
            "uint8 of an activation that is quantised already": Case(_requantiser("QuantizeLinear")),
            "uint8 with a zero point": Case(_quantize_linear(zero=100)),
            "int8": Case(_quantize_linear(np.int8, -5)),
            "int16": Case(_quantize_linear(np.int16), opset=21),
        },
        {"a scale of each channel": Case(_quantize_linear(zero=[3] * 4, scale=[0.1, 0.2, 0.3, 0.4]))},
    ),
    "DequantizeLinear": Cases(
        {
            "of an activation": Case(_dequantize_linear("activation")),
            "of int8 weights": Case(_dequantize_linear("weights")),
            "of int8 weights, a scale of each channel": Case(_dequantize_linear("weights, a scale of each channel")),
        },
        {
            "real numbers": Case(_dequantize_linear("real numbers")),
            "another zero point than the QuantizeLinear in front": Case(_dequantize_linear("another zero point")),
            "an activation with a scale of each channel": Case(_dequantize_linear("a scale of each channel")),
        },
    ),
    "Conv": Cases(
        {
            "kernel 1 x 1": Case(_conv((1, 1))),
            "kernel 3 x 3, pads 1": Case(_conv(pads=[1] * 4)),
            "kernel 3 x 3 without pads": Case(_conv()),
            "kernel 7 x 5, pads 3 and 2": Case(_conv((7, 5), pads=[3, 2, 3, 2])),
            "stride 2 x 1": Case(_conv(pads=[1] * 4, strides=[2, 1])),
            "dilation 2 x 1": Case(_conv(pads=[2, 1, 2, 1], dilations=[2, 1])),
            "pads of each side": Case(_conv(pads=[0, 2, 1, 0])),
            "auto_pad SAME_UPPER": Case(_conv((2, 2), auto_pad="SAME_UPPER")),
            "auto_pad SAME_LOWER": Case(_conv((2, 2), auto_pad="SAME_LOWER")),
            "2 groups": Case(_conv(groups=2)),
            "a group a channel": Case(_conv(groups=4, pads=[1] * 4)),
            "a bias": Case(_conv(bias=True)),
            "of a signal": Case(_conv((1, 5), pads=[2, 2]), SIGNAL),
        },
        {
            "weights without a quantizer": Case(
                lambda net, x: net.act(net.probe("Conv", x, net.constant(net.rng.normal(size=(3, CHANNELS, 3, 3)))))
            ),
            "a scale of each input channel": Case(_conv(scale=np.array([0.1, 0.2, 0.3, 0.4]).reshape(1, 4, 1, 1))),
            "weights that the network computes": Case(
                lambda net, x: net.act(net.probe("Conv", x, net("Slice", x, net.ints(0), net.ints(1), net.ints(2))))
            ),
            "negative pads": Case(_conv(pads=[-1, 0, 0, 0])),
        },
    ),
    "ConvTranspose": Cases(
        {
            "kernel 2 x 2, stride 2": Case(_up(strides=[2, 2])),
            "kernel 3 x 3, stride 2, pads 1, output_padding 1": Case(
                _up((3, 3), strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])
            ),
            "kernel 4 x 4, stride 2, pads 1": Case(_up((4, 4), strides=[2, 2], pads=[1] * 4)),
            "kernel 3 x 3, stride 1": Case(_up((3, 3))),
            "auto_pad SAME_UPPER": Case(_up((3, 3), strides=[2, 2], auto_pad="SAME_UPPER")),
            "output_shape": Case(_up((3, 3), strides=[2, 2], output_shape=[12, 16])),
            "a bias": Case(_up(strides=[2, 2], bias=True)),
            "of a signal": Case(_up((1, 2), strides=[2]), SIGNAL),
        },
        {
            "2 groups": Case(_up(outputs=4, groups=2, strides=[2, 2])),
            "a kernel smaller than the stride": Case(_up((1, 1), strides=[2, 2])),
            "dilation 2": Case(_up((3, 3), strides=[2, 2], dilations=[2, 2])),
        },
    ),
    "MatMul": Cases(
        {
            "of the whole map": Case(_dense("MatMul", whole=True)),
            "of each pixel's channels": Case(_dense("MatMul"), last=True),
        },
        {"of two tensors": Case(_dense("MatMul", computed=True))},
    ),
    "Gemm": Cases(
        {
            "of the whole map": Case(_dense("Gemm", whole=True, bias=True)),
            "transB = 1": Case(_dense("Gemm", whole=True, transB=1)),
        },
        {
            "alpha = 2": Case(_dense("Gemm", whole=True, alpha=2.0)),
            "transA = 1": Case(_dense("Gemm", whole=True, transA=1)),
        },
    ),
    "MaxPool": Cases(
        {
            "2 x 2, stride 2": Case(_plain("MaxPool", kernel_shape=[2, 2], strides=[2, 2])),
            "3 x 2, stride 2 x 1, pads": Case(
                _plain("MaxPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
            ),
            "between a convolution and its quantizer": Case(
                _behind_conv("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            ),
            "ceil_mode that changes nothing": Case(
                _plain("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
            ),
            "of a signal": Case(_plain("MaxPool", kernel_shape=[2], strides=[2]), SIGNAL),
        },
        {
            "dilation 2": Case(_plain("MaxPool", kernel_shape=[2, 2], dilations=[2, 2])),
            "ceil_mode that adds a window": Case(
                _plain("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
            ),
        },
    ),
    "AveragePool": Cases(
        {
            "2 x 2, stride 2": Case(_plain("AveragePool", kernel_shape=[2, 2], strides=[2, 2])),
            "3 x 3 with count_include_pad": Case(
                _plain("AveragePool", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)
            ),
            "in front of a convolution": Case(_mean_in_front_of_conv),
            "of a signal": Case(_plain("AveragePool", kernel_shape=[3], strides=[3]), SIGNAL),
        },
        {"pads without count_include_pad": Case(_plain("AveragePool", kernel_shape=[3, 3], pads=[1] * 4))},
    ),
    "GlobalAveragePool": Cases({"of an image": Case(_plain("GlobalAveragePool"))}, {}),
    "GlobalMaxPool": Cases({"of an image": Case(_plain("GlobalMaxPool"))}, {}),
    "ReduceMean": Cases(
        {
            "of height and width": Case(_axes("ReduceMean", [2, 3]), opset=18),
            "without keepdims": Case(_axes("ReduceMean", [2, 3], old=True, keepdims=0)),
        },
        {"of the channels": Case(_axes("ReduceMean", [1], old=True))},
    ),
    "ReduceMax": Cases(
        {"of height and width": Case(_axes("ReduceMax", [-2, -1], old=True))},
        {"of the channels": Case(_axes("ReduceMax", [1], old=True))},
    ),
    "Resize": Cases(
        {
            "nearest by 2": Case(_resize([2, 2], **NEAREST)),
            "nearest by 3 x 1": Case(_resize([3, 1], **NEAREST)),
            "nearest, by sizes": Case(_resize([2, 2], sizes=True, **NEAREST)),
            "nearest, half_pixel and round_prefer_floor": Case(_resize([2, 2], mode="nearest")),
            "linear to twice the size": Case(_resize([2, 2], **LINEAR)),
            "linear to twice the width": Case(_resize([1, 2], **LINEAR)),
        },
        {
            "nearest by 1.5": Case(_resize([1.5, 1.5], **NEAREST)),
            "nearest by 0.5": Case(_resize([0.5, 0.5], **NEAREST)),
            "nearest, round_prefer_ceil with asymmetric": Case(
                _resize([2, 2], **{**NEAREST, "nearest_mode": "round_prefer_ceil"})
            ),
            "linear by 4": Case(_resize([4, 4], **LINEAR)),
            "linear, align_corners": Case(
                _resize([2, 2], **{**LINEAR, "coordinate_transformation_mode": "align_corners"})
            ),
            "cubic": Case(_resize([2, 2], mode="cubic")),
        },
    ),
    "Upsample": Cases(
        {"nearest by 2": Case(_resize([2, 2], "Upsample", mode="nearest"), opset=9)},
        {"linear": Case(_resize([2, 2], "Upsample", mode="linear"), opset=9)},
    ),
    "DepthToSpace": Cases(
        {
            "DCR": Case(_depth_to_space("DCR", "pool")),
            "CRD behind a convolution": Case(_depth_to_space("CRD", "convolution")),
        },
        {"CRD behind another layer": Case(_depth_to_space("CRD", "pool"))},
    ),
    "Pad": Cases(
        {
            "zeros": Case(_plain("Pad", [0, 0, 1, 2, 0, 0, 0, 1])),
            "another constant": Case(
                lambda net, x: net.act(net.probe("Pad", x, net.ints(0, 0, 1, *[0] * 5), net.constant(2 * net.step)))
            ),
        },
        {
            "mode reflect": Case(_plain("Pad", [0, 0, 1, 1, 0, 0, 1, 1], mode="reflect")),
            "channels": Case(_plain("Pad", [0, 1, 0, 0, 0, 0, 0, 0])),
            "a constant between two steps": Case(_plain("Pad", [0, 0, 1, 1, 0, 0, 1, 1], 0.1)),
        },
    ),
    "Slice": Cases(
        {"of rows and columns": Case(_plain("Slice", [1, 0], [6, -2], [2, 3], quantised=False))},
        {
            "step 2": Case(_plain("Slice", [0], [6], [2], [2])),
            "of channels": Case(_plain("Slice", [0], [2], [1])),
        },
    ),
    "Concat": Cases(
        {"two legs": Case(_concat()), "four legs": Case(_concat(legs=4))},
        {"of rows": Case(_concat(2))},
    ),
    "Transpose": Cases(
        {"at the output": Case(_transpose("output"), last=True)},
        {"of rows and columns in the middle": Case(_transpose("middle"))},
    ),
    "Reshape": Cases(
        {"to a vector": Case(_vector("Reshape", 1, -1))},
        {"an axis divided": Case(_vector("Reshape", 1, 2, 2, 48))},
    ),
    "Flatten": Cases({"to a vector": Case(_vector("Flatten"))}, {}),
    "Squeeze": Cases({"axes of size 1": Case(_squeezed("Squeeze"))}, {}),
    "Unsqueeze": Cases({"axes of size 1": Case(_squeezed("Unsqueeze"))}, {}),
    "Relu": Cases(
        {
            "in front of a quantizer": Case(_behind_conv("Relu")),
            "behind a quantizer": Case(lambda net, x: net.pool(net.probe("Relu", _narrow(net, net.pool(x))))),
            "behind a concatenation": Case(_relu_of_legs),
        },
        {},
    ),
    "LeakyRelu": Cases(
        {"alpha 0.1": Case(_behind_conv("LeakyRelu", alpha=0.1))},
        {"a negative alpha": Case(_behind_conv("LeakyRelu", alpha=-0.1))},
    ),
    "PRelu": Cases(
        {
            "one slope": Case(_behind_conv("PRelu", [0.25])),
            "a slope of each channel": Case(_behind_conv("PRelu", EACH.reshape(4, 1, 1) / 8)),
        },
        {
            "a slope of each pixel": Case(_behind_conv("PRelu", PIXELS[0] / 50)),
            "a negative slope": Case(_behind_conv("PRelu", [-0.25])),
        },
    ),
    "ThresholdedRelu": Cases(
        {"alpha 0": Case(_behind_conv("ThresholdedRelu", alpha=0.0))},
        {"alpha 1": Case(_behind_conv("ThresholdedRelu", alpha=1.0))},
    ),
    "Clip": Cases(
        {
            "0 to 6": Case(_behind_conv("Clip", 0.0, 6.0)),
            "a lower limit alone": Case(_behind_conv("Clip", -1.0)),
        },
        {"a lower limit above the upper one": Case(_behind_conv("Clip", 3.0, 1.0))},
    ),
    "Max": Cases(
        {"with a constant": Case(_behind_conv("Max", 0.5)), "of two tensors": Case(_pair("Max"))},
        {"of three inputs": Case(_behind_conv("Max", 0.5, 1.0))},
    ),
    "Min": Cases(
        {"with a constant": Case(_behind_conv("Min", 2.0))},
        {"of two tensors": Case(_pair("Min"))},
    ),
    "Sigmoid": Cases(
        {"with a quantizer behind it": Case(_sigmoid(True))},
        {"without a quantizer": Case(_sigmoid(False)), "an input of 13 bits": Case(_function("Sigmoid", 13))},
    ),
    **{
        op: Cases(
            {"with a quantizer behind it": Case(_function(op), opset=20)},
            {"an input of 13 bits": Case(_function(op, 13), opset=20)}
            | ({"approximate = tanh": Case(_function(op, approximate="tanh"), opset=20)} if op == "Gelu" else {}),
        )
        for op in FUNCTIONS
    },
    "BatchNormalization": Cases(
        {"in evaluation mode": Case(_norm())},
        {"training_mode = 1": Case(_norm(1))},
    ),
    "Add": Cases(
        {
            "of two tensors": Case(_pair("Add")),
            "of a tensor and itself": Case(lambda net, x: net.act(net.probe("Add", *[net.pool(x)] * 2))),
            "a constant": Case(_behind_conv("Add", 0.7)),
            "a constant of each channel": Case(_behind_conv("Add", EACH)),
        },
        {"a constant of each pixel": Case(_behind_conv("Add", PIXELS))},
    ),
    "Sub": Cases(
        {"of two tensors": Case(_pair("Sub")), "a constant of each channel": Case(_behind_conv("Sub", EACH))},
        {"a constant of each pixel": Case(_behind_conv("Sub", PIXELS))},
    ),
    "Mul": Cases(
        {
            "of two tensors": Case(_pair("Mul")),
            "of a tensor and a gate of one channel": Case(_gate),
            "x times the sigmoid of x": Case(_silu),
            "a constant of each channel": Case(_behind_conv("Mul", EACH)),
        },
        {"a constant of each pixel": Case(_behind_conv("Mul", PIXELS))},
    ),
    "Div": Cases(
        {"by a constant of each channel": Case(_behind_conv("Div", EACH))},
        {
            "of two tensors": Case(_pair("Div")),
            "a constant by a tensor": Case(
                lambda net, x: net.act(net.probe("Div", net.constant(1.0), x))
            ),
        },
    ),
    "ArgMax": Cases(
        {
            "over the channels": Case(_plain("ArgMax", quantised=False, axis=1)),
            "without keepdims": Case(_plain("ArgMax", quantised=False, axis=1, keepdims=0)),
        },
        {
            "over the rows": Case(_plain("ArgMax", quantised=False, axis=2)),
            "select_last_index = 1": Case(_plain("ArgMax", quantised=False, axis=1, select_last_index=1)),
        },
    ),
    "Identity": Cases({"anywhere": Case(_plain("Identity"))}, {}),
    "Cast": Cases(
        {"to real numbers": Case(_plain("Cast", to=TensorProto.FLOAT))},
        {"to integers": Case(_plain("Cast", to=TensorProto.INT32))},
    ),
    "Dropout": Cases(
        {"in evaluation mode": Case(_dropout(False))},
        {"in training mode": Case(_dropout(True))},
    ),
    "Shape": Cases({"of any tensor": Case(_shape_of())}, {}),
}  # fmt: skip
"""By the operator, in the order of the page."""
