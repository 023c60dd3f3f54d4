"""Networks with additions: residual blocks end to end, their FIFOs, and both doors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import golden, packed
from quantunet.hls.choose.default import default_folding
from quantunet.hls.csim import simulation
from quantunet.hls.csim.lower.network import model_graph
from quantunet.hls.design import Fold
from quantunet.hls.network import build
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType
from quantunet.random_network import GraphBuilder, random_image
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network


def residual(size: int = 12, *, swapped: bool = False) -> Graph:
    """Return two residual blocks, the second one around a pooling and a transpose convolution."""
    builder = GraphBuilder("residual", size, size, 1, QType(8, False, 8), 3)
    x = builder.matrix(Conv2d, "stem", "image", 4, 3, 4, QType(4, False, 3))
    y = builder.matrix(Conv2d, "block0", x, 4, 3, 4, QType(5, True, 3))
    y = builder.matrix(Conv2d, "block1", y, 4, 3, 4, QType(5, True, 2))
    x = builder.add("add0", *((y, x) if swapped else (x, y)), QType(4, False, 2))
    y = builder.maxpool2d("pool", x)
    y = builder.matrix(Conv2d, "deep", y, 8, 3, 3, QType(4, False, 3))
    y = builder.matrix(ConvTranspose2d, "up", y, 4, 2, 4, QType(4, True, 2))
    x = builder.add("add1", *((y, x) if swapped else (x, y)), QType(4, True, 2))
    builder.matrix(Conv2d, "head", x, 1, 1, 4, QType(6, True, 3))
    return builder.build()


def test_the_network_in_hardware_equals_golden(tmp_path: Path) -> None:
    graph = residual()
    frames = [golden.run(graph, random_image(graph, seed)) for seed in range(3)]
    setup = Setup(graph, default_folding(graph), tmp_path, BUILD_ROOT)
    result = run_network(setup, frames).bench
    assert result.problems == []
    assert result.values_compared == 3 * 12 * 12
    found = schedule(build(graph, setup.folding, fifo_depths(graph, setup.folding)), 3)
    assert (result.first_output, result.frame_ends[-1]) == (found.first_output, found.frame_ends[-1])


@pytest.mark.parametrize("name", ["add0", "add1"])
def test_the_c_simulation_of_an_addition_equals_golden(name: str, tmp_path: Path) -> None:
    graph = residual()
    taps = golden.run(graph, random_image(graph), plain=True)
    got = simulation.run_layer(graph, name, simulation.build_layer(graph, name, tmp_path), taps)
    expected = taps[graph.node(name).output]
    assert (got == expected).all() and len(np.unique(expected)) > 4


def test_hls4ml_and_the_packed_file_give_the_same_graph_back(tmp_path: Path) -> None:
    graph = residual()
    assert from_model_graph(model_graph(graph, tmp_path, backend="QuantUNet")) == graph
    packed.write(graph, tmp_path / "residual.qun")
    assert packed.read(tmp_path / "residual.qun") == graph


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_the_least_depths_run_and_one_beat_less_locks(lanes: int, swapped: bool) -> None:
    graph = residual(swapped=swapped)
    folding = {name: Fold(min(fold.pe, lanes), min(fold.simd, lanes)) for name, fold in default_folding(graph).items()}
    folding |= {name: Fold(lanes, lanes) for name in ("add0", "add1", "pool")}
    design = build(graph, folding, {(name, leg): 600 for name in ("add0", "add1") for leg in (0, 1)})
    least = least_depths(design)
    needed = {name: depth for name, depth in least.items() if depth}
    assert len(needed) == 2 and min(needed.values()) > 2
    limits = {name: max(depth, 2) for name, depth in least.items()}
    assert schedule(design, 2, limits=limits).stuck == ()
    for name in needed:
        assert schedule(design, 2, limits={**limits, name: least[name] - 1}).stuck != (), name
