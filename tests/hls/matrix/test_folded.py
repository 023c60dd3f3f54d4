"""What the matrix ops hand to the hardware: word order of the memories, parameters, refusals."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.matrix_cases import Layer, graph_of

from quantunet.accumulator import accumulator
from quantunet.errors import FoldingError, WidthError
from quantunet.hls.design import Cycles, Fold
from quantunet.hls.folding import Folding
from quantunet.hls.modules.table import cycles, emit
from quantunet.ir import Graph, IntArray, QType


def test_conv2d_memories_hold_every_weight_at_its_documented_place() -> None:
    graph = graph_of(Layer((4, 6, 6), 4, pe=2, simd=3, source="u4", bits_w=5, target="u4"), seed=1)
    (node,) = graph.nodes
    weights, biases = emit(graph, node, Fold(pe=2, simd=3)).memories
    assert weights.words.shape == (2 * 9 * 2, 6)
    assert (weights.bits, biases.bits) == (5, accumulator(graph, node).bits)
    checked = 0
    for of, ky, kx, in_fold, p, s in _indices(2, 3, 3, 2, 2, 3):
        word = weights.words.array[(of * 9 + ky * 3 + kx) * 2 + in_fold]
        assert word[p * 3 + s] == node.weight.array[ky, kx, in_fold * 3 + s, of * 2 + p]
        checked += 1
    assert checked == node.weight.array.size
    assert biases.words.array.tolist() == node.bias.array.reshape(2, 2).tolist()


def test_conv_transpose2d_memories_hold_every_weight_at_its_documented_place() -> None:
    graph = graph_of(Layer((4, 6, 6), 4, pe=2, simd=3, source="u4", bits_w=5, target="u4", kernel=2), seed=1)
    (node,) = graph.nodes
    weights, biases = emit(graph, node, Fold(pe=2, simd=3)).memories
    checked = 0
    for dy, dx, of, in_fold, p, s in _indices(2, 2, 2, 2, 2, 3):
        word = weights.words.array[((dy * 2 + dx) * 2 + of) * 2 + in_fold]
        assert word[p * 3 + s] == node.weight.array[dy, dx, in_fold * 3 + s, of * 2 + p]
        checked += 1
    assert checked == node.weight.array.size
    assert biases.words.array.tolist() == node.bias.array.reshape(2, 2).tolist()


def _indices(*sizes: int) -> list[tuple[int, ...]]:
    indices: list[tuple[int, ...]] = [()]
    for size in sizes:
        indices = [(*index, i) for index in indices for i in range(size)]
    return indices


def test_cycles_are_the_first_fill_the_work_and_the_pipeline() -> None:
    layer = Layer((64, 64, 128), 128, pe=32, simd=32, source="u4", bits_w=4, target="u4")
    graph = graph_of(layer, seed=0)
    (node,) = graph.nodes
    found = cycles(graph, node, Fold(pe=32, simd=32))
    assert found == Cycles(predicted=66 * 4 + 589824 + 7, first_output=66 * 4 + 36 + 7, ideal=589824)
    assert found.ideal / found.predicted > 0.99


def test_parameters_describe_the_layer() -> None:
    graph = graph_of(Layer((5, 6, 6), 4, pe=2, simd=3, source="s4", bits_w=5, target="u3", kernel=1, shift=-2), seed=3)
    (node,) = graph.nodes
    instance = emit(graph, node, Fold(pe=2, simd=3))
    params = dict(instance.params)
    assert instance.module == "qun_conv2d"
    assert [memory.file for memory in instance.memories] == [params.pop("WeightFile"), params.pop("BiasFile")]
    assert params.pop("AccBits") == accumulator(graph, node).bits
    assert params == {
        "Height": 5,
        "Width": 6,
        "InChannels": 6,
        "OutChannels": 4,
        "Kernel": 1,
        "Pe": 2,
        "Simd": 3,
        "InBits": 4,
        "InSigned": 1,
        "WeightBits": 5,
        "Shift": -2,
        "OutBits": 3,
        "OutSigned": 0,
        "HardProducts": 0,
        "PairProducts": 0,
    }


@pytest.mark.parametrize("kernel", [2, 3])
def test_a_fold_that_does_not_divide_is_refused(kernel: int) -> None:
    graph = graph_of(Layer((4, 4, 6), 4, 2, 3, "u4", 4, "u4", kernel=kernel), seed=0)
    (node,) = graph.nodes
    for fold in (Fold(pe=3, simd=3), Fold(pe=2, simd=4)):
        with pytest.raises(FoldingError, match="layer"):
            Folding(graph, {node.name: fold})


def test_lane_sums_that_do_not_fit_are_refused() -> None:
    graph = graph_of(Layer((2, 2, 4), 1, pe=1, simd=4, source="u16", bits_w=16, target="u8", kernel=1), seed=0)
    (node,) = graph.nodes
    with pytest.raises(WidthError, match="layer"):
        emit(graph, node, Fold(pe=1, simd=4))


@pytest.mark.parametrize("shift", [-60, 63])
def test_shifts_that_do_not_fit_are_refused(shift: int) -> None:
    graph = _with_shift(graph_of(Layer((2, 2, 4), 1, 1, 4, "u4", 4, "u8", kernel=1), seed=0), shift)
    (node,) = graph.nodes
    with pytest.raises(WidthError, match="shift"):
        emit(graph, node, Fold(pe=1, simd=4))


def _with_shift(graph: Graph, shift: int) -> Graph:
    (node,) = graph.nodes
    changed = dataclasses.replace(node, weight_type=QType(4, True, shift), bias=IntArray.of([0]))
    return dataclasses.replace(graph, nodes=(changed,))
