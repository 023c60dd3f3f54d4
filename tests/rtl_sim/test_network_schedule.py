"""Networks in RTL against their exact schedule: cycles, fills, deadlocks, and no deadlock under any stalls."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from helpers.foldings import lopsided_folding
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.design import Fold
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Graph
from quantunet.random_network import random_image, random_pools, random_unet, random_windows
from quantunet.rtl_sim.cosim import adjacent_frames
from quantunet.rtl_sim.fifo_bench import FifoBench
from quantunet.rtl_sim.stalls import Stalls

FRAMES = 5
NETWORKS = {
    "narrow": (random_unet(base=2, depth=1, size=8, seed=3), 0),
    "lopsided": (random_unet(base=2, depth=1, size=8, seed=3), 11),
    "two levels": (random_unet(base=2, depth=2, size=8, seed=4), 7),
    "windows": (random_windows(), 7),
    "pools": (random_pools(), 7),
}


def _folding(graph: Graph, seed: int) -> dict[str, Fold]:
    return lopsided_folding(graph, seed) if seed else {node.name: Fold(1, 1) for node in graph.nodes}


@lru_cache
def _bench(name: str, folder: Path) -> tuple[FifoBench, int]:
    graph, seed = NETWORKS[name]
    folding = _folding(graph, seed)
    frames = [golden.run(graph, frame) for frame in adjacent_frames(graph, random_image(graph), FRAMES)]
    return FifoBench(graph, folding, frames, folder, BUILD_ROOT, quick=True), frame_interval(graph, folding)


@pytest.mark.parametrize("name", NETWORKS)
def test_cycles_fills_and_deadlocks_are_the_predicted_ones(name: str, tmp_path: Path) -> None:
    bench, interval = _bench(name, tmp_path)
    design = bench.bench.project.design
    least = least_depths(design)
    bounded = {fifo: depth for fifo, depth in least.items() if depth > 2}
    assert bounded
    for limits in ({}, bounded):  # as built, and with much back-pressure
        predicted, found = schedule(design, FRAMES, limits=limits), bench.run(limits)
        assert found.passed, found.problems
        assert (found.first_output, found.frame_ends) == (predicted.first_output, predicted.frame_ends)
        assert {fifo: fill for fifo, (_, fill) in found.fifo_max_fill.items()} == predicted.highest
        if not limits:
            assert found.frame_interval == interval
            assert found.frame_ends[-1] - found.frame_ends[-4] == 3 * interval
    for fifo, depth in bounded.items():
        found = bench.run({fifo: depth - 1})
        assert found.timed_out, fifo
        assert schedule(design, FRAMES, limits={fifo: depth - 1}).stuck
        assert any(fifo in line for line in found.stuck), found.stuck


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ("windows", "pools") else ()) for name in NETWORKS]
)
def test_no_stalls_lock_a_network_even_at_its_least_depths(name: str, tmp_path: Path) -> None:
    bench, interval = _bench(name, tmp_path)
    graph = NETWORKS[name][0]
    output = graph.tensor(graph.output).shape
    least = {fifo: depth for fifo, depth in least_depths(bench.bench.project.design).items() if depth > 2}
    patterns: tuple[Stalls, ...] = ("random", "bursts", "frozen")
    ends = set()
    for limits in ({}, least):
        for pattern in patterns:
            for seed in (1, 2, 3) if pattern != "frozen" else (1,):
                found = bench.run(limits, stalls=pattern, seed=seed)
                assert found.passed, (pattern, seed, found.problems, found.stuck)
                assert found.values_compared == FRAMES * math.prod(output)
                ends.add(found.frame_ends)
                if pattern == "frozen":
                    gaps = np.diff(found.frame_ends)
                    assert max(gaps) > interval  # an output stood for a whole frame
    assert len(ends) > 5, "the stalls changed nothing"
