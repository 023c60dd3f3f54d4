"""A whole integer graph, or one layer of it, as an hls4ml ModelGraph."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hls4ml.backends import get_backend
from hls4ml.model.graph import ModelGraph

from quantunet.hls.csim.extension import register
from quantunet.hls.csim.lower.layer import (
    GRAPH_KEY,
    NODE_ATTRIBUTE,
    PIXELS_KEY,
    READING_KEY,
    TENSOR_ATTRIBUTE,
    UNIT_ATTRIBUTE,
    HlsLayer,
    exact,
)
from quantunet.hls.csim.lower.names import unique_names
from quantunet.hls.csim.lower.table import SHEETS
from quantunet.hls.csim.target import CLOCK_NS, PART
from quantunet.ir import Graph, Node, Tensor


@dataclass(frozen=True)
class HlsLayerList:
    """What ``ModelGraph.from_layer_list`` takes.

    Attributes:
        layers: The layer dictionaries.
        config: The ``LayerName`` part of the hls4ml configuration.
        inputs: Names of the input layers.
        outputs: Names of the output layers.
    """

    layers: tuple[Mapping[str, Any], ...]
    config: Mapping[str, Mapping[str, Any]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def lower_node(graph: Graph, node: Node) -> HlsLayer:
    """Return the hls4ml layer of a node, from ``quantunet.hls.csim.lower.<op>``."""
    layer: HlsLayer = SHEETS[node.op].lower(graph, node)
    return layer


def layer_list(graph: Graph) -> HlsLayerList:
    """Return a graph as hls4ml layer dictionaries with an explicit precision for every tensor.

    The original names go along as attributes, so that :mod:`quantunet.hls.plugin.reader` finds them again.
    """
    originals = [tensor.name for tensor in graph.tensors] + [node.name for node in graph.nodes]
    unique = unique_names(originals)
    names = dict(zip(originals[: len(graph.tensors)], unique, strict=False))
    node_names = dict(zip(originals[len(graph.tensors) :], unique[len(graph.tensors) :], strict=True))
    layers: list[Mapping[str, Any]] = []
    config: dict[str, Mapping[str, Any]] = {}
    for name in graph.inputs:
        tensor = graph.tensor(name)
        layers.append(
            {
                "class_name": "InputLayer",
                "name": names[name],
                "input_shape": list(tensor.shape),
                **_origin(graph.tensor(name)),
            }
        )
        config[names[name]] = {"Precision": {"result": exact(tensor.qtype)}}
    for node in graph.nodes:
        lowered, name = lower_node(graph, node), node_names[node.name]
        layers.append(
            {
                **lowered.attributes,
                "class_name": lowered.class_name,
                "name": name,
                "inputs": [names[tensor] for tensor in node.inputs],
                "outputs": [names[node.output]],
                NODE_ATTRIBUTE: node.name,
                **_origin(graph.output_of(node)),
            }
        )
        config[name] = {
            "Precision": dict(lowered.precision),
            "ReuseFactor": lowered.reuse_factor,
            "Strategy": "resource",
        }
    producer = graph.producer(graph.output)
    assert producer is not None
    inputs = tuple(names[name] for name in graph.inputs)
    return HlsLayerList(tuple(layers), config, inputs, (node_names[producer.name],))


def model_graph(
    graph: Graph,
    folder: Path,
    *,
    backend: str = "Vitis",
    part: str = PART,
    clock_ns: float = CLOCK_NS,
) -> ModelGraph:
    """Lower an integer graph to an hls4ml ModelGraph; nothing is written yet.

    Args:
        graph: The integer graph: a network, or ``graph.layer(name)``.
        folder: Where ``write()`` of the result shall put the project.
        backend: The hls4ml backend: ``Vitis``, or ``QuantUNet`` for the streaming SystemVerilog.
        part: The device that the project names.
        clock_ns: The clock period in nanoseconds.
    """
    register(get_backend("Vitis"))
    layers, reading = layer_list(graph), graph.reading
    config: dict[str, Any] = {
        "OutputDir": str(folder),
        "ProjectName": project_name(graph),
        "Backend": backend,
        "Part": part,
        "ClockPeriod": clock_ns,
        "IOType": "io_stream",
        GRAPH_KEY: graph.name,
        PIXELS_KEY: graph.pixels.encoded(),
        READING_KEY: None if reading is None else [[str(v) for v in part] for part in (reading.gain, reading.offset)],
        "HLSConfig": {
            "Model": {"Precision": {"default": "fixed<16,6>"}, "ReuseFactor": 1, "Strategy": "Resource"},
            "LayerName": copy.deepcopy(dict(layers.config)),
        },
        "WriterConfig": {
            "Namespace": None,
            "WriteWeightsTxt": True,
            "WriteTar": False,
            "TBOutputStream": "both",
        },
    }
    # from_layer_list changes the dictionaries that it is given.
    return ModelGraph.from_layer_list(
        config, _mutable(layers.layers), inputs=list(layers.inputs), outputs=list(layers.outputs)
    )


def _origin(tensor: Tensor) -> dict[str, str]:
    """Return the attributes that say which tensor a layer writes."""
    return {TENSOR_ATTRIBUTE: tensor.name, **({} if tensor.unit is None else {UNIT_ATTRIBUTE: str(tensor.unit)})}


def project_name(graph: Graph) -> str:
    """Return the name of a graph's hls4ml project and of its top function."""
    return unique_names([graph.name])[0]


def _mutable(layers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [copy.deepcopy(dict(layer)) for layer in layers]
