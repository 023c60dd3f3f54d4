"""A network of layers that move pixels, in RTL: its exact schedule, its FIFOs' fills, and no deadlock under stalls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.foldings import lopsided_folding
from helpers.reorder import WAYS, skips
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.random_network import random_image
from quantunet.rtl_sim.cosim import adjacent_frames
from quantunet.rtl_sim.fifo_bench import FifoBench
from quantunet.rtl_sim.stalls import Stalls

FRAMES = 4


def test_cycles_fills_and_frames_are_the_predicted_ones_under_any_back_pressure(tmp_path: Path) -> None:
    graph = skips(*WAYS)
    folding = lopsided_folding(graph, 14)
    frames = [golden.run(graph, frame) for frame in adjacent_frames(graph, random_image(graph), FRAMES)]
    assert len(np.unique(frames[0][graph.output])) > 8
    bench = FifoBench(graph, folding, frames, tmp_path, BUILD_ROOT, quick=True)
    design, interval = bench.bench.project.design, frame_interval(graph, folding)
    bounded = {fifo: depth for fifo, depth in least_depths(design).items() if depth > 2}
    assert len(bounded) == len(WAYS)
    for limits in ({}, bounded):  # as built, and with much back-pressure
        predicted, found = schedule(design, FRAMES, limits=limits), bench.run(limits)
        assert found.passed, found.problems
        assert (found.first_output, found.frame_ends) == (predicted.first_output, predicted.frame_ends)
        assert {fifo: fill for fifo, (_, fill) in found.fifo_max_fill.items()} == predicted.highest
        if not limits:
            assert found.frame_interval == interval
    patterns: tuple[Stalls, ...] = ("random", "bursts")
    for limits in ({}, bounded):
        for pattern in patterns:
            found = bench.run(limits, stalls=pattern, seed=2)
            assert found.passed, (pattern, found.problems, found.stuck)
            assert found.values_compared == FRAMES * 8 * 6
    fifo, depth = max(bounded.items(), key=lambda each: each[1])
    assert bench.run({fifo: 2}).timed_out and schedule(design, FRAMES, limits={fifo: 2}).stuck, depth
