"""The exact schedule of a design, and the FIFO depths that are computed with it and without it."""

from __future__ import annotations

import dataclasses
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.foldings import lopsided_folding
from helpers.matrix_cases import graph_of
from helpers.matrix_cases import random_windows as random_windows_layer

from quantunet.errors import ToolMissingError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Design, Fold
from quantunet.hls.folding import Folding, ideal_cycles
from quantunet.hls.modules.table import cycles
from quantunet.hls.network import build
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, first_output, frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.hls.schedule.full_speed import full_speed_depths, keeps_interval
from quantunet.hls.schedule.program import schedule_program
from quantunet.hls.schedule.report import fifo_report
from quantunet.ir import Graph
from quantunet.random_network import random_pools, random_unet, random_windows

UNLIMITED = 10**9


def _network(seed: int) -> tuple[Graph, Folding]:
    rng = random.Random(seed)  # noqa: S311
    depth = rng.choice([1, 1, 2])
    size = rng.choice([4, 8, 16] if depth == 1 else [8])
    graph = random_unet(base=rng.choice([1, 2, 3, 4]), depth=depth, size=size, seed=seed)
    return graph, default_folding(graph) if seed % 3 == 0 else lopsided_folding(graph, seed)


def _design(graph: Graph, folding: Folding) -> Design:
    """Return a design in which every skip has a FIFO, even where its other buffers are enough."""
    skips = {(node.name, 0): 2 for node in graph.nodes if node.op == "concat"}
    return build(graph, folding, {**skips, **fifo_depths(graph, folding)})


@pytest.mark.parametrize("seed", range(6))
def test_a_layer_alone_takes_the_cycles_of_its_op(seed: int) -> None:
    graph, folding = _network(seed)
    compared = 0
    for node in graph.nodes:
        if len(node.inputs) == 1:
            found = schedule(build(graph.layer(node.name), {node.name: folding[node.name]}), 3)
            expected = cycles(graph, node, folding[node.name])
            assert (found.frame_ends[0], found.first_output) == (expected.predicted, expected.first_output), node.name
            assert found.frame_interval == expected.ideal, node.name
            compared += 1
    assert compared == len(graph.nodes) - sum(node.op == "concat" for node in graph.nodes) > 0


@pytest.mark.parametrize("graph", [random_windows(), random_pools()], ids=lambda graph: graph.name)
def test_windows_inside_the_frame_take_the_cycles_of_their_op_and_lock_where_predicted(graph: Graph) -> None:
    checked = 0
    for seed in range(6):
        folding = Folding(graph, lopsided_folding(graph, seed))
        for node in graph.nodes:
            if len(node.inputs) == 1:
                found = schedule(build(graph.layer(node.name), {node.name: folding[node.name]}), 4)
                expected = cycles(graph, node, folding[node.name])
                assert (found.frame_ends[0], found.first_output) == (expected.predicted, expected.first_output)
                assert found.frame_interval == expected.ideal == ideal_cycles(graph, node, folding[node.name])
        design = build(graph, folding, fifo_depths(graph, folding))
        ends = schedule(design, 8).frame_ends
        assert ends[-1] - ends[-4] == 3 * frame_interval(graph, folding), seed
        checked += _check_design(design)
    assert checked >= 6


def test_a_ring_is_the_smallest_that_keeps_the_interval() -> None:
    rng, smaller = random.Random(5), 0  # noqa: S311
    for seed in range(40):
        layer = random_windows_layer(rng)
        graph, fold = graph_of(layer, seed), Fold(layer.pe, layer.simd)
        (node,), design = graph.nodes, build(graph, {"layer": fold})
        (instance,), found, expected = design.instances, schedule(design, 4), cycles(graph, node, fold)
        assert (found.frame_ends[0], found.first_output) == (expected.predicted, expected.first_output), layer
        assert found.frame_interval == expected.ideal == ideal_cycles(graph, node, fold), layer
        ring = instance.numbers.get("RingPixels", 0)
        if ring > 2:
            short = dataclasses.replace(instance, params=(*instance.params, ("RingPixels", ring - 1)))
            slower = schedule(dataclasses.replace(design, instances=(short,)), 4)
            assert slower.stuck or slower.frame_interval > expected.ideal, layer
            smaller += 1
    assert smaller > 30


def _check_least_depths(seed: int) -> int:
    """Check the least depths of a random network; return how many."""
    return _check_design(_design(*_network(seed)))


