"""Twelve segmentation networks with random weights, as ONNX files, each with float scales and with powers of two.

They are written as Brevitas exports them (QONNX: weights per output channel, activations per tensor), the last as
onnxruntime's static quantisation does (QDQ, int8 weights of each channel, uint8 activations with zero points). Scales
are calibrated: each quantizer spreads the values of one random picture over its type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from helpers.qonnx_exact import Exact, Executor
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"
PIXEL = Fraction(1, 255)


class Network:
    """A file that grows node by node, each with its exact value for one random picture.

    Args:
        shape: Of the input, ``(1, channels, ...)``.
        powers: Whether every scale is a power of two.
        seed: Of weights and picture.
    """

    def __init__(self, shape: Sequence[int], powers: bool, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.powers = powers
        self.shape = list(shape)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}
        empty = helper.make_graph([], "empty", [], [])
        self.executor = Executor(helper.make_model(empty, opset_imports=[helper.make_opsetid("", 17)]), {})
        picture = self.rng.integers(0, 256, size=self.shape)
        self.executor.values["x"] = Exact(Exact.of(picture).num, PIXEL)

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node; its result has the node's name."""
        name = f"{kind.lower()}{len(self.nodes)}"
        node = helper.make_node(kind, list(inputs), [f"{name}_out"], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        self.executor.values[f"{name}_out"] = self.executor.evaluate(node)
        return f"{name}_out"

    def constant(self, values: npt.ArrayLike, dtype: Any = np.float32) -> str:
        name, array = f"constant{len(self.constants)}", np.asarray(values, dtype=dtype)
        self.constants[name] = array
        self.executor.values[name] = Exact.of(array)
        self.executor.kinds[name] = helper.np_dtype_to_tensor_dtype(array.dtype)
        return name

    def channels(self, tensor: str) -> int:
        return int(self.executor.values[tensor].shape[1])

    def rank(self, tensor: str) -> int:
        return len(self.executor.values[tensor].shape) - 2

    def scale(self, largest: float, codes: int) -> float:
        """The scale that spreads values over a type: any float32, or the nearest power of two."""
        scale = (largest or 1.0) / codes
        return 2.0 ** round(math.log2(scale)) if self.powers else float(np.float32(scale))

    def quant(self, tensor: str, bits: int = 6, signed: bool = False) -> str:
        """Add the quantizer of an activation."""
        largest = float(np.abs(self.executor.values[tensor].floats()).max())
        scale = self.scale(0.8 * largest, 2 ** (bits - signed) - 1)
        parameters = [self.constant(value) for value in (scale, 0, bits)]
        return self.op("Quant", tensor, *parameters, domain=QONNX, signed=int(signed), narrow=0, rounding_mode="ROUND")

    def weights(self, *shape: int, axis: int = 0, bits: int = 4) -> str:
        """Add weights with a scale of each output channel."""
        raw = self.rng.normal(0, 1, size=shape).astype(np.float32)
        largest = np.abs(raw).max(axis=tuple(each for each in range(len(shape)) if each != axis), keepdims=True)
        scales = np.vectorize(lambda each: self.scale(float(each), 2 ** (bits - 1) - 1))(largest)
        parameters = [self.constant(value) for value in (scales, 0, bits)]
        return self.op("Quant", self.constant(raw), *parameters, domain=QONNX, signed=1, narrow=1,
                       rounding_mode="ROUND")  # fmt: skip

    def conv(self, tensor: str, outputs: int, kernel: Sequence[int] = (3, 3), stride: int = 1, dilation: int = 1,
             groups: int = 1) -> str:  # fmt: skip
        """Add a convolution with same padding."""
        rank = self.rank(tensor)
        kernel = list(kernel)[:rank] if rank > 1 else [kernel[-1]]
        weights = self.weights(outputs, self.channels(tensor) // groups, *kernel)
        sides = [dilation * (each // 2) for each in kernel]
        return self.op("Conv", tensor, weights, kernel_shape=kernel, pads=[*sides, *sides], strides=[stride] * rank,
                       dilations=[dilation] * rank, group=groups)  # fmt: skip

    def up(self, tensor: str, outputs: int, kernel: int = 2) -> str:
        """Add a transpose convolution to twice the size."""
        rank = self.rank(tensor)
        weights = self.weights(self.channels(tensor), outputs, *[kernel] * rank, axis=1)
        side = (kernel - 2 + 1) // 2
        more = {"output_padding": [1] * rank} if kernel % 2 else {}
        return self.op("ConvTranspose", tensor, weights, kernel_shape=[kernel] * rank, strides=[2] * rank,
                       pads=[side] * 2 * rank, **more)  # fmt: skip

    def norm(self, tensor: str) -> str:
        """Add a BatchNorm that normalises these values, one factor in four below zero."""
        values = np.moveaxis(self.executor.values[tensor].floats(), 1, 0).reshape(self.channels(tensor), -1)
        mean, variance = values.mean(axis=1), values.var(axis=1) + 0.01
        signs = np.where(self.rng.random(len(mean)) < 0.25, -1.0, 1.0)
        gamma, beta = signs * self.rng.uniform(0.5, 1.5, len(mean)), self.rng.normal(0, 0.5, len(mean))
        if self.powers:
            gamma, variance = signs * 2.0 ** np.round(-np.log2(variance) / 2), np.ones(len(mean))
            beta, mean = np.round(beta * 64) / 64, np.round(mean * 64) / 64
        names = [self.constant(each) for each in (gamma, beta, mean, variance)]
        return self.op("BatchNormalization", tensor, *names, epsilon=0.0 if self.powers else 1e-5)

    def relu(self, tensor: str, bits: int = 6) -> str:
        return self.quant(self.op("Relu", tensor), bits)

    def block(self, tensor: str, outputs: int, **options: Any) -> str:
        """Convolution, BatchNorm, ReLU and quantizer."""
        return self.relu(self.norm(self.conv(tensor, outputs, **options)))

    def prelu(self, tensor: str) -> str:
        """PReLU with a slope of each channel, and a signed quantizer."""
        slopes = self.rng.uniform(0.05, 0.4, [self.channels(tensor), *[1] * self.rank(tensor)])
        slopes = 2.0 ** np.round(np.log2(slopes)) if self.powers else slopes
        return self.quant(self.op("PRelu", tensor, self.constant(slopes)), 6, True)

    def leaky(self, tensor: str) -> str:
        alpha = 0.125 if self.powers else 0.01
        return self.quant(self.op("LeakyRelu", tensor, alpha=alpha), 6, True)

    def relu6(self, tensor: str) -> str:
        bounded = self.op("Clip", tensor, self.constant(0.0), self.constant(6.0))
        return self.quant(bounded)

    def pool(self, tensor: str) -> str:
        rank = self.rank(tensor)
        return self.op("MaxPool", tensor, kernel_shape=[2] * rank, strides=[2] * rank)

    def resize(self, tensor: str, mode: str = "nearest") -> str:
        """Twice the size, as PyTorch exports it."""
        rank = self.rank(tensor)
        rule = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if mode == "linear":
            rule = {"coordinate_transformation_mode": "half_pixel"}
        scales = self.constant([1, 1, *[2] * rank])
        return self.op("Resize", tensor, self.constant(np.zeros(0)), scales, mode=mode, **rule)

    def concat(self, *legs: str) -> str:
        """Join legs behind quantizers of one scale, as Brevitas shares it."""
        largest = max(float(np.abs(self.executor.values[leg].floats()).max()) for leg in legs)
        values = [self.constant(value) for value in (self.scale(largest, 31), 0, 6)]
        shared = [
            self.op("Quant", leg, *values, domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND") for leg in legs
        ]
        return self.op("Concat", *shared, axis=1)

    def head(self, tensor: str, classes: int = 1) -> str:
        return self.quant(self.conv(tensor, classes, (1, 1)), 8, True)

    def model(self, output: str) -> onnx.ModelProto:
        """The file with this tensor as its output."""
        graph = helper.make_graph(
            self.nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(QONNX, 1)])
        helper.set_model_props(model, {"quantunet.pixel_scale": str(PIXEL)})
        return model


def _u_net(net: Network, up: Callable[[str], str], classes: int = 1) -> str:
    """Two levels; ``up`` enlarges a tensor."""
    first = net.block(net.quant("x", 8), 4)
    second = net.block(net.pool(first), 6)
    low = net.block(net.pool(second), 8)
    x = net.block(net.concat(second, up(low)), 6)
    x = net.block(net.concat(first, up(x)), 4)
    return net.head(x, classes)


def transpose_u_net(net: Network) -> str:
    return _u_net(net, lambda x: net.up(x, net.channels(x) // 2))


def nearest_u_net(net: Network) -> str:
    return _u_net(net, net.resize)


def bilinear_u_net(net: Network) -> str:
    return _u_net(net, lambda x: net.resize(x, "linear"))


def residual_u_net(net: Network) -> str:
    def unit(x: str, outputs: int, stride: int = 1) -> str:
        y = net.quant(net.norm(net.conv(net.block(x, outputs, stride=stride), outputs)), 6, True)
        short = net.quant(net.norm(net.conv(x, outputs, (1, 1), stride)), 6, True)
        return net.relu(net.op("Add", y, short))

    first = unit(net.block(net.quant("x", 8), 4), 4)
    second = unit(first, 6, 2)
    low = unit(second, 8, 2)
    x = unit(net.concat(second, net.up(low, 6)), 6)
    x = unit(net.concat(first, net.up(x, 4)), 4)
    return net.head(x)


def attention_u_net(net: Network) -> str:
    def gated(skip: str, up: str) -> str:
        parts = [net.quant(net.norm(net.conv(each, 4, (1, 1))), 6, True) for each in (skip, up)]
        psi = net.quant(net.conv(net.relu(net.op("Add", *parts)), 1, (1, 1)), 6, True)
        gate = net.quant(net.op("Sigmoid", psi), 6)
        return net.quant(net.op("Mul", skip, gate))

    first = net.block(net.quant("x", 8), 4)
    second = net.block(net.pool(first), 6)
    low = net.block(net.pool(second), 8)
    up = net.relu(net.up(low, 6))
    x = net.block(net.concat(gated(second, up), up), 6)
    up = net.relu(net.up(x, 4))
    return net.head(net.block(net.concat(gated(first, up), up), 4))


def mobile_u_net(net: Network) -> str:
    """MobileNetV2 as encoder: inverted residuals with ReLU6, whose ends are linear."""

    def inverted(x: str, outputs: int, stride: int = 1) -> str:
        inner = 2 * net.channels(x)
        y = net.relu6(net.norm(net.conv(x, inner, (1, 1))))
        y = net.relu6(net.norm(net.conv(y, inner, stride=stride, groups=inner)))
        y = net.quant(net.norm(net.conv(y, outputs, (1, 1))), 6, True)
        return net.quant(net.op("Add", x, y), 6, True) if (stride, outputs) == (1, net.channels(x)) else y

    first = net.relu6(net.norm(net.conv(net.quant("x", 8), 4)))
    second = inverted(inverted(first, 6, 2), 6)
    low = inverted(inverted(second, 8, 2), 8)
    x = inverted(net.concat(second, net.resize(low, "linear")), 6)
    x = inverted(net.concat(first, net.resize(x, "linear")), 4)
    return net.head(x)


def e_net(net: Network) -> str:
    """ENet-like: strided and pooled at once, dilated and 5x1 bottlenecks, PReLU."""
    x = net.quant("x", 8)
    first = net.concat(net.conv(x, 5, stride=2), net.pool(x))
    first = net.prelu(net.norm(first))

    def bottleneck(x: str, **options: Any) -> str:
        y = net.prelu(net.norm(net.conv(x, 4, (1, 1))))
        if "long" in options:
            y = net.conv(net.quant(net.conv(y, 4, (5, 1)), 6, True), 4, (1, 5))
        else:
            y = net.conv(y, 4, **options)
        y = net.prelu(net.norm(y))
        y = net.quant(net.norm(net.conv(y, net.channels(x), (1, 1))), 6, True)
        return net.prelu(net.op("Add", x, y))

    second = net.prelu(net.norm(net.conv(first, 8, stride=2)))
    low = bottleneck(bottleneck(bottleneck(second, dilation=2), long=1), dilation=4)
    x = net.prelu(net.norm(net.up(low, 6, 3)))
    x = net.prelu(net.op("Add", net.quant(net.conv(x, 6, (1, 1)), 6, True), first)) if net.channels(first) == 6 else x
    return net.quant(net.up(x, 1), 8, True)


def fast_scnn(net: Network) -> str:
    """Fast-SCNN-like: learning to downsample, a pyramid of pools, feature fusion."""

    def separable(x: str, outputs: int, stride: int = 1) -> str:
        y = net.relu(net.norm(net.conv(x, net.channels(x), stride=stride, groups=net.channels(x))))
        return net.relu(net.norm(net.conv(y, outputs, (1, 1))))

    high = separable(net.block(net.quant("x", 8), 4, stride=2), 6, 1)
    low = separable(separable(high, 8, 2), 8)
    whole = net.quant(net.op("GlobalAveragePool", low))
    scale = net.relu(net.conv(whole, 8, (1, 1)))
    size = [net.executor.values[low].shape[2]] * 2
    wide = net.op("Resize", scale, net.constant(np.zeros(0)), net.constant([1, 1, *size]), mode="nearest",
                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
    means = net.quant(net.op("AveragePool", low, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1],
                             count_include_pad=1))  # fmt: skip
    low = net.block(net.concat(low, wide, means), 6, kernel=(1, 1))
    up = net.quant(net.norm(net.conv(net.quant(net.resize(low, "linear")), 6, groups=6, dilation=2)), 6, True)
    x = net.relu(net.op("Add", up, net.quant(net.norm(net.conv(high, 6, (1, 1))), 6, True)))
    return net.head(net.resize(separable(x, 6)), 2)


def nn_u_net(net: Network) -> str:
    """The 2-D form of nnU-Net: strided convolutions, LeakyReLU; its InstanceNorm as BatchNorm."""

    def block(x: str, outputs: int, stride: int = 1) -> str:
        for step in (stride, 1):
            x = net.leaky(net.norm(net.conv(x, outputs, stride=step)))
        return x

    first = block(net.quant("x", 8), 4)
    second = block(first, 6, 2)
    low = block(second, 8, 2)
    x = block(net.concat(net.up(low, 6), second), 6)
    x = block(net.concat(net.up(x, 4), first), 4)
    return net.head(x, 3)


def ecg_u_net(net: Network) -> str:
    """One-dimensional: windows of an ECG, four classes for each sample."""

    def block(x: str, outputs: int) -> str:
        return net.block(x, outputs, kernel=(5,))

    first = block(net.quant("x", 8), 4)
    second = block(net.pool(first), 6)
    low = block(net.pool(second), 8)
    x = block(net.concat(second, net.up(low, 6)), 6)
    x = block(net.concat(first, net.up(x, 4)), 4)
    return net.head(x, 4)


def rgb_u_net(net: Network) -> str:
    """RGB with the normalisation in the file, four classes, their argmax as the output."""
    mean, deviation = (
        net.constant(np.reshape(each, (1, 3, 1, 1))) for each in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    x = net.quant(net.op("Div", net.op("Sub", "x", mean), deviation), 8, True)
    first = net.block(x, 4)
    low = net.block(net.pool(first), 8)
    x = net.block(net.concat(first, net.resize(low)), 6)
    return net.op("ArgMax", net.head(x, 4), axis=1, keepdims=0)


def qdq_u_net(net: Network) -> str:
    """As onnxruntime's static quantisation writes it."""

    def linear(tensor: str) -> str:
        values = net.executor.values[tensor].floats()
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        scale = net.scale(high - low, 255)
        zero = int(np.clip(round(-low / scale), 0, 255))
        given = [net.constant(scale), net.constant(zero, np.uint8)]
        return net.op("DequantizeLinear", net.op("QuantizeLinear", tensor, *given), *given)

    def conv(tensor: str, outputs: int, kernel: int, *, up: bool = False) -> str:
        inputs = net.channels(tensor)
        axis, shape = (1, [inputs, outputs, 2, 2]) if up else (0, [outputs, inputs, kernel, kernel])
        raw = net.rng.normal(0, 1, size=shape)
        scales = [net.scale(float(each), 127) for each in np.abs(np.moveaxis(raw, axis, 0)).reshape(outputs, -1).max(1)]
        laid = np.reshape(scales, [-1 if each == axis else 1 for each in range(4)])
        codes = net.constant(np.clip(np.rint(raw / laid), -127, 127), np.int8)
        given = [net.constant(scales), net.constant(np.zeros(outputs), np.int8)]
        weights = net.op("DequantizeLinear", codes, *given, axis=axis)
        before = next(node for node in net.nodes if tensor in node.output).input[1]
        step = net.constants[before] * np.float32(scales)
        bias = net.constant(net.rng.integers(-3000, 3000, outputs), np.int32)
        bias = net.op("DequantizeLinear", bias, net.constant(step), net.constant(np.zeros(outputs), np.int32), axis=0)
        if up:
            return net.op("ConvTranspose", tensor, weights, bias, kernel_shape=[2, 2], strides=[2, 2])
        return net.op("Conv", tensor, weights, bias, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4)

    def block(tensor: str, outputs: int) -> str:
        return linear(net.op("Relu", conv(tensor, outputs, 3)))

    first = block(linear("x"), 4)
    low = block(linear(net.pool(first)), 6)
    up = linear(conv(low, 4, 2, up=True))
    x = block(linear(net.op("Concat", first, up, axis=1)), 4)
    return linear(conv(x, 1, 1))


ARCHITECTURES: dict[str, tuple[Callable[[Network], str], tuple[int, ...]]] = {
    "transpose": (transpose_u_net, (1, 1, 16, 16)),
    "nearest": (nearest_u_net, (1, 1, 16, 16)),
    "bilinear": (bilinear_u_net, (1, 1, 16, 16)),
    "residual": (residual_u_net, (1, 1, 16, 16)),
    "attention": (attention_u_net, (1, 1, 16, 16)),
    "mobile": (mobile_u_net, (1, 1, 16, 16)),
    "enet": (e_net, (1, 1, 16, 16)),
    "fast_scnn": (fast_scnn, (1, 3, 16, 16)),
    "nnunet": (nn_u_net, (1, 1, 16, 16)),
    "ecg": (ecg_u_net, (1, 2, 32)),
    "rgb": (rgb_u_net, (1, 3, 16, 16)),
    "qdq": (qdq_u_net, (1, 1, 16, 16)),
}
FORMS = ("float", "powers")


def architecture(name: str, form: str, seed: int = 0) -> onnx.ModelProto:
    """The file of an architecture, a function of its name, form and seed.

    Args:
        name: A key of :data:`ARCHITECTURES`.
        form: ``float`` for the scales that trainings have, ``powers`` for powers of two.
        seed: Of the weights.
    """
    write, shape = ARCHITECTURES[name]
    net = Network(shape, form == "powers", seed)
    return net.model(write(net))
