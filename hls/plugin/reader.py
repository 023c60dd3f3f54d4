"""From an hls4ml ModelGraph back to the integer graph; what cannot be represented exactly is refused.

The graph is one that the ``QuantUNet`` backend has prepared: no layers inserted for C++ streams. Layers that came from
:mod:`quantunet.hls.csim.lower` keep their names, each as a layer of its own: the round trip gives an equal graph.
Other graphs go through the same normalisation as QONNX files (:mod:`quantunet.normalise`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantunet.errors import ModelError, UnsupportedOpError
from quantunet.hls.csim.lower.layer import GRAPH_KEY
from quantunet.hls.plugin.layers import READERS
from quantunet.hls.plugin.reading import Reader
from quantunet.identifiers import identifier
from quantunet.ir import Graph
from quantunet.values import Place

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
    return _graph(Reader(model))


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
        graph = _graph(reader)
        inputs = model.get_input_variables()
        found = model.quantunet = Compiled(graph, inputs[0].type.precision, reader.tensors(graph))
    return found


def _graph(reader: Reader) -> Graph:
    """Return the checked graph."""
    if len(reader.model.outputs) != 1:
        raise ModelError(
            "model", expected="one output", got=str(len(reader.model.outputs)), hint="Cut the model into parts."
        )
    if len(reader.model.inputs) != 1 and not reader.own:
        raise ModelError(
            "model", expected="one input", got=", ".join(reader.model.inputs),
            hint="The hardware takes one image; join the inputs into the channels of one.",
        )  # fmt: skip
    for order, layer in enumerate(reader.model.get_layers()):
        read = READERS.get(layer.class_name)
        if read is None:
            raise UnsupportedOpError(
                layer.name,
                expected=f"one of the layers {', '.join(sorted(READERS))}",
                got=layer.class_name,
                hint="Remove the layer, or compute it outside.",
            )
        read(reader, layer, reader.place(layer, order))
    for what, names in reader.rounded.items():
        logger.info("%s, as the layers declare them: %s", what, ", ".join(names))
    name = reader.model.config.config.get(GRAPH_KEY) or identifier(reader.model.config.get_project_name())
    variable = reader.model.outputs[0]
    for each in list(reader.unread):
        reader.source_of(each)
    return reader.builder.graph(name, reader.values[variable], Place(reader.names[variable], len(reader.values), ""))