def _check_design(design: Design) -> int:
    """Check that a design runs with its least depths, and locks with one beat less in any FIFO; return how many."""
    least = least_depths(design)
    assert not schedule(design, 3, limits={name: max(depth, 1) for name, depth in least.items()}).stuck
    unlimited = dict.fromkeys(least, UNLIMITED)
    bounded = {name: depth for name, depth in least.items() if depth}
    for name, depth in bounded.items():
        assert schedule(design, 3, limits={**unlimited, name: depth - 1}).stuck, (name, depth)
    return len(bounded)


def test_least_depths_run_and_one_beat_less_locks() -> None:
    assert sum(_check_least_depths(seed) for seed in range(12)) >= 12


def test_the_worst_row_is_not_the_first() -> None:
    """At 64 x 64 pixels and three levels the fifth row needs most of the outer skip; the first one needs 44 rows."""
    graph = random_unet(base=1, depth=3, size=64)
    folding = {node.name: Fold(1, 1) for node in graph.nodes}
    design = build(graph, folding, fifo_depths(graph, folding))
    least = least_depths(design)["skip0_requant_out_fifo"]
    assert 47 * 64 < least < 48 * 64
    assert schedule(design, 1, limits={"skip0_requant_out_fifo": least - 1}).stuck
    assert not schedule(design, 1, limits={"skip0_requant_out_fifo": least}).stuck


def _check_full_speed(seed: int) -> int:
    graph, folding = _network(seed)
    design, interval = build(graph, folding, fifo_depths(graph, folding)), frame_interval(graph, folding)
    found = schedule(design, 8)
    ends = found.frame_ends
    assert not found.stuck
    assert ends[-1] - ends[-4] == 3 * interval, seed
    return len(found.highest)


def test_computed_depths_keep_the_interval_of_the_slowest_layer() -> None:
    assert sum(_check_full_speed(seed) for seed in range(12)) >= 12


@pytest.mark.slow
def test_many_random_networks_neither_lock_nor_lose_speed() -> None:
    assert sum(_check_least_depths(seed) for seed in range(12, 150)) > 150
    assert sum(_check_full_speed(seed) for seed in range(12, 150)) > 150


def test_at_the_smallest_depths_at_full_speed_one_beat_less_is_slower() -> None:
    graph = random_unet(base=2, depth=1, size=8, seed=3)
    folding = default_folding(graph)
    design, interval = build(graph, folding, fifo_depths(graph, folding)), frame_interval(graph, folding)
    least = least_depths(design)
    depths = full_speed_depths(design, interval, least)
    assert keeps_interval(design, depths, interval)
    checked = 0
    for name, depth in depths.items():
        assert max(least[name], 2) <= depth <= design.fifos[name]
        if depth > 2:
            assert not keeps_interval(design, {**depths, name: depth - 1}, interval), name
            checked += 1
    assert checked


def test_a_single_frame_needs_no_more_than_adjacent_ones() -> None:
    graph = random_unet(base=4, depth=3, size=32)
    folding = default_folding(graph)
    endless = fifo_depths(graph, folding)
    for frames in (1, 2, 3):
        depths = fifo_depths(graph, folding, frames)
        assert all(depth <= endless[place] for place, depth in depths.items())
        small = build(graph, folding, {**endless, **depths})
        large = schedule(build(graph, folding, endless), frames, limits=dict.fromkeys(small.fifos, UNLIMITED))
        assert schedule(small, frames).frame_ends[-1] <= large.frame_ends[-1] + frame_interval(graph, folding) // 100


def test_first_output_is_that_of_the_schedule() -> None:
    graph = random_unet(base=2, depth=1, size=8, seed=3)
    folding = default_folding(graph)
    found = schedule(build(graph, folding, fifo_depths(graph, folding)), 3)
    assert first_output(graph, folding) == found.first_output > 0


def test_report_names_every_fifo_of_the_design() -> None:
    graph = random_unet(base=2, depth=2, size=8, seed=3)
    report = fifo_report(graph, default_folding(graph), exact=False)
    assert {row.name: row.depth for row in report.rows} == report.design.fifos
    assert all(row.least <= row.depth and row.full_speed is None for row in report.rows)
    assert any(row.least for row in report.rows)


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule_program.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError, match="apt-get install g"):
        schedule_program()


def test_the_program_is_compiled_anew_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    schedule_program.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = schedule_program()
    assert program.is_relative_to(tmp_path)
    refused = subprocess.run([str(program)], input="4 0 1", capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, "the description ends too early\n")
    schedule_program.cache_clear()
