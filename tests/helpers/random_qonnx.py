"""Random QONNX files of many spellings: U-Nets, with what the ways of writing them may say and what they may not.

A file is a function of its seed alone; :mod:`helpers.random_files` judges it. Each choice that it is built from has a
name and a level: ``plain`` and ``asked`` must be taken, ``open`` may be refused, ``bad`` must not be taken as anything
but what it means. What a file means is the reference's to say.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from helpers.qonnx_exact import Exact, Executor, NoExactMeaningError
from onnx import TensorProto, helper, numpy_helper

GENERAL, BREVITAS = "qonnx.custom_op.general", "onnx.brevitas"
_SPELLINGS = frozenset(
    {
        "quant node",
        "names",
        "constants",
        "kernel_shape",
        "line of QONNX",
        "line of ONNX",
        "batch",
        "channels in",
        "classes",
    }
)
_LEVELS = ("plain", "asked", "open", "bad")


@dataclass
class RandomFile:
    """A file and what it was built from.

    Attributes:
        seed: The file's seed.
        model: The file.
        image: uint8 ``(height, width, channels)``.
        pixel: The value of one step of a byte.
        quantised: Names of the tensors behind the input quantizers: the graph begins at one of them.
        source: Name of the graph's input.
        choices: The level of every choice.
        layers: How many layers with weights it has.
        excuse: What a refusal may say, whatever the choices were.
    """

    seed: int
    model: onnx.ModelProto
    image: npt.NDArray[np.uint8]
    pixel: Fraction
    quantised: tuple[str, ...]
    source: str
    choices: dict[str, str]
    layers: int
    input_last: bool = False
    output_last: bool = False
    excuse: str = ""

    @property
    def level(self) -> str:
        """The highest level of the file's choices."""
        return max(self.choices.values(), key=_LEVELS.index, default="plain")

    def feeds(self) -> dict[str, Exact]:
        """The picture as the values that the file's input stands for."""
        order = self.image[None] if self.input_last else self.image.transpose(2, 0, 1)[None]
        rank = len(next(each for each in self.model.graph.input if each.name == self.source).type.tensor_type.shape.dim)
        if rank < order.ndim:  # a signal, or a vector
            order = order.reshape(1, self.image.shape[2], *[self.image.shape[1]] * (rank - 2))
        return {self.source: Exact(Exact.of(order.astype(np.int64)).num, self.pixel)}

    def __str__(self) -> str:
        nodes = " ".join(node.op_type for node in self.model.graph.node)
        marked = ", ".join(f"{name} ({level})" for name, level in sorted(self.choices.items()) if level != "plain")
        return f"seed {self.seed}: {self.image.shape} {marked or 'plain'}\n    {nodes}"


