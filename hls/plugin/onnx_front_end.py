"""Ops of ONNX files that hls4ml 1.3 lacks, or at which it stops: transpose convolutions, and Resize as it is exported.

hls4ml's pass over ``Resize`` asks whether an empty array is true, which NumPy refuses since 2.2, and its reader of
shapes stops at an input that is left out, as PyTorch leaves out the region. Both are worked around here: the layer
keeps the image as its only input, and inputs that are left out have no shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from types import ModuleType
from typing import Any

from hls4ml.model.flow import update_flow
from hls4ml.model.layers import Constant, Layer
from hls4ml.model.optimizer import OptimizerPass, get_available_passes, register_pass
from onnx import NodeProto, numpy_helper

from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.hls_layers import QunOnnxConvTranspose

TABLE = "hls4ml.converters.onnx_to_hls"
"""The module of hls4ml that has the handlers."""

_backends: set[str] = set()
"""Those that read this package's Resize."""


def serve(backend: str) -> None:
    """Let a backend have this package's Resize; the others keep hls4ml's."""
    _backends.add(backend.lower())


def add_to(table: ModuleType) -> None:
    """Add the handlers to hls4ml's table; a second call changes nothing."""
    if "ConvTranspose" in table.layer_handlers:
        return
    table.register_onnx_layer_handler("ConvTranspose", _conv_transpose)
    convert, shapes_of = table.onnx_to_hls, table.get_input_shape

    def onnx_to_hls(config: Any) -> Any:
        if str(config.get("Backend", "")).lower() not in _backends:
            return convert(config)
        before = table.layer_handlers["Resize"]
        try:
            table.layer_handlers["Resize"] = _resize
            return convert(config)
        finally:
            table.layer_handlers["Resize"] = before

    def get_input_shape(graph: Any, node: NodeProto) -> Any:
        given = NodeProto()
        given.CopyFrom(node)
        del given.input[:]
        given.input.extend(name for name in node.input if name)
        return shapes_of(graph, given)

    table.onnx_to_hls = onnx_to_hls  # type: ignore[attr-defined]
    table.get_input_shape = get_input_shape  # type: ignore[attr-defined]


class TakeConstants(OptimizerPass):
    """Puts the constants that a transpose convolution reads into its attributes."""

    def match(self, node: Layer) -> bool:
        """Return whether it reads any."""
        return isinstance(node, QunOnnxConvTranspose) and len(node.inputs) > 1

    def transform(self, model: Any, node: Layer) -> bool:
        """Take them.

        Raises:
            UnsupportedOpError: They are no constants, or have a scale that is no power of two.
        """
        for name, variable in zip(("weight", "bias"), list(node.inputs[1:]), strict=False):
            constant = node.get_input_node(variable)
            if not isinstance(constant, Constant):
                raise UnsupportedOpError(
                    node.name, expected=f"a {name} that is a constant with a quantizer of one power-of-two scale",
                    got=f"the result of '{constant.name}'",
                    hint="Give the file to quantunet itself, which takes other scales: quantunet check FILE.onnx.",
                )  # fmt: skip
            node.set_attr(f"{name}_constant", constant)
            node.inputs.remove(variable)
        return True


class DropUnreadConstants(OptimizerPass):
    """Removes constants that no layer reads, to which hls4ml could give no type."""

    def match(self, node: Layer) -> bool:
        """Return whether it is one."""
        return isinstance(node, Constant) and not any(
            node.outputs[0] in each.inputs for each in node.model.get_layers()
        )

    def transform(self, model: Any, node: Layer) -> bool:
        """Remove it."""
        model.remove_node(node)
        return True


def register_passes() -> None:
    """Add the passes to hls4ml's flow for ONNX files; a second call changes nothing."""
    passes = {"qun_take_constants": TakeConstants, "qun_drop_unread_constants": DropUnreadConstants}
    if not set(passes) & set(get_available_passes()):
        for name, each in passes.items():
            register_pass(name, each)
        update_flow("parse_qonnx", add_optimizers=list(passes))


def _layer(node: NodeProto, inputs: Sequence[str], graph: Any, kind: str) -> dict[str, Any]:
    shape = _shape(graph, node, node.output[0])
    return {"name": node.name, "class_name": kind, "inputs": list(inputs), "outputs": list(node.output), "shape": shape}


def _shape(graph: Any, node: NodeProto, name: str) -> list[int]:
    """Return the sizes of a tensor without the batch."""
    for info in (*graph.value_info, *graph.output, *graph.input):
        if info.name == name:
            return [int(size.dim_value) for size in info.type.tensor_type.shape.dim][1:]
    raise UnsupportedOpError(
        node.name, expected=f"the shape of {name}", got="none in the file", hint="Run qonnx.util.cleanup.cleanup_model."
    )


def _conv_transpose(node: NodeProto, inputs: Sequence[str], shapes: Any, graph: Any) -> dict[str, Any]:
    return _layer(node, inputs, graph, "QunOnnxConvTranspose")


def _resize(node: NodeProto, inputs: Sequence[str], shapes: Any, graph: Any) -> dict[str, Any]:
    layer = _layer(node, inputs[:1], graph, "QunOnnxResize")
    scales, sizes = (_constant(node, graph, index) for index in (2, 3))
    if sizes:
        before = _shape(graph, node, node.input[0])
        factors = [Fraction(size, length) for size, length in zip(map(int, sizes[1:]), before, strict=True)]
    else:
        factors = [Fraction(scale) for scale in scales[1:]]
    return layer | {"factors": factors}


def _constant(node: NodeProto, graph: Any, index: int) -> list[float]:
    """Return the values of an input; none where it is left out.

    Raises:
        UnsupportedOpError: They are computed.
    """
    if index >= len(node.input) or not node.input[index]:
        return []
    for constant in graph.initializer:
        if constant.name == node.input[index]:
            return [float(value) for value in numpy_helper.to_array(constant).reshape(-1)]
    raise UnsupportedOpError(
        node.name, expected=f"{node.input[index]} as a constant", got="a computed one",
        hint="Run qonnx.util.cleanup.cleanup_model.",
    )  # fmt: skip
