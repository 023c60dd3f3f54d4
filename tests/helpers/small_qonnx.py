"""QONNX files written by hand, node by node, for tests of one situation at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

GENERAL, BREVITAS, CHANNELS_LAST = "qonnx.custom_op.general", "onnx.brevitas", "qonnx.custom_op.channels_last"


class Net:
    """A file that grows node by node; ``net("Relu", tensor)`` adds a node and returns its result.

    Args:
        shape: Channels, height and width of the picture.
        seed: Seed of the weights.
    """

    def __init__(self, shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0) -> None:
        self.shape = shape
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.domain = GENERAL
        self.opset = 17
        self.versions: list[tuple[str, int]] = [(GENERAL, 1)]
        self.batch: int | str | None = 1
        self.name = "net"
        self.input_shape: list[Any] | None = None
        self.also_inputs = False
        self.named = True
        self.quantised = ""

    def __call__(self, op: str, *inputs: str, name: str | None = None, domain: str = "", **attributes: Any) -> str:
        """Add a node; its result has the node's name."""
        name = f"{op.lower()}{len(self.nodes)}" if name is None else name
        result = f"{name}_out" if name else f"tensor{len(self.nodes)}"
        label = name if self.named else ""
        self.nodes.append(helper.make_node(op, list(inputs), [result], name=label, domain=domain, **attributes))
        return result

    def constant(self, values: npt.ArrayLike, dtype: Any = np.float32) -> str:
        """Add an initialiser."""
        name = f"constant{len(self.constants)}"
        self.constants[name] = np.asarray(values, dtype=dtype)
        return name

    def quant(
        self, source: str, scale: Any, bits: float, signed: int = 1, narrow: int = 0, zero: float = 0,
        op: str = "Quant", name: str | None = None, mode: str = "ROUND",
    ) -> str:  # fmt: skip
        """Add a quantizer."""
        parameters = [self.constant(value) for value in (scale, zero, bits)]
        return self(op, source, *parameters, name=name, domain=self.domain, signed=signed, narrow=narrow,
                    rounding_mode=mode)  # fmt: skip

    def input(self, scale: float = 2.0**-8, bits: int = 8, signed: int = 0, narrow: int = 0, source: str = "x") -> str:
        """Add the input quantizer."""
        self.quantised = self.quant(source, scale, bits, signed, narrow, name="input_quant")
        return self.quantised

    def weights(self, *shape: int, scale: Any = 0.25, bits: int = 4) -> str:
        """Add quantised weights."""
        raw = self.constant(self.rng.normal(0, 1, size=shape))
        return self.quant(raw, scale, bits, 1, 1)

    def conv(self, source: str, channels: int, outputs: int, kernel: int = 3, bias: str = "", weights: str = "",
             name: str | None = None, **attributes: Any) -> str:  # fmt: skip
        """Add a convolution that keeps the size."""
        weights = weights or self.weights(outputs, channels, kernel, kernel)
        attributes = {"kernel_shape": [kernel] * 2, "pads": [kernel // 2] * 4} | attributes
        attributes = {key: value for key, value in attributes.items() if value is not None}
        return self("Conv", source, weights, *([bias] if bias else []), name=name, **attributes)

    def relu_quant(self, source: str, scale: float = 0.25, bits: int = 4) -> str:
        """Add a rectifier and an unsigned quantizer."""
        return self.quant(self("Relu", source), scale, bits, 0)

    def pool(self, source: str, name: str | None = None, **attributes: Any) -> str:
        """Add a pool of 2x2."""
        return self("MaxPool", source, name=name, **{"kernel_shape": [2, 2], "strides": [2, 2]} | attributes)

    def up(self, source: str, channels: int, outputs: int, name: str | None = None) -> str:
        """Add a transpose convolution of 2x2."""
        weights = self.weights(channels, outputs, 2, 2)
        return self("ConvTranspose", source, weights, name=name, kernel_shape=[2, 2], strides=[2, 2])

    def head(self, source: str, channels: int, classes: int = 1, scale: float = 0.25, bits: int = 6) -> str:
        """Add the last convolution and its quantizer."""
        return self.quant(self.conv(source, channels, classes, 1, name="head"), scale, bits)

    def model(self, *outputs: str) -> onnx.ModelProto:
        """The file, with these tensors as its outputs."""
        channels, height, width = self.shape
        shape: Sequence[Any] = self.input_shape or [self.batch, channels, height, width]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        if self.also_inputs:
            inputs += [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
                for name, value in self.constants.items()
            ]
        graph = helper.make_graph(
            self.nodes, self.name, inputs,
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )  # fmt: skip
        versions = [helper.make_opsetid("", self.opset)]
        versions += [helper.make_opsetid(domain, version) for domain, version in self.versions]
        return helper.make_model(graph, opset_imports=versions)
