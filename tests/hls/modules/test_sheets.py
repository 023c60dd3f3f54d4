"""Instances of the small modules: typed errors, and the order of a table."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from quantunet.errors import FoldingError, WidthError
from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.hls.modules import width_adapter
from quantunet.hls.modules.table import cycles, emit
from quantunet.ir import Graph, Lookup, QType, Tensor
from quantunet.random_network import GraphBuilder


def small_layers() -> list[Graph]:
    graphs = []
    plain = ("maxpool2d", "requant", "concat", "sigmoid", "add", "maximum", "multiply", "affine")
    for op in (*plain, "pad", "crop", "resize_bilinear", "depth_to_space"):
        builder = GraphBuilder("net", 4, 4, 6, QType(5, True, 2), 0)
        inputs = ("image",)
        if op == "maxpool2d":
            builder.maxpool2d("layer", "image")
        elif op == "requant":
            builder.requant("layer", "image", QType(4, True, 1))
        elif op == "sigmoid":
            builder.sigmoid("layer", "image")
        elif op == "multiply":
            builder.tensors.append(Tensor("other", (4, 4, 1), QType(5, True, 2)))
            builder.multiply("layer", "image", "other")
            inputs = ("image", "other")
        elif op == "maximum":
            builder.tensors.append(Tensor("other", (4, 4, 6), QType(5, True, 2)))
            builder.maximum("layer", "image", "other")
            inputs = ("image", "other")
        elif op == "affine":
            builder.affine("layer", "image", QType(4, True, 1))
        elif op == "pad":
            builder.pad("layer", "image", (1, 0, 2, 1))
        elif op == "crop":
            builder.crop("layer", "image", (1, 2, 0, 0))
        elif op == "resize_bilinear":
            builder.resize_bilinear("layer", "image")
        elif op == "depth_to_space":
            builder.depth_to_space("layer", "image", (1, 2))
        elif op == "add":
            builder.tensors.append(Tensor("other", (4, 4, 6), QType(5, True, 2)))
            builder.add("layer", "image", "other", QType(5, True, 1))
            inputs = ("image", "other")
        else:
            builder.tensors.append(Tensor("up", (4, 4, 3), QType(5, True, 2)))
            builder.concat("layer", "image", "up")
            inputs = ("image", "up")
        graphs.append(builder.build(inputs))
    return graphs


@pytest.mark.parametrize("graph", small_layers(), ids=lambda graph: graph.nodes[0].op)
@pytest.mark.parametrize("fold", [Fold(4, 4), Fold(0, 0), Fold(3, 1)])
def test_fold_that_does_not_fit_is_refused_by_name(graph: Graph, fold: Fold) -> None:
    with pytest.raises(FoldingError, match=r"^layer: "):
        Folding(graph, {"layer": fold})


@pytest.mark.parametrize("graph", small_layers(), ids=lambda graph: graph.nodes[0].op)
def test_more_lanes_take_fewer_cycles(graph: Graph) -> None:
    (node,) = graph.nodes
    one, three = (cycles(graph, node, Fold(lanes, lanes)) for lanes in (1, 3))
    assert one.ideal == 3 * three.ideal
    assert one.predicted - one.ideal == three.predicted - three.ideal > 0


def test_shift_beyond_the_helper_integers_is_refused() -> None:
    builder = GraphBuilder("net", 2, 2, 1, QType(16, True, 0), 0)
    builder.requant("wide", "image", QType(16, True, 60))
    graph = builder.build()
    with pytest.raises(WidthError, match="wide: .* shifted left by 60"):
        emit(graph, graph.nodes[0], Fold(1, 1))


def test_a_table_is_addressed_by_the_bits_of_the_input() -> None:
    graph = small_layers()[3]
    (node,) = graph.nodes
    assert isinstance(node, Lookup)
    (memory,) = emit(graph, node, Fold(1, 1)).memories
    words, table = memory.words.array[:, 0], node.table.array
    for q in range(-16, 16):
        assert words[q & 31] == table[q + 16]


def test_width_adapter_with_equal_lanes_is_two_registers() -> None:
    found = width_adapter.cycles({"InLanes": 4, "OutLanes": 4, "Bits": 3}, 15)
    assert (found.predicted, found.first_output, found.ideal) == (17, 3, 15)


def test_an_affine_has_no_part_that_it_does_not_use() -> None:
    """Each option brings its parts, and without it they are not there: what costs nothing stays out of the hardware."""
    none = {"Groups": 1, "Branches": 1, "SplitBits": 0, "MultiplierBits": 0, "HasLow": 0, "HasHigh": 0, "Even": 0}

    def parts(**options: Any) -> dict[str, int]:
        builder = GraphBuilder("net", 4, 4, 6, QType(9, True, 2), 1)
        builder.affine("layer", "image", QType(4, True, 0), **{"bits": 1, "shared": True, "branches": False} | options)
        graph = builder.build()
        numbers = emit(graph, graph.nodes[0], Fold(2, 2)).numbers
        return {name: value for name, value in numbers.items() if none.get(name, value) != value}

    assert parts() == {}
    assert parts(shared=False) == {"Groups": 3}
    assert parts(branches=True) == {"Branches": 2}
    assert parts(branches=True, splits=True) == {"Branches": 2, "SplitBits": 4}
    assert parts(splits=True) == {}
    assert parts(bits=6, signs=False) == {"MultiplierBits": 6}
    assert parts(bounds=(-7, 6)) == {"HasLow": 1, "HasHigh": 1}
    assert parts(bounds=(0, 3)) == {}
    assert parts(even=True) == {"Even": 1}


def test_bounds_beyond_a_parameter_are_refused_and_the_advice_holds() -> None:
    builder = GraphBuilder("net", 4, 4, 6, QType(16, True, 2), 1)
    wide = QType(40, True, 0)
    builder.affine("layer", "image", wide, bits=30, shift=0, bounds=(-1, wide.qmax - 1))
    graph = builder.build()
    with pytest.raises(WidthError, match="layer: .* Let the bounds be those of s40.0"):
        emit(graph, graph.nodes[0], Fold(1, 1))
    (node,) = graph.nodes
    emit(graph, dataclasses.replace(node, low=wide.qmin, high=wide.qmax), Fold(1, 1))  # type: ignore[call-arg]
