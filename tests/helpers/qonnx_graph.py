"""Any integer graph with one input as a QONNX file, written with onnx alone; reading it must give the same graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from helpers.qonnx_files import QONNX_DOMAIN
from onnx import TensorProto, helper, numpy_helper

from quantunet.ir import Concat, Conv2d, ConvTranspose2d, Graph, IntArray, Lookup, MatrixNode, MaxPool2d, Node, QType

_BIAS_BITS = 32


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def quant(self, name: str, source: str, target: str, qtype: QType, narrow: int = 0) -> str:
        parameters = [f"{name}_{what}" for what in ("scale", "zero", "bits")]
        for key, value in zip(parameters, (qtype.scale, 0, qtype.bits), strict=True):
            self.constants[key] = np.array(value, dtype=np.float32)
        attributes = {"signed": int(qtype.signed), "narrow": narrow, "rounding_mode": "ROUND"}
        self.nodes.append(
            helper.make_node("Quant", [source, *parameters], [target], name=name, domain=QONNX_DOMAIN, **attributes)
        )
        return target

    def constant(self, name: str, codes: IntArray, axes: Sequence[int], qtype: QType) -> str:
        values = np.ldexp(codes.array.transpose(*axes).astype(np.float32), -qtype.frac)
        self.constants[f"{name}_values"] = np.ascontiguousarray(values)
        return self.quant(f"{name}_quant", f"{name}_values", f"{name}_y", qtype)

    def matrix(self, node: Conv2d | ConvTranspose2d) -> None:
        source, target = self.graph.input_of(node).qtype, self.graph.output_of(node).qtype
        transpose = isinstance(node, ConvTranspose2d)
        weight = self.constant(f"{node.name}_weight", node.weight, (2, 3, 0, 1) if transpose else (3, 2, 0, 1),
                               node.weight_type)  # fmt: skip
        bias = self.constant(f"{node.name}_bias", node.bias, (0,),
                             QType(_BIAS_BITS, True, node.weight_type.frac + source.frac))  # fmt: skip
        kernel = node.weight.shape[0]
        shape = {"kernel_shape": [kernel, kernel]}
        shape |= {"strides": [2, 2]} if transpose else {"pads": [kernel // 2] * 4}
        acc = f"{node.name}_acc"
        self.nodes.append(
            helper.make_node("ConvTranspose" if transpose else "Conv", [node.inputs[0], weight, bias], [acc],
                             name=node.name, **shape)
        )  # fmt: skip
        if not target.signed:
            self.nodes.append(helper.make_node("Relu", [acc], [f"{acc}_relu"], name=f"{node.name}_relu"))
            acc += "_relu"
        self.quant(f"{node.name}_quant", acc, node.output, target)

    def add(self, node: Node) -> None:
        if isinstance(node, MatrixNode):
            self.matrix(node)
        elif isinstance(node, MaxPool2d):
            window = {"kernel_shape": [2, 2], "strides": [2, 2]}
            self.nodes.append(helper.make_node("MaxPool", node.inputs, [node.output], name=node.name, **window))
        elif isinstance(node, Concat):
            self.nodes.append(helper.make_node("Concat", node.inputs, [node.output], name=node.name, axis=1))
        elif isinstance(node, Lookup):
            self.nodes.append(helper.make_node("Sigmoid", node.inputs, [f"{node.name}_y"], name=node.name))
            self.quant(f"{node.name}_quant", f"{node.name}_y", node.output, self.graph.output_of(node).qtype)
        else:
            self.quant(node.name, node.inputs[0], node.output, self.graph.output_of(node).qtype)

    def model(self) -> onnx.ModelProto:
        image = self.graph.tensor(self.graph.input)
        height, width, channels = image.shape
        self.quant("image_quant", "x", image.name, image.qtype, int(self.graph.pixels.narrow))
        for node in self.graph.nodes:
            self.add(node)
        graph = helper.make_graph(
            self.nodes,
            self.graph.name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, height, width])],
            [helper.make_tensor_value_info(self.graph.output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        domains = [helper.make_opsetid("", 17), helper.make_opsetid(QONNX_DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=domains)
        if self.graph.pixels.scale is not None:
            helper.set_model_props(model, {"quantunet.pixel_scale": str(self.graph.pixels.scale)})
        return model


def write_qonnx(graph: Graph, folder: Path) -> Path:
    """Write a graph to ``folder/<name>.onnx``."""
    path = folder / f"{graph.name}.onnx"
    path.write_bytes(_Writer(graph).model().SerializeToString())
    return path
