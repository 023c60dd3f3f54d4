"""From an hls4ml ModelGraph back to the integer graph; what cannot be represented exactly is refused.

The graph is one that the ``QuantUNet`` backend has prepared: no layers inserted for C++ streams. Layers that came from
:mod:`quantunet.hls.csim.lower` keep their names, each as a layer of its own: the round trip gives an equal graph.
Other graphs go through the same normalisation as QONNX files (:mod:`quantunet.normalise`).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantunet.errors import ModelError, ShapeError, UnsupportedOpError
from quantunet.hls.csim.lower.layer import GRAPH_KEY, NODE_ATTRIBUTE, TENSOR_ATTRIBUTE
from quantunet.hls.csim.lower.names import unique_names
from quantunet.hls.plugin.layers import READERS, result, shape_of
from quantunet.hls.plugin.original import Original
from quantunet.hls.plugin.precision import rule_of
from quantunet.identifiers import identifier
from quantunet.ir import Graph, Tensor
from quantunet.normalise import Builder
from quantunet.values import AnyValue, Place, TensorSource, Value

logger = logging.getLogger(__name__)


def from_model_graph(model: Any) -> Graph:
    """Return the integer graph of an hls4ml ModelGraph.

    Args:
        model: A ``ModelGraph`` of the backend ``QuantUNet``.

    Returns:
        The checked graph.

    Raises:
        UnsupportedOpError: A layer, attribute, rounding or saturation that the hardware does not have, or an attribute
            that hls4ml does not pass on.
        ScaleError: Weights or a bias that their precision, or the accumulator, does not hold exactly.
        WidthError: An accumulator that may overflow, or a width outside the supported range.
        ModelError: Anything else that makes the graph illegal.
    """
    return Reader(model).graph()


@dataclass(frozen=True)
class Compiled:
    """A model as integers.

    Attributes:
        graph: The integer graph.
        input_precision: The hls4ml precision of the input.
        layers: By the name of an hls4ml layer, the tensor that holds its result; layers that became a part of others
            are left out.
    """

    graph: Graph
    input_precision: Any
    layers: Mapping[str, str]


def compiled(model: Any, *, make: bool = True) -> Compiled:
    """Return a model as integers; it is read once.

    Args:
        model: A ``ModelGraph`` of the backend ``QuantUNet``.
        make: Read it where that has not been done.

    Raises:
        ModelError: As :func:`from_model_graph`; or it was not compiled, and is not to be made.
    """
    found: Compiled | None = getattr(model, "quantunet", None)
    if found is None:
        if not make:
            raise ModelError(
                model.config.get_project_name(), expected="a compiled model", got="one that is not",
                hint="Call compile() first.",
            )  # fmt: skip
        reader = Reader(model)
        graph = reader.graph()
        inputs = model.get_input_variables()
        found = model.quantunet = Compiled(graph, inputs[0].type.precision, reader.tensors(graph))
    return found


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

    def graph(self) -> Graph:
        """Return the checked graph."""
        if len(self.model.outputs) != 1:
            raise ModelError(
                "model", expected="one output", got=str(len(self.model.outputs)), hint="Cut the model into parts."
            )
        if len(self.model.inputs) != 1 and not self.own:
            raise ModelError(
                "model", expected="one input", got=", ".join(self.model.inputs),
                hint="The hardware takes one image; join the inputs into the channels of one.",
            )  # fmt: skip
        for order, layer in enumerate(self.model.get_layers()):
            read = READERS.get(layer.class_name)
            if read is None:
                raise UnsupportedOpError(
                    layer.name,
                    expected=f"one of the layers {', '.join(sorted(READERS))}",
                    got=layer.class_name,
                    hint="Remove the layer, or compute it outside.",
                )
            read(self, layer, self.place(layer, order))
        for what, names in self.rounded.items():
            logger.info("%s, as the layers declare them: %s", what, ", ".join(names))
        name = self.model.config.config.get(GRAPH_KEY) or identifier(self.model.config.get_project_name())
        variable = self.model.outputs[0]
        for each in list(self.unread):
            self.source_of(each)
        return self.builder.graph(name, self.values[variable], Place(self.names[variable], len(self.values), ""))

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
