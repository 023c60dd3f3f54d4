"""The folding of the product's own choice: it can always be built, and what it refuses has no folding at all."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from helpers.random_graphs import random_graph

from quantunet.errors import FoldingError, QuantUNetError, WidthError
from quantunet.graph_check import check
from quantunet.hls.choose.default import ALIKE, _smallest, default_folding, default_interval, read_folding
from quantunet.hls.choose.solver import fold_for_interval
from quantunet.hls.design import Fold
from quantunet.hls.folding import candidates
from quantunet.hls.generate import rtl_project
from quantunet.hls.modules.table import emit
from quantunet.hls.resources.terms import Cost
from quantunet.hls.schedule.depths import frame_interval
from quantunet.ir import Conv2d, Graph, QType, Tensor
from quantunet.random_network import GraphBuilder


def builds(graph: Graph, name: str) -> int:
    """Return how many of a layer's folds, of every style but constants, can be built."""
    node, found = graph.node(name), 0
    for fold in candidates(graph, node, ("folded-lut", "folded-dsp")):
        try:
            emit(graph, node, fold)
        except WidthError:
            continue
        found += 1
    return found


def least_interval(error: FoldingError) -> int:
    match = re.fullmatch(r"a frame interval of at least (\d+) cycles", error.expected)
    assert match, error
    return int(match[1])


def write_all(seeds: range, folder: Path) -> int:
    """Write the RTL of random graphs by their default folding; return how many of them have wide products."""
    wide = 0
    for seed in seeds:
        graph = random_graph(seed)
        folding = default_folding(graph)
        project = rtl_project.write(graph, folding, folder / str(seed))
        assert project.sources
        assert frame_interval(graph, folding) <= default_interval(graph)
        matrices = [node for node in graph.nodes if hasattr(node, "weight")]
        wide += any(builds(graph, n.name) < len(candidates(graph, n, ("folded-lut", "folded-dsp"))) for n in matrices)
    return wide


def test_random_graphs_are_written(tmp_path: Path) -> None:
    assert write_all(range(26), tmp_path) >= 3


@pytest.mark.slow
def test_300_random_graphs_are_written(tmp_path: Path) -> None:
    assert write_all(range(300), tmp_path) >= 20


@pytest.mark.parametrize("seed", range(8))
def test_the_least_interval_that_a_refusal_names_is_kept_and_is_the_least(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    for choose in (default_folding, lambda g, i: fold_for_interval(g, i, styles=("folded-lut",)).folding):
        with pytest.raises(FoldingError) as refused:
            choose(graph, 1)
        least = least_interval(refused.value)
        folding = choose(graph, least)
        assert frame_interval(graph, folding) == least
        rtl_project.write(graph, folding, tmp_path)
        with pytest.raises(FoldingError, match=f"at least {least} cycles, got {least - 1}"):
            choose(graph, least - 1)


def wide() -> Graph:
    builder = GraphBuilder("wide", 4, 4, 4, QType(16, False, 8), seed=3)
    builder.matrix(Conv2d, "c", "image", 4, 1, 16, QType(8, True, 4))
    return builder.build()


def test_products_too_wide_for_a_sum_take_fewer_lanes(tmp_path: Path) -> None:
    graph = wide()
    assert builds(graph, "c") == 6, "PE 1, 2 and 4 with SIMD 1, in both styles"
    folding = default_folding(graph)
    assert folding["c"].simd == 1
    rtl_project.write(graph, folding, tmp_path)
    for style in ("folded-lut", "folded-dsp"):
        assert default_folding(graph, style=style)["c"].simd == 1


def test_the_hint_of_a_fold_that_is_too_wide_works(tmp_path: Path) -> None:
    graph, file = wide(), tmp_path / "folding.json"
    file.write_text(json.dumps({"c": {"pe": 4, "simd": 4}}), encoding="utf-8")
    with pytest.raises(WidthError, match=r"c: expected 4 products .* Use a SIMD of (\d+) or less") as refused:
        rtl_project.write(graph, read_folding(file, graph), tmp_path / "rtl")
    simd = int(re.search(r"SIMD of (\d+)", str(refused.value))[1])  # type: ignore[index]
    file.write_text(json.dumps({"c": {"pe": 4, "simd": simd}}), encoding="utf-8")
    rtl_project.write(graph, read_folding(file, graph), tmp_path / "rtl")


def test_a_join_of_channels_without_a_common_divisor(tmp_path: Path) -> None:
    builder = GraphBuilder("odd", 4, 6, 7, QType(4, False, 3), seed=1)
    builder.matrix(Conv2d, "first", "image", 13, 1, 4, QType(3, True, 1))
    builder.requant("skip", "image", QType(3, True, 1))
    builder.concat("k4", "skip_out", "first_out")
    graph = builder.build()
    assert default_interval(graph) == 20 * 4 * 6, "one channel at a time"
    rtl_project.write(graph, default_folding(graph), tmp_path)
    with pytest.raises(FoldingError, match=r"k4: expected a frame interval of at least 480 cycles, got 432"):
        default_folding(graph, 432)


def test_scales_too_far_apart_have_no_folding() -> None:
    graph = wide()
    far = tuple(
        Tensor(t.name, t.shape, dataclasses.replace(t.qtype, frac=60)) if t.name == graph.output else t
        for t in graph.tensors
    )
    apart = check(dataclasses.replace(graph, tensors=far))
    assert builds(apart, "c") == 0
    with pytest.raises(WidthError, match="c: expected an accumulator and a shift that fit in 64 bits"):
        default_folding(apart)
    with pytest.raises(QuantUNetError, match="c: expected an accumulator and a shift"):
        fold_for_interval(apart, 10_000)


def test_a_given_fold_needs_no_default_one(tmp_path: Path) -> None:
    graph, file = wide(), tmp_path / "folding.json"
    file.write_text(json.dumps({"c": {"pe": 4, "simd": 4, "style": "constant"}}), encoding="utf-8")
    with pytest.raises(FoldingError, match="at least 64 cycles, got 20"):
        default_folding(graph, 20)
    folding = read_folding(file, graph, 20)
    assert frame_interval(graph, folding) == 16
    assert rtl_project.write(graph, folding, tmp_path / "rtl").sources


def test_of_areas_that_are_alike_the_lanes_that_differ_least_are_taken() -> None:
    """The estimates are off by more than that, and a new calibration would turn the default folding over."""
    builder = GraphBuilder("conv", 8, 8, 64, QType(4, False, 3), seed=1)
    builder.matrix(Conv2d, "conv", "image", 64, 3, 4, QType(4, False, 3))
    graph = builder.build()
    node = graph.node("conv")
    long, square, longest = Fold(4, 16), Fold(8, 8), Fold(2, 32)
    costs = {long: Cost(lut=1000), square: Cost(lut=1004), longest: Cost(lut=999)}
    assert 1004 <= ALIKE * 1000 < 1006
    assert _smallest(graph, node, {long: costs[long], square: costs[square]}, {}) == square
    assert _smallest(graph, node, {**costs, square: Cost(lut=1006)}, {}) == long
    assert _smallest(graph, node, {**costs, long: Cost(lut=1020), square: Cost(lut=1020)}, {}) == longest
    tight = {Fold(32, 64): Cost(lut=900), longest: Cost(lut=1000)}
    assert _smallest(graph, node, tight, {}) == longest, "more than the usual lanes only where it must be"
