"""Random files of every op and scale that the doors take: what :mod:`helpers.random_qonnx` lacks.

Scales are those of trained networks: any float32, of the tensor or of each channel, with zero points, narrow ranges and
every rounding, or powers of two; BatchNorm, LeakyReLU, functions, windows of any geometry, and quantizers as QONNX or
as ONNX writes them (QDQ).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from helpers.qonnx_exact import Exact, NoExactMeaningError
from helpers.random_qonnx import Builder, RandomFile, model_of

MODES = ("FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN")
MOST = 160
"""Pixels of a map that is still enlarged."""


class Ops:
    """A file of random ops that grows.

    Args:
        builder: The file's nodes and their exact values.
    """

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.rng = builder.rng
        self.wide = self.rng.random() < 0.1
        self.powers = self.rng.random() < 0.3
        if self.wide:
            builder.note("wide types, which tables and products may not hold", "open")
        self.qdq = self.rng.random() < 0.3
        self.bent = False
        self.past: list[str] = []

    def shape(self, tensor: str) -> list[int]:
        return list(self.builder.value(tensor).shape)

    def drawn(self, *shape: int, spread: float = 1.0) -> np.ndarray:
        made = np.random.default_rng(self.rng.getrandbits(32)).normal(0, spread, size=shape)
        return made.astype(np.float32)

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        return self.builder.constant(np.asarray(values, dtype=dtype))

    def number(self, value: float) -> float:
        """A scale: the next power of two in a file of powers of two."""
        power = 2.0 ** round(math.log2(value))
        return power if self.powers or self.rng.random() < 0.15 else float(np.float32(value))

    # Quantizers

    def quantised(self, tensor: str) -> str:
        """Add the quantizer of an activation."""
        builder, rng = self.builder, self.rng
        values = builder.value(tensor)
        floats = values.floats()
        low, high = float(floats.min()), float(floats.max())
        signed = low < 0 or rng.random() < 0.3
        bits = rng.choice([8, 10, 12, 16] if self.wide else [3, 4, 4, 5, 6, 8, 8])
        largest = max(abs(low), abs(high)) or 1.0
        scale = self.number(largest / (2 ** (bits - signed) - 1) * rng.uniform(0.4, 1.3))
        if self.qdq:
            return self.linear(tensor, low, high)
        zero, narrow, mode = 0, rng.random() < 0.2, "ROUND"
        if rng.random() < 0.15:
            zero = rng.choice([1, -3, 2 ** (bits - 1), 7])
            builder.note("zero point of an activation", "asked")
        if rng.random() < 0.2:
            mode = rng.choice(MODES)
            builder.note("rounding of an activation", "asked")
        if zero and mode in ("UP", "DOWN", "HALF_UP", "HALF_DOWN"):
            builder.note("a rounding that a zero point moves", "open")
        if zero % 2 and mode == "ROUND":
            builder.note("ties beside an odd zero point", "open")
        if self.bent and mode in ("UP", "DOWN", "HALF_UP", "HALF_DOWN"):
            builder.note("a rounding whose corner is not that of a slope", "open")
        return builder.quantizer(tensor, scale, bits, signed, narrow, mode, zero)

    def linear(self, tensor: str, low: float, high: float) -> str:
        """Add QuantizeLinear and DequantizeLinear, as static quantisation chooses them."""
        builder, rng = self.builder, self.rng
        builder.note("QuantizeLinear", "asked")
        signed = rng.random() < 0.5
        dtype = np.int8 if signed else np.uint8
        low, high = min(low, 0.0), max(high, 0.0)
        spread = (high - low) or 1.0
        if rng.random() < 0.4:  # symmetric
            scale, zero = self.number((max(-low, high) or 1.0) / 127), 0
        else:
            scale = self.number(spread / 255 * rng.uniform(0.7, 1.2))
            zero = int(np.clip(round(-low / scale) - (128 if signed else 0), *((-128, 127) if signed else (0, 255))))
        given = [self.constant(scale), builder.constant(np.array(zero, dtype=dtype))]
        codes = builder.emit("QuantizeLinear", [tensor, *given])
        return builder.emit("DequantizeLinear", [codes, *given])

    def weights(self, shape: Sequence[int], axis: int) -> str:
        """Add quantised weights; ``axis`` is that of the output channels."""
        builder, rng = self.builder, self.rng
        raw = self.drawn(*shape) * np.float32(rng.choice([0.1, 1.0, 3.0]))
        bits = rng.choice([8, 10, 16] if self.wide else [2, 3, 4, 4, 8])
        laid = [1] * len(shape)
        per_channel = rng.random() < 0.6
        if per_channel:
            laid[axis] = shape[axis]
            builder.note("weight scales of each channel", "asked")
        scales = np.array([self.number(rng.uniform(0.3, 2.0) * float(np.abs(raw).max()) / 2 ** (bits - 1) + 1e-3)
                           for _ in range(math.prod(laid))]).reshape(laid)  # fmt: skip
        if not self.qdq:
            given = scales if per_channel else float(scales.flat[0])
            mode = rng.choice(MODES) if rng.random() < 0.1 else "ROUND"
            return builder.quantizer(builder.constant(raw), given, bits, True, rng.random() < 0.7, mode)
        # ONNX has integers in the file, or quantises floats
        vector = scales.reshape(-1).astype(np.float32)
        step = self.constant(vector if per_channel else vector[0])
        zero = builder.constant(np.zeros(vector.shape if per_channel else (), np.int8))
        named = {"axis": axis} if per_channel else {}
        if rng.random() < 0.5:
            codes = builder.constant(np.clip(np.rint(raw / scales), -127, 127).astype(np.int8))
        else:
            codes = builder.emit("QuantizeLinear", [builder.constant(raw), step, zero], **named)
        return builder.emit("DequantizeLinear", [codes, step, zero], **named)

    def bias(self, channels: int, source: str, weights: str) -> list[str]:
        """Add a bias, or none."""
        kind = self.rng.choice(["none", "none", "float", "codes"])
        if kind == "none":
            return []
        if kind == "float" or not self.qdq:
            return [self.constant(self.drawn(channels, spread=0.5))]
        step = float(self.builder.value(source).unit * self.builder.value(weights).unit)
        if step < 1e-30:
            return []
        codes = self.builder.constant(np.array([self.rng.randint(-900, 900) for _ in range(channels)], np.int32))
        return [self.builder.emit("DequantizeLinear", [codes, self.constant(np.float32(step))])]

    # Layers

    def pads(self, kernel: Sequence[int], size: Sequence[int], dilation: Sequence[int]) -> list[int]:
        if self.rng.random() < 0.5:
            sides = [(k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True)]
            return [*sides, *sides]
        return [self.rng.randint(0, max(k - 1, 0)) for k in (*kernel, *kernel)]

    def conv(self, tensor: str) -> str:
        rng, builder = self.rng, self.builder
        channels, *size = self.shape(tensor)[1:]
        rank = len(size)
        kernel = [rng.choice([1, 1, 2, 3, 3, 3, 5, 7]) for _ in range(rank)]
        stride = [rng.choice([1, 1, 1, 2, 3]) for _ in range(rank)]
        dilation = [rng.choice([1, 1, 1, 2]) for _ in range(rank)]
        groups, outputs = 1, rng.choice([1, 2, 3, 4, 4, 5, 8, 11] if self.wide else [1, 2, 3, 4, 4, 5, 8])
        if rng.random() < 0.35:
            return self.usual_conv(tensor, outputs)
        kind = rng.random()
        if kind < 0.2:
            groups = outputs = channels
        elif kind < 0.35 and channels % 2 == 0:
            groups, outputs = 2, 2 * rng.randint(1, 2)
        weights = self.weights([outputs, channels // groups, *kernel], 0)
        attributes = {"pads": self.pads(kernel, size, dilation), "strides": stride, "dilations": dilation,
                      "group": groups, "kernel_shape": kernel}  # fmt: skip
        if rng.random() < 0.2:
            del attributes["pads"]
            attributes["auto_pad"] = rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
        builder.note("windows of any geometry", "asked")
        return builder.emit("Conv", [tensor, weights, *self.bias(outputs, tensor, weights)], **attributes)

    def usual_conv(self, tensor: str, outputs: int) -> str:
        """A convolution of most networks: 3x3 or 1x1, of the same size, with bias or without."""
        channels, *size = self.shape(tensor)[1:]
        kernel = [self.rng.choice([1, 3])] * len(size)
        weights = self.weights([outputs, channels, *kernel], 0)
        return self.builder.emit(
            "Conv", [tensor, weights, *self.bias(outputs, tensor, weights)], kernel_shape=kernel,
            pads=[kernel[0] // 2] * 2 * len(size),
        )  # fmt: skip

    def transpose(self, tensor: str) -> str:
        rng, builder = self.rng, self.builder
        channels, *size = self.shape(tensor)[1:]
        if math.prod(size) > MOST:
            return self.conv(tensor)
        usual = rng.random() < 0.5
        shapes = [(2, 2) if usual else rng.choice([(3, 2), (4, 2), (3, 1), (2, 1), (3, 3)]) for _ in size]
        kernel, stride = [k for k, _ in shapes], [s for _, s in shapes]
        outputs = rng.randint(1, 4)
        weights = self.weights([channels, outputs, *kernel], 1)
        sides = [0 if usual else rng.randint(0, (k - s + 1) // 2 + (rng.random() < 0.2)) for k, s in shapes]
        more = [rng.choice([0, 0, 1]) if s > 1 and not usual else 0 for _, s in shapes]
        builder.note("transpose convolutions of any geometry", "asked")
        return builder.emit(
            "ConvTranspose", [tensor, weights, *self.bias(outputs, tensor, weights)], kernel_shape=kernel,
            strides=stride, pads=[*sides, *sides], output_padding=more,
        )  # fmt: skip

    def norm(self, tensor: str) -> str:
        """Add a BatchNorm, at times with factors below zero."""
        channels = self.shape(tensor)[1]
        gamma = self.drawn(channels) if self.rng.random() < 0.3 else np.abs(self.drawn(channels)) + np.float32(0.1)
        variance = np.abs(self.drawn(channels)) + np.float32(0.05)
        names = [self.constant(each) for each in (gamma, self.drawn(channels), self.drawn(channels), variance)]
        self.builder.note("BatchNormalization of any scale", "asked")
        before = [node.op_type for node in self.builder.nodes if node.op_type != "Constant"]
        if {"Clip", "MaxPool"} & set(before[-2:]):
            self.builder.note("a factor behind both limits of a Clip, or below 0 behind a pool", "open")
        return self.builder.emit("BatchNormalization", [tensor, *names], epsilon=float(np.float32(1e-5)))

    def activation(self, tensor: str) -> str:
        rng, builder = self.rng, self.builder
        kind = rng.choice(["none", "Relu", "Relu", "LeakyRelu", "PRelu", "PRelu", "Clip"])
        if kind == "none":
            return tensor
        if kind == "LeakyRelu":
            return builder.emit(kind, [tensor], alpha=rng.choice([0.01, 0.1, 0.25]))
        if kind == "PRelu":
            shape = self.shape(tensor)
            each = rng.random() < 0.5
            slopes = np.abs(self.drawn(*([shape[1], *[1] * (len(shape) - 2)] if each else [1]))) * np.float32(0.3)
            return builder.emit(kind, [tensor, self.constant(slopes)])
        if kind == "Clip":
            top = rng.choice([6.0, 1.0, 0.7])
            return builder.emit(kind, [tensor, self.constant(np.float32(0)), self.constant(np.float32(top))])
        return builder.emit(kind, [tensor])

    def block(self, tensor: str) -> str:
        """A convolution, what normalises and activates it in any order, and a quantizer; perhaps a pool inside."""
        tensor = self.transpose(tensor) if self.rng.random() < 0.3 else self.conv(tensor)
        if self.rng.random() < 0.25:
            tensor = self.quantised(tensor)
        parts: list[Callable[[str], str]] = [self.activation]
        if self.rng.random() < 0.5:
            parts.append(self.norm)
        if self.rng.random() < 0.15:
            parts.append(self.maxpool)
        self.rng.shuffle(parts)
        for part in parts:
            tensor = part(tensor)
            self.bent = part == self.activation or self.bent
        tensor = self.quantised(tensor)
        self.bent = False
        return tensor

    def maxpool(self, tensor: str) -> str:
        size = self.shape(tensor)[2:]
        if self.rng.random() < 0.6:
            return self.builder.emit("MaxPool", [tensor], kernel_shape=[2] * len(size), strides=[2] * len(size))
        kernel, stride = ([self.rng.choice([1, 2, 2, 3]) for _ in size] for _ in range(2))
        pads = (
            [self.rng.randint(0, k - 1) for k in (*kernel, *kernel)] if self.rng.random() < 0.3 else [0] * 2 * len(size)
        )
        return self.builder.emit("MaxPool", [tensor], kernel_shape=kernel, strides=stride, pads=pads)

    def average(self, tensor: str) -> str:
        size = self.shape(tensor)[2:]
        kernel, stride = ([self.rng.choice([2, 2, 3]) for _ in size] for _ in range(2))
        attributes: dict[str, Any] = {}
        if self.rng.random() < 0.4:
            attributes = {"pads": [self.rng.randint(0, k - 1) for k in (*kernel, *kernel)], "count_include_pad": 1}
        return self.builder.emit("AveragePool", [tensor], kernel_shape=kernel, strides=stride, **attributes)

    def whole_map(self, tensor: str) -> str:
        rank = len(self.shape(tensor))
        kind = self.rng.choice(["GlobalAveragePool", "GlobalMaxPool", "ReduceMean"])
        if kind != "ReduceMean":
            return self.builder.emit(kind, [tensor])
        if self.builder.opset >= 18:
            return self.builder.emit(kind, [tensor, self.builder.constant(np.arange(2, rank))], keepdims=1)
        return self.builder.emit(kind, [tensor], axes=list(range(2, rank)), keepdims=1)

    def resize(self, tensor: str) -> str:
        shape = self.shape(tensor)
        linear = self.rng.random() < 0.4
        factors = [self.rng.choice([1, 2, 2] if linear else [1, 2, 2, 3, 4]) for _ in shape[2:]]
        if math.prod(shape[2:]) * math.prod(factors) > 4 * MOST:
            return tensor
        rule = {
            "mode": "linear",
            "coordinate_transformation_mode": self.rng.choice(["half_pixel", "pytorch_half_pixel"]),
        }
        if not linear:
            mapped, mode = self.rng.choice(
                [("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"), ("half_pixel", "round_prefer_ceil")]
            )
            rule = {"mode": "nearest", "coordinate_transformation_mode": mapped, "nearest_mode": mode}
        empty, scales = self.builder.constant(np.zeros(0, np.float32)), self.constant([1, 1, *factors])
        return self.builder.emit("Resize", [tensor, empty, scales], **rule)

    def pad(self, tensor: str) -> str:
        rank = len(self.shape(tensor)) - 2
        sides = [
            0,
            0,
            *(self.rng.randint(0, 2) for _ in range(rank)),
            0,
            0,
            *(self.rng.randint(0, 2) for _ in range(rank)),
        ]
        return self.builder.emit("Pad", [tensor, self.builder.constant(np.array(sides))])

    def crop(self, tensor: str) -> str:
        size = self.shape(tensor)[2:]
        starts = [self.rng.randint(0, s // 3) for s in size]
        ends = [self.rng.choice([s, -1 if s > 2 else s, max(s - 1, f + 1)]) for s, f in zip(size, starts, strict=True)]
        lists = [starts, ends, list(range(2, 2 + len(size)))]
        return self.builder.emit("Slice", [tensor, *(self.builder.constant(np.array(each)) for each in lists)])

    def to_space(self, tensor: str) -> str:
        channels = self.shape(tensor)[1]
        if len(self.shape(tensor)) != 4 or math.prod(self.shape(tensor)[2:]) > MOST:
            return tensor
        outputs = self.rng.randint(1, 2)
        weights = self.weights([4 * outputs, channels, 1, 1], 0)
        made = self.builder.emit("Conv", [tensor, weights], kernel_shape=[1, 1])
        mode = self.rng.choice(["DCR", "CRD"])
        quantised = self.quantised(made) if mode == "DCR" else made
        return self.quantised(self.builder.emit("DepthToSpace", [quantised], blocksize=2, mode=mode))

    def function(self, tensor: str) -> str:
        rng, builder = self.rng, self.builder
        kind = rng.choice(
            ["Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Elu", "Softplus", "Softsign", "Selu", "SiLU"]
        )
        if kind == "HardSwish" and builder.opset < 14:
            kind = "Tanh"
        builder.note("functions of one value", "asked")
        if builder.nodes[-1].op_type in ("Resize", "AveragePool", "Mul", "Concat"):
            builder.note("a function of sums that may be wider than a table", "open")
        if kind == "SiLU":
            return self.quantised(builder.emit("Mul", [tensor, builder.emit("Sigmoid", [tensor])]))
        return self.quantised(builder.emit(kind, [tensor]))

    def two(self, tensor: str) -> str:
        """A tensor and what a layer makes of it, joined value by value."""
        rng, shape = self.rng, self.shape(tensor)
        gate = rng.random() < 0.3
        outputs = 1 if gate else shape[1]
        kernel = [1] * (len(shape) - 2)
        weights = self.weights([outputs, shape[1], *kernel], 0)
        made = self.builder.emit("Conv", [tensor, weights], kernel_shape=kernel)
        other = self.quantised(self.activation(made))
        return self.values_of(tensor, other, "Mul" if gate else rng.choice(["Add", "Add", "Sub", "Mul", "Max", "Max"]))

    def values_of(self, tensor: str, other: str, op: str) -> str:
        """Two tensors joined value by value."""
        rng, builder = self.rng, self.builder
        if op == "Max":
            # one type for both: another quantizer of the same kind
            scale = self.number(0.1)
            legs = [builder.quantizer(leg, scale, 6, True) for leg in (tensor, other)]
            return builder.emit("Max", legs)
        builder.note("two tensors of other scales", "asked")
        units = [builder.value(leg).unit for leg in (tensor, other)]
        if len({unit.numerator & (unit.numerator - 1) == 0 for unit in units}) > 1:
            builder.note("a power of two and another scale, which 48 bits may not hold", "open")
        legs = [tensor, other]
        if op != "Sub" and rng.random() < 0.5:
            legs.reverse()
        return self.quantised(self.activation(builder.emit(op, legs)))

    def join(self, tensor: str) -> str:
        """Legs of several scales, with a quantizer of one scale each, or behind."""
        rng, builder = self.rng, self.builder
        channels, *size = self.shape(tensor)[1:]
        legs = [tensor]
        for _ in range(rng.randint(1, 3)):
            weights = self.weights([rng.randint(1, 2), channels, *[1] * len(size)], 0)
            made = builder.emit("Conv", [tensor, weights], kernel_shape=[1] * len(size))
            legs.append(self.norm(made) if rng.random() < 0.3 else made)
        return self.concatenated(legs)

    def concatenated(self, legs: list[str]) -> str:
        """Legs one behind the other, in any order."""
        self.rng.shuffle(legs)
        self.builder.note("a quantizer behind legs of other scales", "asked")
        return self.quantised(self.activation(self.builder.emit("Concat", legs, axis=1)))

    def skip(self, tensor: str) -> str:
        """A tensor and one of those before it, of its size."""
        shape = self.shape(tensor)
        others = [other for other in self.past if other != tensor and self.shape(other)[2:] == shape[2:]]
        if not others:
            return self.two(tensor)
        other = self.rng.choice(others)
        if self.shape(other)[1] == shape[1] and self.rng.random() < 0.6:
            return self.values_of(tensor, other, self.rng.choice(["Add", "Add", "Sub", "Mul", "Max"]))
        return self.concatenated([tensor, other])

    def factor(self, tensor: str) -> str:
        """A factor and a summand of each channel between layers."""
        channels, *size = self.shape(tensor)[1:]
        laid = [channels, *[1] * len(size)] if self.rng.random() < 0.5 else [1]
        op = self.rng.choice(["Mul", "Add", "Sub", "Div"])
        values = self.drawn(*laid) + np.float32(1.5 if op == "Div" else 0)
        return self.quantised(self.builder.emit(op, [tensor, self.constant(np.where(values == 0, 1, values))]))

    def dense(self, tensor: str) -> str:
        """Flatten, and one or two layers of vectors."""
        builder, rng = self.builder, self.rng
        builder.note("dense layers", "asked")
        tensor = builder.emit("Flatten", [tensor]) if len(self.shape(tensor)) > 2 else tensor
        for last in range(rng.randint(1, 2)):
            inputs, outputs = self.shape(tensor)[1], rng.randint(1, 5)
            if rng.random() < 0.5:
                bias = [self.constant(self.drawn(outputs))] if rng.random() < 0.5 else []
                made = builder.emit("Gemm", [tensor, self.weights([outputs, inputs], 0), *bias], transB=1)
            else:
                made = builder.emit("MatMul", [tensor, self.weights([inputs, outputs], 1)])
                if rng.random() < 0.5:
                    made = builder.emit("Add", [made, self.constant(self.drawn(outputs))])
            if rng.random() < 0.4:
                made = self.norm(made)
            tensor = self.quantised(self.activation(made)) if not last or rng.random() < 0.5 else made
            if tensor == made:
                break
        return tensor

    def step(self, tensor: str) -> str:
        """Add one of all of these."""
        rng = self.rng
        kinds: list[tuple[Callable[[str], str], float, bool]] = [
            (self.block, 6, False), (self.maxpool, 2, False), (self.average, 1.5, True), (self.resize, 3, True),
            (self.pad, 0.7, False), (self.crop, 1.5, False), (self.to_space, 1, False), (self.function, 1.5, False),
            (self.two, 2.5, False), (self.join, 1.5, False), (self.skip, 2.5, False), (self.factor, 1, False),
        ]  # fmt: skip
        ((made, _, waits),) = rng.choices(kinds, [weight for _, weight, _ in kinds])
        result = made(tensor)
        result = self.quantised(result) if waits and result != tensor and rng.random() < 0.8 else result
        self.past.append(result)
        return result


def generate(seed: int) -> RandomFile:
    """The file of a seed."""
    for attempt in range(60):
        try:
            file, values = _generated(seed, random.Random(f"ops {seed} {attempt}"))
        except NoExactMeaningError:
            continue
        if values >= 4 or attempt > 30:
            return file
    raise AssertionError(f"seed {seed} makes no file")


def _generated(seed: int, rng: random.Random) -> tuple[RandomFile, int]:
    builder = Builder(rng, rng.randint(13, 20))
    ops = Ops(builder)
    rank = rng.choice([4, 4, 4, 4, 3, 2])
    channels = rng.randint(2, 6) if rank == 2 else rng.randint(1, 4)
    sizes = [4, 4, 5, 6, 6, 7, 8, 8, 9, 10]
    height, width = (rng.choice(sizes) if rank == 4 else 1), (rng.choice([*sizes, 12, 14, 16]) if rank > 2 else 1)
    image = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, size=(height, width, channels)).astype(np.uint8)
    image.flat[:2] = 0, 255
    pixel = rng.choice([Fraction(1, 255), Fraction(1, 256)])
    shape = [1, channels, height, width][: 2 if rank == 2 else 4]
    shape = [1, channels, width] if rank == 3 else shape
    laid = image.transpose(2, 0, 1).reshape(shape)
    builder.executor.values["x"] = Exact(Exact.of(laid.astype(np.int64)).num, pixel)
    tensor = ops.quantised("x")
    if rank == 2:
        tensor = ops.dense(tensor)
    else:
        ops.past.append(tensor)
        for _ in range(rng.choice([1, 1, 2, 2, 3, 3, 4, 4, 5, 7])):
            tensor = ops.step(tensor)
        end = rng.random()
        if end < 0.2 and len(builder.value(tensor).num.ravel()) < 400:
            tensor = ops.dense(tensor)
        elif end < 0.35:
            tensor = ops.quantised(ops.whole_map(tensor))
        elif end < 0.5:
            tensor = ops.conv(tensor)
        elif end < 0.65 and builder.value(tensor).shape[1] > 1:
            tensor = builder.emit("ArgMax", [tensor], axis=1, keepdims=rng.choice([0, 1]))
    if not any(node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul", "ArgMax") for node in builder.nodes):
        tensor = ops.block(tensor)
    model = model_of(builder, "x", shape, tensor, "1")
    values = len(set(builder.value(tensor).num.ravel()))
    if builder.nodes[-1].op_type == "ArgMax" and values > 1:
        values = len(set(builder.value(builder.nodes[-1].input[0]).num.ravel()))
    # What the picture's codes are shows in the output: two quantizers of the input may be one.
    return RandomFile(
        seed, model, image, pixel, (), "x", builder.choices, builder.layers, excuse="in the middle between two integers"
    ), values
