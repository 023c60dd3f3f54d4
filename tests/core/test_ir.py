"""The integer graph: JSON round trip, equality, and the checks of :mod:`quantunet.graph_check`."""

import dataclasses

import numpy as np
import pytest

from quantunet.accumulator import accumulator, bits_for, reachable
from quantunet.errors import FileFormatError, ModelError, ShapeError, TypeMismatchError, WidthError
from quantunet.golden.ops import conv2d
from quantunet.ir import Conv2d, Graph, IntArray, QType, Tensor
from quantunet.model.random_network import random_unet


@pytest.fixture(scope="module")
def graph() -> Graph:
    return random_unet(base=2, depth=2, size=8)


def with_tensor(graph: Graph, which: str, **changes: object) -> Graph:
    tensors = tuple(dataclasses.replace(t, **changes) if t.name == which else t for t in graph.tensors)  # type: ignore[arg-type]
    return dataclasses.replace(graph, tensors=tensors)


def test_json_round_trip(graph: Graph) -> None:
    again = Graph.from_json(graph.to_json())
    assert again == graph
    assert again.to_json() == graph.to_json()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "quantunet-graph-1"}', "null"])
def test_damaged_json(text: str) -> None:
    with pytest.raises(FileFormatError):
        Graph.from_json(text, "file.json")


def test_truncated_weights_in_json(graph: Graph) -> None:
    damaged = graph.to_json().replace('"shape": [\n     3', '"shape": [\n     5', 1)
    assert damaged != graph.to_json()
    with pytest.raises(FileFormatError):
        Graph.from_json(damaged)


def test_equality_sees_one_weight(graph: Graph) -> None:
    node = graph.nodes[0]
    assert isinstance(node, Conv2d)
    values = node.weight.array.copy()
    values.flat[3] += 1
    changed = dataclasses.replace(node, weight=IntArray.of(values))
    assert dataclasses.replace(graph, nodes=(changed, *graph.nodes[1:])) != graph


def test_checks_name_what_is_wrong(graph: Graph) -> None:
    with pytest.raises(TypeMismatchError, match="pool0"):
        with_tensor(graph, "pool0_out", qtype=QType(3, True, 1)).check()
    with pytest.raises(TypeMismatchError, match="concat1"):
        with_tensor(graph, "up1_out", qtype=QType(3, True, 9)).check()
    with pytest.raises(ShapeError, match="enc0_conv0"):
        with_tensor(graph, "enc0_conv0_out", shape=(8, 7, 2)).check()
    with pytest.raises(WidthError, match="enc0_conv0_out"):
        with_tensor(graph, "enc0_conv0_out", qtype=QType(17, False, 1)).check()
    with pytest.raises(ModelError, match="unused"):
        extra = Tensor("unused", (1, 1, 1), QType(8, False, 8))
        dataclasses.replace(graph, tensors=(*graph.tensors, extra)).check()
    with pytest.raises(ModelError, match="earlier layer"):
        dataclasses.replace(graph, nodes=tuple(reversed(graph.nodes))).check()
    with pytest.raises(ModelError, match="letters"):
        with_tensor(graph, "enc0_conv0_out", name="a b").check()


def test_weights_outside_their_type(graph: Graph) -> None:
    node = graph.nodes[0]
    assert isinstance(node, Conv2d)
    narrow = dataclasses.replace(node, weight_type=QType(1, True, 0))
    with pytest.raises(WidthError, match="enc0_conv0"):
        dataclasses.replace(graph, nodes=(narrow, *graph.nodes[1:])).check()


def test_every_layer_alone_is_a_legal_graph(graph: Graph) -> None:
    for node in graph.nodes:
        layer = graph.layer(node.name)
        assert layer.check().nodes == (node,)
    with pytest.raises(ModelError, match="enc0_conv0"):
        graph.layer("nothing")


def test_accumulator_is_the_smallest_that_holds_the_extremes(graph: Graph) -> None:
    """The extremes are reached: by the input that is largest where the weight is positive, and the reverse."""
    compared = 0
    for node in graph.nodes:
        if not isinstance(node, Conv2d):
            continue
        source = graph.input_of(node).qtype
        low, high = reachable(node, source)
        highest = lowest = 0
        kernel = node.weight.shape[0]
        for channel in range(node.weight.shape[3]):
            weight = node.weight.array[:, :, :, channel : channel + 1]
            bias = node.bias.array[channel : channel + 1]
            for sign in (1, -1):
                x = np.where(weight[:, :, :, 0] * sign > 0, source.qmax, source.qmin)
                value = int(conv2d.accumulate(x, weight, bias)[kernel // 2, kernel // 2, 0])
                highest, lowest = max(highest, value), min(lowest, value)
        assert (lowest, highest) == (min(low, 0), max(high, 0))
        bits = accumulator(graph, node).bits
        assert bits == bits_for(low, high)
        assert -(1 << (bits - 1)) <= low
        assert high < 1 << (bits - 1)
        assert low < -(1 << (bits - 2)) or high >= 1 << (bits - 2)
        compared += 1
    assert compared == 11


def test_int_array_refuses_floats() -> None:
    with pytest.raises(TypeError, match="integers"):
        IntArray.of([0.5])
