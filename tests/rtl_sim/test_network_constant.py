"""A small network whose first layer and head multiply by constants, all its other layers folded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Fold
from quantunet.hls.generate import rtl_project
from quantunet.hls.network import build
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Conv2d
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.rtl_sim.stalls import Stalls

GRAPH = random_unet(base=2, depth=2, size=16, seed=5)
CONVOLUTIONS = [node for node in GRAPH.nodes if isinstance(node, Conv2d)]
CONSTANT = (CONVOLUTIONS[0], CONVOLUTIONS[-1])
FRAMES = [golden.run(GRAPH, frame) for frame in adjacent_frames(GRAPH, random_image(GRAPH), 5)]


def unfolded(node: Conv2d) -> Fold:
    channels_in, channels_out = node.weight.shape[2:]
    return Fold(channels_out, channels_in, "constant")


FOLDING = {**default_folding(GRAPH), **{node.name: unfolded(node) for node in CONSTANT}}


@pytest.mark.parametrize("stalls", ["none", "random"])
def test_the_network_equals_golden_in_the_predicted_cycles(tmp_path: Path, stalls: Stalls) -> None:
    assert [node.weight.shape[0] for node in CONSTANT] == [3, 1]
    result = run_network(replace(Setup(GRAPH, FOLDING, tmp_path, BUILD_ROOT), stalls=stalls, seed=7), FRAMES)
    assert result.bench.passed, result.bench.problems
    assert (result.bench.values_compared, result.mask_mismatches) == (5 * 16 * 16, 0)
    assert all(layer.values_compared and not layer.mismatches for layer in result.bench.layers)
    if stalls == "none":
        predicted = schedule(build(GRAPH, FOLDING, fifo_depths(GRAPH, FOLDING)), 5)
        assert result.bench.first_output == predicted.first_output
        assert tuple(result.bench.frame_ends) == predicted.frame_ends
        assert result.bench.frame_interval == frame_interval(GRAPH, FOLDING)


def test_a_wrong_sum_is_found_in_its_layer(tmp_path: Path) -> None:
    setup = Setup(GRAPH, FOLDING, tmp_path, BUILD_ROOT)
    name = CONSTANT[0].name
    project = rtl_project.write(GRAPH, FOLDING, setup.folder / "network")
    source = project.folder / "rtl" / f"qun_constant_{name}_sums.sv"
    assert source in project.sources
    text = source.read_text(encoding="utf-8")
    assert " + " in text
    source.write_text(text.replace(" + ", " - ", 1), encoding="utf-8")
    layers = {node.output: node.name for node in GRAPH.nodes}
    built = bench.build(project, BUILD_ROOT, layers=layers)
    result = bench.run(
        built,
        [np.stack([taps[GRAPH.inputs[0]] for taps in FRAMES[:1]])],
        np.stack([taps[GRAPH.output] for taps in FRAMES[:1]]),
        "quantunet.rtl_sim.tb_network",
        watchdog=100_000,
        stream_values={node.output: [taps[node.output] for taps in FRAMES[:1]] for node in GRAPH.nodes},
    )
    assert not result.passed
    assert [layer.layer for layer in result.layers if layer.mismatches][0] == name
