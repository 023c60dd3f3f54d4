"""``qun_crop``: exact values and cycles under stalls and resets, and a network whose output ends before its layers."""

from __future__ import annotations

from pathlib import Path

from helpers.op_cases import crop_cases
from helpers.rtl import BUILD_ROOT, check_cases

from quantunet import golden
from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.ir import Conv2d, QType
from quantunet.random_network import GraphBuilder, random_image
from quantunet.rtl_sim.cosim import adjacent_frames
from quantunet.rtl_sim.fifo_bench import FifoBench


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("crop", crop_cases(), tmp_path, more_scenarios=("exact_capacity",))


def test_layers_that_work_on_when_the_output_has_ended_are_compared_whole(tmp_path: Path) -> None:
    """The convolution still has four rows to go, of 18 cycles a pixel, when the last pixel of the result leaves."""
    qtype = QType(4, True, 2)
    builder = GraphBuilder("net", 8, 6, 2, qtype, 0)
    builder.crop("cut", builder.matrix(Conv2d, "conv", "image", 2, 3, 3, qtype), (0, 0, 4, 0))
    graph = builder.build()
    folding = Folding(graph, {"conv": Fold(1, 2), "cut": Fold(1, 1)})
    frames = [golden.run(graph, frame) for frame in adjacent_frames(graph, random_image(graph), 2)]
    bench = FifoBench(graph, folding, frames, tmp_path, BUILD_ROOT, inside=True, quick=True)
    found = bench.run()
    assert found.passed, found.problems
    layers = {stream.layer: stream for stream in found.streams if stream.layer is not None}
    assert {name: stream.values_compared for name, stream in layers.items()} == {"conv": 192, "cut": 96}
    assert [stream.missing for stream in layers.values()] == [None, None]
