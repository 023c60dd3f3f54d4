"""The state of reading an hls4ml ModelGraph: what each variable holds, and what every layer's reader needs."""

from __future__ import annotations

import math
from typing import Any

from quantunet.errors import ShapeError
from quantunet.hls.csim.lower.layer import GRAPH_KEY, NODE_ATTRIBUTE, TENSOR_ATTRIBUTE
from quantunet.hls.csim.lower.names import unique_names
from quantunet.hls.plugin.original import Original
from quantunet.hls.plugin.precision import rule_of
from quantunet.identifiers import identifier
from quantunet.ir import Graph, Shape, Tensor
from quantunet.normalise import Builder
from quantunet.values import AnyValue, Place, TensorSource, Value


def result(layer: Any) -> Any:
    """Return the precision of a layer's result."""
    return layer.get_output_variable().type.precision


def shape_of(layer: Any) -> Shape:
    """Return the shape of a layer's result: a vector is one pixel, a signal one row.

    Raises:
        ShapeError: It has more than three axes.
    """
    sizes = tuple(int(size) for size in layer.get_output_variable().shape)
    if not 1 <= len(sizes) <= 3:
        raise ShapeError(layer.name, expected="an output of one to three axes, channels last", got=str(sizes))
    height, width, channels = (1,) * (3 - len(sizes)) + sizes
    return height, width, channels


def _defaults(model: Any) -> frozenset[str]:
    """Return the precisions that hls4ml gives to what nobody has chosen."""
    found = model.config.model_precision.get("default")
    return (
        frozenset()
        if found is None
        else frozenset({str(found), str(model.config.backend.convert_precision_string(str(found)))})
    )


class Reader:
    """Reads the layers in order; what each variable holds is a value of the builder.

    Attributes:
        rounded: The layers whose real weights were rounded, by what and to which type.
        defaults: The precisions of what nobody has chosen.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.builder = Builder()
        self.values: dict[str, AnyValue] = {}
        self.unread: dict[str, Tensor] = {}
        self.original = Original(model.config.config)
        self.own = model.config.config.get(GRAPH_KEY) is not None
        self.rounded: dict[str, list[str]] = {}
        self.defaults = _defaults(model)
        self.names = self._names()

    def _names(self) -> dict[str, str]:
        """Return the tensor name of every hls4ml variable."""
        names: dict[str, str] = {}
        foreign: list[str] = []
        for layer in self.model.get_layers():
            original = layer.get_attr(TENSOR_ATTRIBUTE)
            for variable in layer.outputs:
                if original is None:
                    foreign.append(variable)
                else:
                    names[variable] = original
        cleaned = unique_names(identifier(name) for name in foreign)
        return {**names, **dict(zip(foreign, cleaned, strict=True))}

    def tensors(self, graph: Graph) -> dict[str, str]:
        """Return the tensor of each layer whose result is one of the graph."""
        names = {tensor.name for tensor in graph.tensors}
        found = {}
        for layer in self.model.get_layers():
            value = self.values.get(layer.outputs[0])
            whole = isinstance(value, Value) and value.untouched and isinstance(value.source, TensorSource)
            if whole and isinstance(value, Value) and isinstance(value.source, TensorSource):
                if value.source.tensor.name in names:
                    found[layer.name] = value.source.tensor.name
        return found

    def place(self, layer: Any, order: int) -> Place:
        """Return the name, the place and the output of a layer's node."""
        name = layer.get_attr(NODE_ATTRIBUTE) or identifier(layer.name)
        return Place(name, order, self.names[layer.outputs[0]])

    def bits(self, variable: str) -> int:
        """Return the width of a variable's declared type."""
        precision = self.model.output_vars[variable].type.precision
        return int(precision.width)

    def source(self, layer: Any, index: int = 0) -> AnyValue:
        """Return what a layer reads."""
        return self.source_of(layer.inputs[index])

    def source_of(self, variable: str) -> AnyValue:
        """Return the value of a variable; an input becomes a tensor of the graph when it is first read."""
        if variable in self.unread:
            self.values[variable] = self.builder.input_tensor(self.unread.pop(variable))
        return self.values[variable]

    def keep(self, layer: Any, place: Place, value: AnyValue) -> None:
        """Remember what a layer returns, behind the conversion to its result type.

        A layer of the project's own graphs becomes a layer again; so does one that several others read.
        """
        value = self.builder.quantise(place, value, rule_of(layer.name, result(layer)))
        shape = shape_of(layer)
        if shape != value.shape and math.prod(shape) != math.prod(value.shape):  # a flattened map keeps its shape here
            raise ShapeError(layer.name, expected=f"a result of shape {value.shape}", got=str(shape))
        variable = layer.outputs[0]
        if layer.get_attr(NODE_ATTRIBUTE) is not None:
            value = self.builder.ready(self.builder.tensor(value, place), place)
        elif len(layer.get_output_nodes()) + (variable in self.model.outputs) > 1:
            value = self.builder.settle(value)
        self.values[variable] = value
