"""From an hls4ml ModelGraph back to the integer graph; what cannot be represented exactly is refused.

The graph is one that the ``QuantUNet`` backend has prepared: no layers inserted for C++ streams. It goes through the
same normalisation as QONNX files (:mod:`quantunet.normalise`); the project's own networks come back as they were
(:mod:`quantunet.hls.plugin.own`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from quantunet.errors import ModelError, UnsupportedOpError, WidthError
from quantunet.hls.csim.lower.layer import TENSOR_ATTRIBUTE
from quantunet.hls.plugin.layers import READERS
from quantunet.hls.plugin.own import is_own, read_own
from quantunet.hls.plugin.reading import AS_IT_IS, Layout, Reader
from quantunet.identifiers import identifier
from quantunet.ir import MAX_BITS, Graph
from quantunet.values import Place, TensorSource, Value

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
    return read_own(model) if is_own(model) else _graph(Reader(model))


@dataclass(frozen=True)
class Compiled:
    """A model as integers.

    Attributes:
        graph: The integer graph.
        input_precision: The hls4ml precision of the input.
        layers: By the name of an hls4ml layer, the tensor that holds its result; layers that became a part of others
            are left out.
        layout: How the values that come and go lie, where the hardware has another order.
    """

    graph: Graph
    input_precision: Any
    layers: Mapping[str, str]
    layout: tuple[Layout, Layout] = (AS_IT_IS, AS_IT_IS)


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
        precision = model.get_input_variables()[0].type.precision
        if is_own(model):
            graph = read_own(model)
            layers = {layer.name: layer.get_attr(TENSOR_ATTRIBUTE) for layer in model.get_layers()}
            found = Compiled(graph, precision, layers)
        else:
            reader = Reader(model)
            graph = _graph(reader)
            found = Compiled(graph, precision, reader.tensors(graph), reader.layout)
        model.quantunet = found
    return found


_WAYS_ROUND = {"Softmax": "End the model at the logits: the largest is the class."}
"""What to do about a layer that is not read, where that is known better."""


def _graph(reader: Reader) -> Graph:
    """Return the checked graph."""
    if len(reader.model.outputs) != 1:
        raise ModelError(
            "model", expected="one output", got=str(len(reader.model.outputs)), hint="Cut the model into parts."
        )
    if len(reader.model.inputs) != 1:
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
                hint=_WAYS_ROUND.get(layer.class_name, "Remove the layer, or compute it outside."),
            )
        reader.follow(layer)
        try:
            read(reader, layer, reader.place(layer, order))
        except WidthError:
            reader.check_inputs(layer)
            raise
    for what, names in reader.rounded.items():
        logger.info("%s, as the layers declare them: %s", what, ", ".join(names))
    variable = reader.model.outputs[0]
    place = Place(reader.names[variable], len(reader.model.get_layers()) - 1, f"{reader.names[variable]}_out")
    output = reader.source_of(variable)
    if variable in reader.channels_first:
        reader.layout = reader.layout[0], Layout(output.shape, (2, 0, 1))
    for each in list(reader.unread):
        reader.source_of(each)
    if isinstance(output, Value):
        plain = (output.bends, output.low, output.high, output.step) == ((), None, None, None)
        if plain and output.declared is not None and output.declared.bits > MAX_BITS:
            output = replace(output, declared=None)  # exact sums, however wide their type is
        elif plain and not reader.builder.layers and isinstance(output.source, TensorSource):
            # Layers that change no value: the hardware has one that hands it on.
            output = reader.builder.requant(place, output, output.source.tensor.qtype)
    try:
        return reader.builder.graph(identifier(reader.model.config.get_project_name()), output, place)
    except WidthError as error:
        reader.check_widths(error.where)
        raise
