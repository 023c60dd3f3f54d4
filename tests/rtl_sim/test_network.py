"""A small network as one streaming design."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.faults import fault, flip_nibble, library_with
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim import network_bench
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.rtl_sim.stalls import Stalls

GRAPH = random_unet(base=2, depth=2, size=16, seed=5)
FOLDING = default_folding(GRAPH)
FRAMES = [golden.run(GRAPH, frame) for frame in adjacent_frames(GRAPH, random_image(GRAPH), 5)]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(GRAPH, FOLDING, tmp_path, BUILD_ROOT)


def test_frames_differ() -> None:
    outputs = np.stack([taps[GRAPH.output] for taps in FRAMES[:4]])
    assert len({frame.tobytes() for frame in outputs}) == 4


@pytest.mark.parametrize("stalls", ["none", "random"])
def test_network_equals_golden_and_keeps_the_pace_of_its_slowest_layer(setup: Setup, stalls: Stalls) -> None:
    result = run_network(replace(setup, stalls=stalls, seed=7, assertions=True), FRAMES)
    assert result.bench.passed, result.bench.problems
    assert result.bench.values_compared == 5 * 16 * 16
    assert (result.mask_pixels, result.mask_mismatches) == (5 * 16 * 16, 0)
    assert [layer.layer for layer in result.bench.layers] == [node.name for node in GRAPH.nodes]
    for layer, node in zip(result.bench.layers, GRAPH.nodes, strict=True):
        assert layer.values_compared == 5 * FRAMES[0][node.output].size > 0
        assert (layer.mismatches, layer.first, layer.beats) == (0, None, layer.beats_expected)
        assert 0 < layer.first_cycle < layer.last_cycle <= result.bench.frame_ends[-1]
    assert result.bench.layers[-1].first_cycle == result.bench.first_output
    assert result.bench.layers[-1].last_cycle == result.bench.frame_ends[-1]
    assert all(stream.beats == stream.beats_expected for stream in result.bench.streams)
    assert result.bench.stuck == ()
    if stalls == "none":
        assert result.bench.frame_interval == frame_interval(GRAPH, FOLDING)
    for name, (depth, fill) in result.bench.fifo_max_fill.items():
        assert fill <= depth, name
    skips = [fill for name, (_, fill) in result.bench.fifo_max_fill.items() if name.startswith("skip")]
    assert len(skips) == 2 and min(skips) > 0


def test_one_frame(setup: Setup) -> None:
    result = run_network(setup, FRAMES[:1])
    assert result.bench.passed, result.bench.problems
    assert [layer.values_compared for layer in result.bench.layers] == [FRAMES[0][n.output].size for n in GRAPH.nodes]
    assert (len(result.bench.frame_ends), result.bench.frame_interval) == (1, 0)


@pytest.mark.parametrize("layer", ["enc1_conv0", "bottleneck_conv0", "up0", "dec0_conv1"])
def test_a_layer_with_wrong_weights_is_named_first(setup: Setup, monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
    whole = network_bench.network_project

    def damaged(setup: Setup) -> rtl_project.RtlProject:
        project = whole(setup)
        for line in range(8):  # a single one may hit a channel that the rectifier holds at zero
            flip_nibble(project.folder / f"{layer}_weight.mem", line)
        return project

    monkeypatch.setattr(network_bench, "network_project", damaged)
    result = run_network(setup, FRAMES[:2]).bench
    assert not result.passed
    wrong = [stream for stream in result.layers if stream.mismatches]
    assert wrong[0].layer == layer
    assert next(problem for problem in result.problems if "inside" in problem).startswith(f"{layer} inside the design")
    expected = np.stack([taps[GRAPH.node(layer).output] for taps in FRAMES[:2]])
    first = wrong[0].first
    assert first is not None and first.got is not None
    assert first.expected == expected[first.frame, first.y, first.x, first.channel] != first.got
    names = [node.name for node in GRAPH.nodes]
    before = [stream for stream in result.layers if names.index(str(stream.layer)) < names.index(layer)]
    assert all(stream.mismatches == 0 and stream.values_compared > 0 for stream in before)


def test_nothing_compared_inside_is_a_failure(setup: Setup) -> None:
    result = run_network(setup, FRAMES[:1]).bench
    empty = replace(result, streams=tuple(replace(stream, values_compared=0) for stream in result.streams))
    assert not empty.passed
    assert BenchResult.from_json(result.to_json()) == result


def test_skip_fifo_that_is_too_small_is_found(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_small(*args: object) -> dict[tuple[str, int], int]:
        return {**fifo_depths(GRAPH, FOLDING), ("concat0", 0): 4}

    monkeypatch.setattr(rtl_project, "fifo_depths", too_small)
    result = run_network(setup, FRAMES[:3])
    assert not result.bench.passed
    assert result.bench.timed_out
    assert result.mask_pixels == 0
    assert "the stream stopped before its end" in result.bench.problems
    deadlock, data, room = result.bench.stuck
    assert deadlock.startswith("deadlock: FIFO skip0_requant_out_fifo (full, 4 of 4 beats) in a circle")
    assert data.startswith("concat0 waits for data (beat 1 of 1536 of up0_out): up0 <- dec1_conv1 <- ")
    assert data.endswith(" <- pool0 <- enc0_conv1_out_fork")
    assert room.startswith("enc0_conv1_out_fork waits for room (beat ")
    assert room.endswith(": skip0_requant -> FIFO skip0_requant_out_fifo (full, 4 of 4 beats) -> concat0")
    assert set(result.bench.stuck) <= set(result.bench.problems)


def test_a_layer_that_gives_nothing_is_named(setup: Setup, tmp_path: Path) -> None:
    dead = library_with(tmp_path / "rtl", fault("network", "a layer that gives nothing"))
    result = run_network(replace(setup, rtl_folder=dead), FRAMES[:1]).bench
    assert result.timed_out and not result.passed
    culprit, path = result.stuck
    assert culprit == "concat1 has its inputs and gives nothing"
    assert path.startswith("the bench's sink waits for data (beat 1 of 256 of sigmoid_out): sigmoid <- head <- ")
    assert path.endswith(" beats) <- concat1") and "<- dec1_conv0 <- FIFO concat1_out_fifo (0 of " in path
