"""A small network as one streaming design."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls import rtl_project
from quantunet.hls.fifo_depth import fifo_depths, frame_interval
from quantunet.hls.folding import default_folding
from quantunet.model.random_network import random_image, random_unet
from quantunet.rtl_sim.cosim import adjacent_frames
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network

GRAPH = random_unet(base=2, depth=2, size=16, seed=5)
FOLDING = default_folding(GRAPH)
FRAMES = [golden.run(GRAPH, frame) for frame in adjacent_frames(GRAPH, random_image(GRAPH), 5)]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(GRAPH, FOLDING, tmp_path, BUILD_ROOT)


def test_frames_differ() -> None:
    outputs = np.stack([taps[GRAPH.output] for taps in FRAMES[:4]])
    assert len({frame.tobytes() for frame in outputs}) == 4


@pytest.mark.parametrize("stalls", [False, True], ids=["none", "random"])
def test_network_equals_golden_and_keeps_the_pace_of_its_slowest_layer(setup: Setup, stalls: bool) -> None:
    result = run_network(replace(setup, stalls=stalls, seed=7), FRAMES)
    assert result.bench.passed, result.bench.problems
    assert result.bench.values_compared == 5 * 16 * 16
    assert (result.mask_pixels, result.mask_mismatches) == (5 * 16 * 16, 0)
    if not stalls:
        assert result.bench.frame_interval == frame_interval(GRAPH, FOLDING)
    for name, (depth, fill) in result.bench.fifo_max_fill.items():
        assert fill <= depth, name
    skips = [fill for name, (_, fill) in result.bench.fifo_max_fill.items() if name.startswith("skip")]
    assert len(skips) == 2 and min(skips) > 0


def test_skip_fifo_that_is_too_small_is_found(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_small(*args: object) -> dict[tuple[str, int], int]:
        return {**fifo_depths(GRAPH, FOLDING), ("concat0", 0): 4}

    monkeypatch.setattr(rtl_project, "fifo_depths", too_small)
    result = run_network(setup, FRAMES[:3])
    assert not result.bench.passed
    assert result.bench.timed_out
    assert result.mask_pixels == 0
    assert "the stream stopped before its end" in result.bench.problems
