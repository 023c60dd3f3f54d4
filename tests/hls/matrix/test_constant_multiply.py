"""Adder graphs: equal to the weights for every shape and width, refused when they are not, kept and read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantunet import processes
from quantunet.errors import FoldingError, ToolFailedError
from quantunet.hls.design import Fold
from quantunet.hls.folding import MAX_CONSTANT_WEIGHTS, candidates, check_fold
from quantunet.hls.matrix import constant_multiply
from quantunet.hls.matrix.constant_graph import Adder, AdderGraph, Output, prune, ranges
from quantunet.hls.matrix.constant_multiply import adder_graph, adder_levels
from quantunet.hls.matrix.constant_text import latency, sums_module
from quantunet.ir import Array, Conv2d, ConvTranspose2d, Graph, IntArray, QType
from quantunet.random_network import GraphBuilder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    constant_multiply._adder_graph.cache_clear()
    return tmp_path / "quantunet" / "adder_graphs"


def matrix(inputs: int, outputs: int, bits: int, seed: int) -> Array:
    limit = 1 << (bits - 1)
    return np.random.default_rng(seed).integers(-limit, limit, size=(inputs, outputs))


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("shape", [(1, 1), (9, 1), (1, 5), (27, 4), (40, 8)])
def test_the_graph_is_the_product_in_the_fewest_levels(shape: tuple[int, int], bits: int) -> None:
    for seed, source in enumerate((QType(bits, False, 0), QType(bits, True, 0))):
        kernel = matrix(*shape, bits, seed)
        graph = adder_graph(IntArray.of(kernel), source, "layer")
        vectors = np.random.default_rng(seed).integers(source.qmin, source.qmax + 1, size=(100, shape[0]))
        assert np.array_equal(graph.evaluate(vectors), vectors @ kernel)
        assert max(graph.levels()) <= adder_levels(kernel)


@pytest.mark.parametrize(
    ("column", "levels"),
    [([0, 0], 0), ([4, 0], 0), ([-1, 0], 0), ([3, 0], 1), ([1, 1], 1), ([7, 7], 2), ([5, 5, 1], 3)],
)
def test_levels_follow_from_the_signed_digits(column: list[int], levels: int) -> None:
    assert adder_levels(np.array([column]).T) == levels


def test_columns_of_zero_and_powers_of_two() -> None:
    kernel = np.array([[0, 4, -1, 0], [0, 0, 0, 6]])
    graph = adder_graph(IntArray.of(kernel), QType(4, True, 0), "layer")
    assert graph.outputs[0].value is None
    assert np.array_equal(graph.evaluate(np.eye(2, dtype=np.int64)), kernel)
    nothing = adder_graph(IntArray.of(0 * kernel), QType(4, True, 0), "layer")
    assert (nothing.adders, {output.value for output in nothing.outputs}) == ((), {None})


def test_ranges_are_exact() -> None:
    coefficients = np.array([[2, -3], [0, 1]])
    assert ranges(coefficients, -2, 5) == [(2 * -2 - 3 * 5, 2 * 5 + 3 * 2), (-2, 5)]


def test_a_wrong_graph_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    right = constant_multiply._solve

    def wrong(kernel: Array, low: int, high: int) -> AdderGraph:
        graph = right(kernel, low, high)
        return replace(
            graph, adders=(replace(graph.adders[0], subtract=not graph.adders[0].subtract), *graph.adders[1:])
        )

    monkeypatch.setattr(constant_multiply, "_solve", wrong)
    with pytest.raises(ToolFailedError, match="layer"):
        adder_graph(IntArray.of(matrix(9, 2, 4, 0)), QType(4, False, 0), "layer")


def test_a_long_search_is_kept_and_checked_when_it_is_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constant_multiply, "_LONG", -1.0)
    kernel, source = IntArray.of(matrix(9, 2, 4, 0)), QType(4, False, 0)
    found = adder_graph(kernel, source, "layer")
    (file,) = cache.iterdir()
    text = file.read_text(encoding="utf-8")
    for damaged in (text, text[:-20], text.replace("true", "false"), "{}"):
        file.write_text(damaged, encoding="utf-8")
        constant_multiply._adder_graph.cache_clear()
        assert adder_graph(kernel, source, "layer") == found
        assert file.read_text(encoding="utf-8") == text
    constant_multiply._adder_graph.cache_clear()
    monkeypatch.setattr(constant_multiply, "_solve", None)  # what is kept is not searched for again
    assert adder_graph(kernel, source, "layer") == found


def test_a_large_search_is_done_by_a_process_of_its_own(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, source = IntArray.of(matrix(9, 2, 4, 0)), QType(4, False, 0)
    found = adder_graph(kernel, source, "layer")
    monkeypatch.setattr(constant_multiply, "_LARGE", 0)
    monkeypatch.setattr(constant_multiply, "_LONG", np.inf)
    monkeypatch.setattr(constant_multiply, "_solve", None)  # not here
    constant_multiply._adder_graph.cache_clear()
    assert adder_graph(kernel, source, "layer") == found
    monkeypatch.setattr(processes, "run", lambda *args, **options: processes.Outcome(-11))
    constant_multiply._adder_graph.cache_clear()
    with pytest.raises(ToolFailedError, match="layer: expected an adder graph, got exit code -11"):
        adder_graph(kernel, source, "layer")


def test_the_text_is_the_same_every_time_and_every_stage_is_counted() -> None:
    kernel, source = matrix(27, 4, 4, 1), QType(4, False, 0)
    texts = set()
    for _ in range(2):
        constant_multiply._adder_graph.cache_clear()
        graph = adder_graph(IntArray.of(kernel), source, "layer")
        texts.add(sums_module("qun_x", graph, np.arange(4), source, 16, adder_levels(kernel)))
    (text,) = texts
    assert text.count("always_ff") == latency(adder_levels(kernel)) == -(-adder_levels(kernel) // 2) + 1


def test_an_adder_that_nobody_needs_goes() -> None:
    adders = (Adder(0, 1, 0, 0, False), Adder(0, 1, 0, 1, True), Adder(3, 0, 0, 0, False))
    graph = prune(2, adders, (Output(4, 0, False),))
    assert graph == AdderGraph(2, (adders[1], Adder(2, 0, 0, 0, False)), (Output(3, 0, False),))


def convolution(kind: type[Conv2d] | type[ConvTranspose2d], channels: int) -> Graph:
    builder = GraphBuilder("net", 4, 4, channels, QType(4, False, 3), 0)
    builder.matrix(kind, "layer", "image", channels, 2 if kind is ConvTranspose2d else 3, 4, QType(4, False, 3))
    return builder.build()


@pytest.mark.parametrize(
    ("graph", "fold", "message"),
    [
        (convolution(Conv2d, 4), Fold(2, 4, "constant"), "PE 4 and SIMD 4"),
        (convolution(Conv2d, 33), Fold(33, 33, "constant"), f"at most {MAX_CONSTANT_WEIGHTS} weights"),
        (convolution(ConvTranspose2d, 4), Fold(4, 4, "constant"), "conv2d"),
    ],
)
def test_layers_that_cannot_be_unfolded_are_refused(graph: Graph, fold: Fold, message: str) -> None:
    (node,) = graph.nodes
    with pytest.raises(FoldingError, match=rf"^layer: .*{message}"):
        check_fold(graph, node, fold)
    assert fold not in candidates(graph, node)
