"""A network of exact sums, general requantisations and a difference, with a wide output, in hardware."""

from __future__ import annotations

from pathlib import Path

from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Fold
from quantunet.hls.network import build
from quantunet.hls.schedule.depths import fifo_depths
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType
from quantunet.random_network import GraphBuilder, random_image
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network


def sums() -> Graph:
    """Return a network in which each kind of convolution writes sums; they are forked, change lanes, and leave it."""
    builder = GraphBuilder("sums", 8, 6, 2, QType(8, False, 0), 5)
    x = builder.matrix(Conv2d, "conv", "image", 4, 3, 6, QType(20, True, 3))
    y = builder.requant("skip", x, QType(7, True, -2))
    x = builder.affine("scale", x, QType(7, True, -2), bits=10, splits=True)
    x = builder.matrix(Conv2d, "deep", x, 4, 3, 4, QType(24, True, 0))
    x = builder.affine("norm", x, QType(7, True, -2), even=True, bounds=(-63, 40))
    x = builder.add("difference", x, y, QType(6, True, -3), (1, -1))
    builder.matrix(ConvTranspose2d, "up", x, 3, 2, 16, QType(37, True, 2))
    return builder.build()


def test_the_network_in_hardware_equals_golden(tmp_path: Path) -> None:
    graph = sums()
    frames = [golden.run(graph, random_image(graph, seed)) for seed in range(3)]
    folding = {**default_folding(graph), "conv": Fold(4, 2, "constant"), "skip": Fold(4, 4), "scale": Fold(2, 2)}
    setup = Setup(graph, folding, tmp_path, BUILD_ROOT)
    result = run_network(setup, frames).bench
    assert result.problems == []
    assert result.values_compared == 3 * 16 * 12 * 3
    design = build(graph, setup.folding, fifo_depths(graph, setup.folding))
    kinds = {one.kind for one in design.instances}
    assert {"qun_conv2d_constant", "qun_conv2d", "qun_fork", "qun_fifo", "qun_width_adapter", "qun_affine"} <= kinds
    found = schedule(design, 3)
    assert (result.first_output, result.frame_ends[-1]) == (found.first_output, found.frame_ends[-1])
