"""The netlist that synthesis makes computes what golden computes: LUTs, carry chains and flip-flops under Verilator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks.workloads import l8, l16
from helpers.layers import matrix
from helpers.netlist import netlist

from quantunet import golden
from quantunet.hls import rtl_project
from quantunet.hls.design import Fold
from quantunet.hls.network import cycles
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType
from quantunet.rtl_sim import bench

CHECKS = ("select -assert-min 50 t:LUT4", "select -assert-min 5 t:CCU2C")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "kernel", "types"),
    [
        (Conv2d, 3, (QType(4, False, 4), QType(4, True, 3), QType(4, False, 2))),
        (Conv2d, 3, (QType(7, True, 4), QType(5, True, 3), QType(6, True, 1))),
        (ConvTranspose2d, 2, (QType(3, False, 2), QType(7, True, 5), QType(5, True, 2))),
    ],
)
def test_the_netlist_computes_the_same_bits(
    tmp_path: Path, kind: type[Conv2d] | type[ConvTranspose2d], kernel: int, types: tuple[QType, QType, QType]
) -> None:
    graph, fold, shape = matrix(kind, "layer", (6, 6, 8), 8, kernel, types, seed=3), Fold(4, 4), (6, 6, 8)
    project = netlist(rtl_project.write(graph, {"layer": fold}, tmp_path / "layer", layer="layer"), *CHECKS)
    frames = np.random.default_rng(1).integers(types[0].qmin, types[0].qmax + 1, size=(2, *shape))
    expected = np.stack([golden.run(graph, frame)["y"] for frame in frames])
    assert len(np.unique(expected)) >= 8
    built = bench.build(project, tmp_path / "builds")
    result = bench.run(built, [frames], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    assert result.frame_ends[0] == cycles(graph, graph.node("layer"), fold).predicted


@pytest.mark.slow
@pytest.mark.parametrize(("make", "fold", "frames"), [(l8, Fold(8, 8), 2), (l16, Fold(16, 16), 1)], ids=["L8", "L16"])
def test_the_netlist_of_a_measured_layer_computes_the_same_bits(
    tmp_path: Path, make: Callable[[], Graph], fold: Fold, frames: int
) -> None:
    """The layers whose area is compared with that of other tools."""
    graph = make()
    source, conv = graph.tensor(graph.input), graph.node("conv")
    project = netlist(rtl_project.write(graph, {"conv": fold}, tmp_path / "conv", layer="conv"), *CHECKS)
    images = np.random.default_rng(1).integers(0, source.qtype.qmax + 1, size=(frames, *source.shape))
    expected = np.stack([golden.run(graph, image)[graph.output_of(conv).name] for image in images])
    assert len(np.unique(expected)) >= 8
    built = bench.build(project, tmp_path / "builds")
    result = bench.run(built, [images], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    assert result.frame_ends[0] == cycles(graph, conv, fold).predicted