@dataclass
class Builder:
    """A file that grows node by node, each with its exact value for the file's picture."""

    rng: random.Random
    opset: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    count: int = 0
    layers: int = 0
    foreign: bool = False

    def __post_init__(self) -> None:
        # few unusual choices in most files, so that one refusal does not hide the others
        self.budget = {"asked": self.rng.choice([0, 1, 2, 3, 5, 99, 99]), "open": self.rng.choice([0, 0, 0, 1, 2])}
        self.freely = self.rng.random() < 0.6  # spellings, which do not count
        empty = helper.make_model(
            helper.make_graph([], "empty", [], []), opset_imports=[helper.make_opsetid("", self.opset)]
        )
        self.executor = Executor(empty, {})
        self.domain = self.rng.choice([GENERAL, GENERAL, BREVITAS])
        self.quant_name = self.pick("quant node", {"Quant": "plain", "IntQuant": "asked"}, weights=[5, 1])
        self.naming = self.pick(
            "names",
            {
                "named": "plain",
                "slashes": "asked",
                "unnamed": "asked",
                "duplicate": "asked",
                "colliding": "asked",
                "keywords": "asked",
            },
            weights=[6, 4, 3, 1, 1, 1],
        )
        self.spelling = self.pick(
            "constants",
            {"initialiser": "plain", "also inputs": "plain", "nodes": "asked", "mixed": "asked"},
            weights=[5, 2, 2, 2],
        )

    def may(self, level: str, name: str = "") -> bool:
        """Whether the file may have one more choice of this level."""
        if name in _SPELLINGS and level == "asked":
            return self.freely
        return level == "plain" or self.budget["asked" if level == "asked" else "open"] > 0

    def pick(self, name: str, options: dict[str, str], weights: Sequence[float] | None = None) -> str:
        """Choose one of the options, and note its level."""
        allowed = [self.may(level, name) or f"{name}: {choice}" in self.choices for choice, level in options.items()]
        odds = [weight * ok for weight, ok in zip(weights or [1.0] * len(options), allowed, strict=True)]
        if self.budget["open"]:
            odds = [
                odd * (4 if level in ("open", "bad") else 1) for odd, level in zip(odds, options.values(), strict=True)
            ]
        choice = self.rng.choices(list(options), odds)[0]
        if name in _SPELLINGS and options[choice] == "asked":
            self.choices[f"{name}: {choice}"] = "asked"
        else:
            self.note(f"{name}: {choice}", options[choice])
        return choice

    def rare(self, name: str, level: str, probability: float) -> bool:
        """Whether to make a choice that is made now and then; it is noted if so."""
        chosen = self.chance(probability) and self.may(level)
        if chosen:
            self.note(name, level)
        return chosen

    def note(self, name: str, level: str) -> None:
        """Note a choice and its level."""
        if level != "plain" and name not in self.choices:
            self.budget["asked" if level == "asked" else "open"] -= 1
        self.choices[name] = level

    def chance(self, probability: float) -> bool:
        """Whether something rare happens."""
        return self.rng.random() < probability

    def name(self, op: str) -> str:
        """The name of the next node."""
        self.count += 1
        return {
            "named": f"{op.lower()}_{self.count}",
            "slashes": f"/enc.{self.count}/{op}",
            "unnamed": "",
            "duplicate": op,
            "colliding": f"{op}{'/.:-'[self.count % 4]}{self.count // 4}",
            "keywords": ["module", "input", "reg", "wire", "int", "always", "end", "assign"][self.count % 8]
            + ("" if self.count < 8 else str(self.count)),
        }[self.naming]

    def emit(self, op: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its result."""
        name = self.name(op)
        result = f"t{self.count}"
        if self.foreign and self.chance(0.3):
            self.foreign, domain = False, self.rng.choice(["com.example", "ai.onnx.ml", "custom", "com.microsoft"])
        node = helper.make_node(op, list(inputs), [result], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        meaning = onnx.NodeProto()
        meaning.CopyFrom(node)
        if domain not in ("", GENERAL, BREVITAS):
            meaning.domain = self.domain if op.endswith("Quant") else ""
        self.executor.values[result] = self.executor.evaluate(meaning)
        return result

    def value(self, name: str) -> Exact:
        """The value of a tensor for the file's picture."""
        return self.executor.values[name]

    def constant(self, array: npt.NDArray[Any], what: str = "c") -> str:
        """Add a constant as an initialiser or as a node."""
        self.count += 1
        name = f"{what}{self.count}"
        finite = np.nan_to_num(array, nan=0.0, posinf=1.0, neginf=-1.0) if array.dtype.kind == "f" else array
        self.executor.values[name] = Exact.of(finite)
        self.executor.kinds[name] = helper.np_dtype_to_tensor_dtype(array.dtype)
        if self.spelling == "nodes" or (self.spelling == "mixed" and self.chance(0.5)):
            tensor = numpy_helper.from_array(array)
            self.nodes.append(helper.make_node("Constant", [], [name], name=self.name("Constant"), value=tensor))
        else:
            self.constants[name] = array
        return name

    def scalar(self, value: float, what: str, rank: int = 4) -> str:
        """Add a constant of one value, in one of the shapes that files have, with no more axes than ``rank``."""
        shapes: list[tuple[int, ...]] = [(), (), (), (1,), *([(1,) * rank] if rank > 1 else [])]
        shape = self.rng.choice(shapes) if what != "bits" else ()
        return self.constant(np.full(shape, value, dtype=np.float32), what)

    def quantizer(
        self, source: str, scale: float | npt.NDArray[Any], bits: int, signed: bool, narrow: bool = False,
        mode: str = "ROUND", zero: float = 0,
    ) -> str:  # fmt: skip
        """Add a Quant."""
        rank = len(self.value(source).shape)
        given = (
            self.constant(np.asarray(scale, dtype=np.float32), "scale")
            if np.ndim(scale)
            else self.scalar(float(scale), "scale", rank)
        )  # type: ignore[arg-type]
        inputs = [source, given, self.scalar(zero, "zero", rank), self.scalar(bits, "bits")]
        attributes: dict[str, Any] = {"signed": int(signed), "narrow": int(narrow)}
        if mode != "ROUND" or self.chance(0.9):
            attributes["rounding_mode"] = (
                mode if mode != "ROUND" or self.chance(0.85) else self.rng.choice(["HALF_EVEN", "round"])
            )
        return self.emit(self.quant_name, inputs, self.domain, **attributes)

    def fitting(self, name: str, bits: int, signed: bool, spread: tuple[int, ...] = (-1, 0, 0)) -> float:
        """A power of two that spreads a tensor's values over a type, with a little saturation at times."""
        largest = max((abs(value) for value in self.value(name).num.ravel()), default=0) * self.value(name).unit
        codes = 2 ** (bits - int(signed)) - 1
        exponent = math.ceil(math.log2(float(largest) / max(codes, 1))) if largest else -3
        return 2.0 ** (exponent + self.rng.choice(spread))


# Weights and bias


def _spread(builder: Builder, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(builder.rng.getrandbits(32))
    values = rng.normal(0, 1, size=shape) * rng.choice([0.0, 1.0, 1.0, 1.0], size=shape)
    return values.astype(np.float32)


def _weights(builder: Builder, shape: tuple[int, ...]) -> str:
    """Add quantised weights in one of many spellings."""
    raw = _spread(builder, shape)
    outputs = shape[0]
    kind = builder.pick(
        "weights",
        {
            "narrow": "plain", "signed": "plain", "unsigned": "open", "bipolar": "asked", "one bit": "open",
            "twice": "asked", "channels equal": "asked", "channels": "open", "no power of two": "open", "float": "open",
            "exact float": "open", "NaN": "bad", "infinity": "bad", "floor": "open", "zero point": "open",
            "transposed": "open", "Identity": "open", "clipped": "open", "scaled": "open",
        },
        weights=[10, 8, 1, 2, 0.3, 2, 1.5, 0.4, 0.3, 0.2, 0.3, 0.3, 0.3, 0.3, 0.2, 0.3, 0.3, 0.3, 0.3],
    )  # fmt: skip
    bits = builder.rng.randint(2, 8)
    scale = 2.0 ** (builder.rng.randint(-9, 3) if builder.chance(0.3) else -bits + 2)
    raw *= np.float32(scale * 2 ** (bits - 2))
    laid = (outputs, 1, 1, 1)
    if kind == "bipolar":
        return builder.emit(
            "BipolarQuant", [builder.constant(raw, "w"), builder.scalar(scale, "scale")], builder.domain
        )
    if kind == "twice":
        first = builder.quantizer(builder.constant(raw, "w"), scale, bits, True, True)
        coarser = 2.0 ** builder.rng.randint(0, 2)
        return builder.quantizer(first, scale * coarser, builder.rng.randint(2, bits), True, builder.chance(0.5))
    if kind in ("transposed", "Identity", "clipped", "scaled"):
        laid_out = raw.transpose(2, 3, 1, 0) if kind == "transposed" else raw
        made = builder.quantizer(builder.constant(np.ascontiguousarray(laid_out), "w"), scale, bits, True, True)
        if kind == "transposed":
            return builder.emit("Transpose", [made], perm=[3, 2, 0, 1])
        if kind == "scaled":
            return builder.emit("Mul", [made, builder.constant(np.array(-0.5, np.float32))])
        return builder.emit("Identity", [made]) if kind == "Identity" else builder.emit("Relu", [made])
    if kind == "exact float":
        return builder.constant((np.clip(np.round(raw / scale), -100, 100) * scale).astype(np.float32), "w")
    if kind == "float":
        return builder.constant(raw, "w")
    if kind in ("NaN", "infinity"):
        raw.flat[builder.rng.randrange(raw.size)] = (
            math.nan if kind == "NaN" else builder.rng.choice([-math.inf, math.inf])
        )
    weights = builder.constant(raw, "w")
    scales: dict[str, Any] = {
        "channels equal": np.full(laid, scale),
        "channels": scale * 2.0 ** np.array([builder.rng.randint(-2, 2) for _ in range(outputs)]).reshape(laid),
        "no power of two": scale * builder.rng.uniform(0.55, 0.95),
    }
    if kind == "one bit":
        return builder.quantizer(weights, scale, 1, True, builder.chance(0.5))
    mode = builder.rng.choice(["FLOOR", "CEIL", "HALF_UP", "DOWN", "UP", "HALF_DOWN"]) if kind == "floor" else "ROUND"
    zero = builder.rng.choice([1, -2, 0.5]) if kind == "zero point" else 0
    return builder.quantizer(weights, scales.get(kind, scale), bits, kind != "unsigned", kind == "narrow", mode, zero)


def _bias(builder: Builder, channels: int, unit: Fraction) -> list[str]:
    """Add a bias, or none; ``unit`` is the accumulator's step."""
    step = float(unit)
    kind = builder.pick(
        "bias",
        {
            "none": "plain", "quant": "plain", "quant coarser": "plain", "quant finer, multiples": "asked",
            "float multiples": "asked", "float": "open", "quant no multiples": "open", "overflow": "open", "NaN": "bad",
            "infinity": "bad", "zero": "asked", "negative zero": "asked",
        },
        weights=[6, 6, 3, 2, 4, 0.6, 0.4, 0.3, 0.2, 0.2, 0.4, 0.3],
    )  # fmt: skip
    if kind == "none":
        return []
    codes = np.array([builder.rng.randint(-40, 40) for _ in range(channels)], dtype=np.float64)
    if kind in ("zero", "negative zero"):
        return [builder.constant((codes * 0 if kind == "zero" else -np.abs(codes) * 0).astype(np.float32), "b")]
    if kind == "overflow":
        return [builder.quantizer(builder.constant(np.full(channels, 2.0**24, np.float32), "b"), 1.0, 32, True)]
    if kind in ("NaN", "infinity"):
        codes[builder.rng.randrange(channels)] = math.nan if kind == "NaN" else math.inf
    values = (codes * step).astype(np.float32)
    if kind == "float multiples":
        return [builder.constant(values, "b")]
    if kind == "float":
        return [builder.constant((values + np.float32(step * 0.3)).astype(np.float32), "b")]
    finer = {
        "quant coarser": 2.0 ** builder.rng.randint(0, 3),
        "quant finer, multiples": 2.0 ** -builder.rng.randint(1, 6),
    }
    if kind == "quant no multiples":
        return [builder.quantizer(builder.constant(values + np.float32(step / 2), "b"), step / 2, 32, True)]
    bits = builder.rng.choice([16, 24, 32])
    return [
        builder.quantizer(builder.constant(values, "b"), step * finer.get(kind, 1.0), bits, True, builder.chance(0.3))
    ]


# Layers


def _matrix(builder: Builder, source: str, outputs: int, kernel: int, *, up: bool = False) -> str:
    """Add a convolution, or a transpose convolution, in one of many spellings."""
    channels = builder.value(source).shape[1]
    builder.layers += 1
    if up:
        weights = _weights(builder, (channels, outputs, 2, 2))
    else:
        weights = _weights(builder, (outputs, channels, kernel, kernel))
    bias = _bias(builder, outputs, builder.value(source).unit * builder.value(weights).unit)
    attributes: dict[str, Any] = {}
    op = "ConvTranspose" if up else "Conv"
    size = [2, 2] if up else [kernel] * 2
    if builder.pick("kernel_shape", {"given": "plain", "absent": "asked"}, weights=[4, 1]) == "given":
        attributes["kernel_shape"] = size
    if builder.chance(0.4):
        attributes |= {"group": 1, "dilations": [1, 1]}
    if up:
        attributes["strides"] = [2, 2]
        if builder.chance(0.3):
            attributes |= {"pads": [0, 0, 0, 0], "output_padding": [0, 0]}
        if builder.rare("ConvTranspose auto_pad", "asked", 0.15):
            attributes.pop("pads", None)
            attributes["auto_pad"] = builder.rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
    else:
        if builder.chance(0.5):
            attributes["strides"] = [1, 1]
        spelling = builder.pick(
            "padding",
            {"pads": "plain", "SAME_UPPER": "asked", "SAME_LOWER": "asked", "NOTSET": "asked", "VALID": "asked"},
            weights=[6, 1.5, 1, 0.7, 1],
        )
        if spelling.startswith("SAME") or (kernel == 1 and spelling == "VALID"):
            attributes["auto_pad"] = spelling
        else:
            attributes |= {"pads": [kernel // 2] * 4} | ({"auto_pad": "NOTSET"} if spelling == "NOTSET" else {})
            if kernel == 1 and builder.chance(0.5):
                attributes.pop("pads")
        odd = builder.pick(
            "geometry",
            {"same": "plain", "valid": "open", "uneven": "open", "stride": "open", "dilation": "open", "group": "open"},
            weights=[60, 1, 1, 1, 1, 1],
        )
        if odd != "same":
            attributes.pop("auto_pad", None)
        if odd == "valid":
            attributes["pads"] = [0, 0, 0, 0]
        elif odd == "uneven":
            attributes["pads"] = [kernel - 1, kernel - 1, 0, 0]
        elif odd == "stride":
            attributes |= {"strides": [2, 2]}
        elif odd == "dilation":
            attributes |= {"dilations": [2, 2], "pads": [kernel - 1] * 4}
        elif odd == "group" and channels > 1:
            weights = _weights(builder, (channels, 1, kernel, kernel))
            bias, attributes["group"] = [], channels
    return builder.emit(op, [source, weights, *bias], **attributes)


def _pool(builder: Builder, source: str) -> str:
    attributes: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
    if builder.chance(0.4):
        attributes["pads"] = [0, 0, 0, 0]
    if builder.rare("MaxPool auto_pad", "asked", 0.15):
        attributes.pop("pads", None)
        attributes["auto_pad"] = builder.rng.choice(["VALID", "SAME_UPPER", "SAME_LOWER", "NOTSET"])
    if builder.opset >= 10 and builder.rare("MaxPool ceil_mode or dilations", "asked", 0.2):
        attributes |= builder.rng.choice([{"ceil_mode": 0}, {"dilations": [1, 1]}, {"ceil_mode": 1}])
    if builder.rare("MaxPool without strides", "open", 0.04):
        del attributes["strides"]
    if builder.rare("MaxPool 3x3", "open", 0.03):
        attributes |= {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        attributes.pop("auto_pad", None)
    elif builder.rare("AveragePool", "open", 0.03):
        plain = {key: value for key, value in attributes.items() if key in ("kernel_shape", "strides")}
        return builder.emit("AveragePool", [source], **plain)
    return builder.emit("MaxPool", [source], **attributes)


def _clip(builder: Builder, source: str, low: float | None, high: float | None) -> str:
    if builder.opset < 11:
        bounds = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
        return builder.emit("Clip", [source], **bounds)
    names = ["" if value is None else builder.constant(np.array(value, np.float32), "bound") for value in (low, high)]
    return builder.emit("Clip", [source, *names] if names[1] else [source, names[0]])


def _quantised(builder: Builder, source: str, *, allow_pool: bool = False) -> tuple[str, bool]:
    """Add a rectifier and a quantizer in one of many orders; returns the result and whether a pool came along."""
    bits = builder.rng.choice([2, 3, 4, 4, 5, 6, 7, 8, 8, 1 if builder.chance(0.3) else 4, 12])
    order = builder.pick(
        "activation",
        {
            "relu, unsigned": "plain", "signed": "plain", "unsigned": "asked", "relu, signed": "asked",
            "relu, signed narrow": "asked", "signed, relu": "asked", "signed narrow, relu": "asked",
            "clip, quant": "asked",
            "relu6 inside": "open", "two quantizers": "plain", "narrow": "open", "relu, unsigned narrow": "open",
            "rounding": "open", "zero point": "open", "no power of two": "open", "bipolar": "open", "leaky": "open",
            "one bit signed": "open", "prelu": "open", "quant, clip": "open", "relu twice": "asked", "trunc": "open",
        },
        weights=[14, 8, 4, 6, 2, 5, 2, 4, 0.5, 3, 0.5, 0.4, 0.5, 0.3, 0.4, 0.3, 0.4, 0.2, 0.2, 0.4, 1.5, 0.2],
    )  # fmt: skip
    pooled = False

    def pool(tensor: str, where: str) -> str:
        nonlocal pooled
        if not allow_pool or pooled:
            return tensor
        if builder.rare("pool before the quantizer", "asked", 0.3) if where == "before" else builder.chance(0.25):
            pooled = True
            return _pool(builder, tensor)
        return tensor

    if order.startswith("relu") or order in ("clip, quant", "leaky", "prelu"):
        source = pool(source, "before")
        if order == "clip, quant":
            bits = max(bits, 2)
            signed = builder.chance(0.3)
            scale = builder.fitting(source, bits, signed)
            top = scale * (2 ** (bits - signed) - 1)
            low = builder.rng.choice(
                [0.0, 0.0, 0.0, -(top + scale) * (1 if signed else 0) - scale * builder.rng.randint(0, 4)]
            )
            high = builder.rng.choice([top, top + scale, top * 2, 3.0e38])
            source = _clip(
                builder, source, low, builder.rng.choice([high, high, None]) if builder.opset >= 11 else high
            )
            return builder.quantizer(pool(source, "before"), scale, bits, signed), pooled
        if order == "relu6 inside":
            source = _clip(builder, source, 0.0, float(builder.value(source).floats().max()) * 0.4 + 2**-10)
        elif order == "leaky":
            source = builder.emit("LeakyRelu", [source], alpha=builder.rng.choice([0.125, 0.1]))
        elif order == "prelu":
            source = builder.emit("PRelu", [source, builder.constant(np.full((1,), 0.25, np.float32))])
        else:
            for _ in range(2 if order == "relu twice" else 1):
                source = builder.emit("Relu", [source])
        source = pool(source, "before")
        signed = order in ("relu, signed", "relu, signed narrow", "leaky", "prelu") or (
            order == "relu twice" and builder.chance(0.5)
        )
        bits = max(bits, 2) if signed else bits
        narrow = order.endswith("narrow")
        return builder.quantizer(source, builder.fitting(source, bits, signed), bits, signed, narrow), pooled
    source = pool(source, "before")
    bits = max(bits, 2) if order not in ("unsigned",) else bits
    scale = builder.fitting(source, bits, order != "unsigned")
    if order == "bipolar":
        return builder.emit("BipolarQuant", [source, builder.scalar(scale, "scale")], builder.domain), pooled
    if order == "one bit signed":
        return builder.quantizer(source, scale, 1, True), pooled
    if order == "trunc":
        first = builder.quantizer(source, scale, bits, True)
        inputs = [builder.scalar(value, "bits") for value in (scale, 0, bits, bits - 1)]
        return builder.emit("Trunc", [first, *inputs], builder.domain, rounding_mode="FLOOR"), pooled
    mode = (
        builder.rng.choice(["FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]) if order == "rounding" else "ROUND"
    )
    zero = builder.rng.choice([1, -3]) if order == "zero point" else 0
    if order == "no power of two":
        scale *= builder.rng.uniform(0.55, 0.95)
    narrow = order in ("narrow", "signed narrow, relu")
    result = builder.quantizer(source, scale, bits, order != "unsigned", narrow, mode, zero)
    result = pool(result, "after")
    if order == "quant, clip":
        return _clip(builder, result, 0.0, scale * (2 ** (bits - 1) - 1) * 0.5), pooled
    if order.endswith(", relu"):
        result = builder.emit("Relu", [result])
    if order == "two quantizers":
        other = max(builder.rng.randint(2, 8), 2)
        result = builder.quantizer(result, builder.fitting(result, other, True), other, True)
    return pool(result, "after"), pooled


def _sprinkle(builder: Builder, tensor: str) -> str:
    """Add a node that does nothing, or at times one that does."""
    what = builder.pick(
        "between",
        {
            "nothing": "plain", "Identity": "asked", "Dropout": "asked", "Transpose that moves nothing": "asked",
            "swap height and width": "open", "Add": "open", "Mul": "open", "BatchNormalization": "open",
            "Resize": "open", "Pad": "open", "Sub": "open",
        },
        weights=[40, 2, 1, 2, 0.6, 0.6, 0.4, 0.3, 0.3, 0.3, 0.5],
    )  # fmt: skip
    channels, height, width = builder.value(tensor).shape[1:]
    if what == "Identity":
        return builder.emit("Identity", [tensor])
    if what == "Dropout":
        return builder.emit("Dropout", [tensor])
    if what == "Transpose that moves nothing":
        return builder.emit("Transpose", [tensor], perm=[0, 1, 2, 3])
    if what == "swap height and width" and height == width:
        return builder.emit("Transpose", [tensor], perm=[0, 1, 3, 2])
    if what == "Add":
        return builder.emit("Add", [tensor, tensor])
    if what == "Sub":
        return builder.emit("Sub", [tensor, builder.constant(np.array(0.25, np.float32))])
    if what == "Mul":
        return builder.emit("Mul", [tensor, builder.constant(np.array(2.0, np.float32))])
    if what == "BatchNormalization":
        names = [builder.constant(np.full(channels, value, np.float32)) for value in (2.0, 0.5, 0.25, 1.0)]
        return builder.emit("BatchNormalization", [tensor, *names], epsilon=0.0)
    if what == "Pad" and builder.opset < 11:
        return builder.emit("Pad", [tensor], pads=[0, 0, 0, 0, 0, 0, 2, 2])
    if what == "Pad":
        return builder.emit("Pad", [tensor, builder.constant(np.array([0, 0, 0, 0, 0, 0, 2, 2]))])
    if what == "Resize" and builder.opset >= 11 and height * width <= 64:
        scales = builder.constant(np.array([1, 1, 2, 2], np.float32))
        rule = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return builder.emit(
            "Resize", [tensor, builder.constant(np.zeros(0, np.float32)), scales], mode="nearest", **rule
        )
    return tensor


def _block(builder: Builder, tensor: str, channels: int, *, allow_pool: bool = False) -> tuple[str, bool]:
    acc = _matrix(builder, tensor, channels, builder.rng.choice([3, 3, 1]))
    result, pooled = _quantised(builder, acc, allow_pool=allow_pool)
    return _sprinkle(builder, result), pooled


def _join(builder: Builder, legs: list[str]) -> str:
    """Concatenate, with quantizers in front of the legs, behind, or both; the first leg must be quantised."""
    legs, quantised = list(legs), legs[0]
    if builder.chance(0.5):
        legs.reverse()
    extra = builder.pick(
        "legs", {"two": "plain", "three": "asked", "four": "asked", "same twice": "open"}, [12, 3, 1, 0.7]
    )
    if extra == "same twice":
        legs.append(legs[0])
    for _ in range({"three": 1, "four": 2}.get(extra, 0)):
        legs.insert(builder.rng.randint(0, len(legs)), _matrix(builder, quantised, builder.rng.randint(1, 2), 1))
    where = builder.pick(
        "quantizers of a Concat",
        {"in front, one type": "plain", "in front, many types": "asked", "behind": "asked", "both": "asked"},
        weights=[4, 3, 3, 2],
    )
    axis = 1
    if builder.rare("negative axis", "asked", 0.2):
        axis = -3
    if where == "in front, one type":
        bits = builder.rng.randint(3, 8)
        scale = max(builder.fitting(leg, bits, True, (0,)) for leg in legs)
        legs = [builder.quantizer(leg, scale, bits, True) for leg in legs]
    elif where in ("in front, many types", "both"):
        ready = []
        for leg in legs:
            bits, signed = builder.rng.randint(3, 7), builder.chance(0.6)
            ready.append(builder.quantizer(leg, builder.fitting(leg, bits, signed), bits, signed))
        scales = [builder.value(leg).unit for leg in ready]
        if max(scales) / min(scales) > 2**8:  # the common type would be wider than the hardware's
            builder.note("scales of a Concat far apart", "open")
        legs = ready
    result = builder.emit("Concat", legs, axis=axis)
    if where in ("behind", "both"):
        if builder.chance(0.4):
            result = builder.emit("Relu", [result])
        bits, signed = builder.rng.randint(3, 8), builder.chance(0.5)
        result = builder.quantizer(result, builder.fitting(result, bits, signed), bits, signed)
    return result


def _input(builder: Builder, source: str, channels: int) -> tuple[str, str]:
    """Add normalisation and the input quantizer; returns its result, and what the first layer reads."""
    last_axes = (1, channels, 1, 1)
    tensor = source
    normalisation = builder.pick(
        "normalisation", {"none": "plain", "one": "asked", "two": "asked", "channels": "asked", "zero gain": "open"},
        weights=[12, 2, 2, 2, 0.2],
    )  # fmt: skip
    rng = builder.rng
    steps = {"one": [rng.choice(["Sub", "Mul", "Div", "Add"])], "two": ["Sub", rng.choice(["Mul", "Div"])],
             "channels": ["Sub", "Div"], "zero gain": ["Mul"]}.get(normalisation, [])  # fmt: skip
    for op in steps:
        shape = last_axes if normalisation == "channels" else rng.choice([(), (1,), (1, 1, 1, 1)])
        values = np.array([rng.choice([0.5, 0.456, 0.225, 0.25, 2.0]) for _ in range(math.prod(shape))])
        values = values * 0 if normalisation == "zero gain" else values
        constant = builder.constant(values.reshape(shape).astype(np.float32), "norm")
        swapped = op in ("Add", "Mul") and builder.chance(0.3)
        tensor = builder.emit(op, [constant, tensor] if swapped else [tensor, constant])
    if builder.chance(0.06):
        tensor = _sprinkle(builder, tensor)
    kind = builder.pick(
        "input quantizer",
        {"u8": "plain", "signed": "asked", "unsigned": "asked", "narrow": "asked", "no power of two": "open",
         "absent": "open", "twice": "open", "rounding": "open", "relu": "open", "zero point": "open"},
        weights=[10, 5, 3, 2, 0.6, 0.3, 0.3, 0.3, 0.3, 0.3],
    )  # fmt: skip
    if kind == "absent":
        return tensor, tensor
    if kind == "relu":
        tensor = builder.emit("Relu", [tensor])
    signed = kind == "signed" or (kind != "unsigned" and kind != "u8" and builder.chance(0.5))
    bits = 8 if kind == "u8" or builder.chance(0.5) else rng.randint(2, 10)
    scale = 2.0**-8 if kind == "u8" and normalisation == "none" else builder.fitting(tensor, bits, signed)
    scale = 1 / 255 if kind == "no power of two" else scale
    zero = rng.choice([1, 128]) if kind == "zero point" else 0
    tensor = builder.quantizer(
        tensor, scale, bits, signed, kind == "narrow", "FLOOR" if kind == "rounding" else "ROUND", zero
    )
    first = tensor
    if kind == "twice":
        tensor = builder.quantizer(tensor, builder.fitting(tensor, 4, True), 4, True)
    return first, tensor


def _worst(builder: Builder, node: onnx.NodeProto) -> int:
    """The greatest sum that a convolution can reach, about: its input has the whole type of the nearest quantizer."""
    source, weights = builder.value(node.input[0]), builder.value(node.input[1])
    largest = 2 ** (int(max(abs(value) for value in source.num.ravel())).bit_length() + 1)
    makers = {name: each for each in builder.nodes for name in each.output}
    waiting = [node.input[0]]
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker.op_type == "Quant":
            step = max(builder.value(maker.input[1]).fractions().ravel())
            bits = int(max(builder.value(maker.input[3]).fractions().ravel()))
            largest = max(largest, int(step * 2**bits / source.unit))
        elif maker is not None:
            waiting += maker.input[: 99 if maker.op_type == "Concat" else 1]
    sums = [sum(abs(int(value)) for value in row.ravel()) for row in weights.num]
    bias = max(abs(value) for value in builder.value(node.input[2]).fractions().ravel()) if len(node.input) > 2 else 0
    return int(max(sums) * largest + bias / (source.unit * weights.unit))


def _output(builder: Builder, tensor: str, classes: int) -> tuple[str, bool]:
    """Add the head; returns the output and whether its channels come last."""
    result = _matrix(builder, tensor, classes, builder.rng.choice([1, 1, 3]))
    kind = builder.pick(
        "output",
        {"quantised": "plain", "sigmoid, quantised": "plain", "accumulator": "asked", "relu": "open", "sigmoid": "open",
         "argmax": "open"},
        weights=[8, 3, 5, 0.4, 0.5, 0.3],
    )  # fmt: skip
    if kind == "accumulator" and _worst(builder, builder.nodes[-1]) >= 2**15:
        builder.note("an accumulator that may be wider than 16 bits", "open")
    if kind == "relu":
        result = builder.emit("Relu", [result])
    if "quantised" in kind:
        bits = builder.rng.randint(3, 8)
        result = builder.quantizer(result, builder.fitting(result, bits, True), bits, True)
    if "sigmoid" in kind:
        bits = builder.rng.choice([8, 8, 4])
        if builder.value(result).unit < Fraction(1, 2 ** (bits - 2)):
            builder.note("a sigmoid whose table does not tell the smallest logits from 0", "open")
        result = builder.emit("Sigmoid", [result])
        if kind == "sigmoid, quantised":
            result = builder.quantizer(result, 2.0**-bits, bits, False)
    if kind == "argmax":
        result = builder.emit("ArgMax", [result], axis=1)
    if builder.rare("Identity at the output", "asked", 0.06):
        result = builder.emit("Identity", [result])
    if kind != "argmax" and builder.rare("Transpose at the output", "asked" if classes == 1 else "open", 0.12):
        return builder.emit("Transpose", [result], perm=[0, 2, 3, 1]), True
    return result, False


def generate(seed: int) -> RandomFile:
    """The file of a seed."""
    for attempt in range(40):
        try:
            file, values = _generate(seed, random.Random(f"{seed} {attempt}"))
        except NoExactMeaningError:
            continue  # the choices do not go together, for example a stride that leaves nothing
        if values >= 4 or attempt > 20:  # an output that is nearly constant would hide what is wrong
            return file
    raise AssertionError(f"seed {seed} makes no file")


def _generate(seed: int, rng: random.Random) -> tuple[RandomFile, int]:
    """A file, and how many different values its output has."""
    builder = Builder(rng, rng.randint(9, 18))
    channels = int(builder.pick("channels in", {"1": "plain", "2": "asked", "3": "asked", "4": "asked"}, [3, 1, 2, 1]))
    pool_levels = rng.choice([0, 1, 1, 2])
    unit = 2**pool_levels
    height, width = (unit * rng.randint(max(1, 4 // unit), 12 // unit) for _ in range(2))
    image = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, size=(height, width, channels)).astype(np.uint8)
    image.flat[:2] = 0, 255
    pixel = rng.choice([Fraction(1, 255), Fraction(1, 256), Fraction(1, 256)])
    source = rng.choice(["x", "input", "input.1", "image:0", "0"])
    input_last = builder.rare("Transpose at the input", "asked" if channels == 1 else "open", 0.1)
    laid = image[None] if input_last else image.transpose(2, 0, 1)[None]
    builder.executor.values[source] = Exact(Exact.of(laid.astype(np.int64)).num, pixel)
    shape = list(laid.shape)
    tensor = source
    builder.foreign = builder.rare("a node of a foreign domain", "bad", 0.05)
    if input_last:
        tensor = builder.emit("Transpose", [tensor], perm=[0, 3, 1, 2])
    quantised, first_read = _input(builder, tensor, channels)
    tensor = _body(builder, first_read, pool_levels)
    classes = int(builder.pick("classes", {"1": "plain", "2": "asked", "3": "asked", "4": "asked"}, [3, 1, 1, 1]))
    output, output_last = _output(builder, tensor, classes)
    batch = builder.pick(
        "batch", {"1": "plain", "dynamic": "asked", "unknown": "asked", "0": "open", "-1": "open", "2": "open"},
        weights=[20, 4, 2, 0.4, 0.4, 0.4],
    )  # fmt: skip
    model = model_of(builder, source, shape, output, batch)
    if builder.chance(0.07):
        spoiled = rng.choice(list(_SPOILS))
        builder.note(spoiled, "bad")
        _SPOILS[spoiled](rng, model)
    choices, values = builder.choices, len(set(builder.value(output).num.ravel()))
    behind = tuple(dict.fromkeys((quantised, first_read)))
    file = RandomFile(seed, model, image, pixel, behind, source, choices, builder.layers, input_last, output_last)
    return file, values


def _body(builder: Builder, tensor: str, levels: int) -> str:
    """Add an encoder, and a decoder with skip connections."""
    rng = builder.rng
    skips = []
    for _ in range(levels):
        tensor, pooled = _block(builder, tensor, rng.randint(1, 4), allow_pool=builder.chance(0.4))
        skip = tensor
        if not pooled:
            tensor = _pool(builder, tensor)
        else:
            skip = ""
        skips.append(skip)
    if levels == 0 or builder.chance(0.5):
        tensor, _ = _block(builder, tensor, rng.randint(1, 4))
    while skips:
        skip = skips.pop()
        if builder.chance(0.15):
            break
        up = _matrix(builder, tensor, rng.randint(1, 3), 2, up=True)
        if skip and builder.value(skip).shape[2:] == builder.value(up).shape[2:]:
            if builder.rare("Relu in front of a leg", "asked", 0.2):
                up = builder.emit("Relu", [up])
            tensor = _join(builder, [skip, up])
        else:
            tensor, _ = _quantised(builder, up)
        if builder.chance(0.5):
            tensor, _ = _block(builder, tensor, rng.randint(1, 3))
    if levels == 0 and builder.chance(0.4):
        other, _ = _block(builder, tensor, rng.randint(1, 3))
        if builder.value(other).shape[2:] == builder.value(tensor).shape[2:]:
            tensor = _join(builder, [tensor, other])
    return tensor


# What makes a finished file mean nothing, or something else than it seems to.


def _kernel_shape(rng: random.Random, model: onnx.ModelProto) -> None:
    node = rng.choice([node for node in model.graph.node if node.op_type == "Conv"])
    kept = [attribute for attribute in node.attribute if attribute.name != "kernel_shape"]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("kernel_shape", [5, 5])])


def _no_signed(rng: random.Random, model: onnx.ModelProto) -> None:
    node = rng.choice([node for node in model.graph.node if node.op_type in ("Quant", "IntQuant")])
    missing = rng.choice(["signed", "narrow"])
    kept = [attribute for attribute in node.attribute if attribute.name != missing]
    del node.attribute[:]
    node.attribute.extend(kept)


def _input_too_many(rng: random.Random, model: onnx.ModelProto) -> None:
    kinds = ("Quant", "IntQuant", "Relu", "MaxPool", "BipolarQuant", "Conv")
    node = rng.choice([node for node in model.graph.node if node.op_type in kinds])
    missing = {"Conv": 3, "BipolarQuant": 2}.get(node.op_type, len(node.input)) - len(node.input)
    node.input.extend([""] * missing + [node.input[0]])


def _attribute_twice(rng: random.Random, model: onnx.ModelProto) -> None:
    node = rng.choice([node for node in model.graph.node if node.attribute and node.op_type != "Constant"])
    again = onnx.AttributeProto()
    again.CopyFrom(rng.choice(node.attribute))
    again.i += 1
    node.attribute.append(again)


def _attribute_unknown(rng: random.Random, model: onnx.ModelProto) -> None:
    node = rng.choice([node for node in model.graph.node if node.op_type != "Constant"])
    node.attribute.append(helper.make_attribute(rng.choice(["dilation", "pad", "scale", "nonsense"]), 2))


def _constant_twice(rng: random.Random, model: onnx.ModelProto) -> None:
    if not model.graph.initializer:
        return
    again = onnx.TensorProto()
    again.CopyFrom(rng.choice(model.graph.initializer))
    again.raw_data = bytes(len(again.raw_data))
    model.graph.initializer.insert(0, again)


def _function(rng: random.Random, model: onnx.ModelProto) -> None:
    node = rng.choice([node for node in model.graph.node if node.op_type != "Constant"])
    names = [f"in{index}" for index in range(len(node.input))]
    body = [helper.make_node("Identity", names[:1], ["out"])]
    keys = [attribute.name for attribute in node.attribute]
    version = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function(node.domain, node.op_type, names, ["out"], body, version, keys))


_SPOILS: dict[str, Callable[[random.Random, onnx.ModelProto], None]] = {
    "kernel_shape that contradicts the weights": _kernel_shape,
    "a quantizer without signed or narrow": _no_signed,
    "an input too many": _input_too_many,
    "an attribute twice": _attribute_twice,
    "an unknown attribute": _attribute_unknown,
    "a constant twice": _constant_twice,
    "a function of the file": _function,
}


def model_of(builder: Builder, source: str, shape: list[int], output: str, batch: str) -> onnx.ModelProto:
    rng = builder.rng
    dimensions: list[int | str | None] = [*shape]
    dimensions[0] = {"1": 1, "0": 0, "-1": -1, "2": 2, "dynamic": "N", "unknown": None}[batch]
    inputs = [helper.make_tensor_value_info(source, TensorProto.FLOAT, dimensions)]
    if builder.spelling == "also inputs":
        for name, array in builder.constants.items():
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            inputs.append(helper.make_tensor_value_info(name, kind, list(array.shape)))
    initialisers = [numpy_helper.from_array(array, name) for name, array in builder.constants.items()]
    kind = TensorProto.INT64 if builder.nodes[-1].op_type == "ArgMax" else TensorProto.FLOAT
    graph = helper.make_graph(
        builder.nodes, rng.choice(["graph", "torch-jit-export", "main_graph", "a b", "9"]), inputs,
        [helper.make_tensor_value_info(output, kind, None)], initialisers,
    )  # fmt: skip
    standard = builder.pick("line of ONNX", {"short": "plain", "ai.onnx": "asked"}, [4, 1])
    versions = [helper.make_opsetid("" if standard == "short" else standard, builder.opset)]
    line = builder.pick(
        "line of QONNX",
        {"right": "plain", "absent": "asked", "the other": "asked", "both": "asked"},
        weights=[5, 1.5, 2, 1],
    )
    other = {GENERAL: BREVITAS, BREVITAS: GENERAL}[builder.domain]
    for domain in {"right": [builder.domain], "absent": [], "the other": [other], "both": [GENERAL, BREVITAS]}[line]:
        versions.append(helper.make_opsetid(domain, 1))
    versions += [
        helper.make_opsetid(domain, 1) for domain in {n.domain for n in builder.nodes} - {"", GENERAL, BREVITAS}
    ]
    return helper.make_model(graph, opset_imports=versions, ir_version=rng.choice([4, 7, 8]))
