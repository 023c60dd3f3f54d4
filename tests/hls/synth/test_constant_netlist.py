"""The netlist of the two benchmark layers by constants computes what golden computes, a pixel a cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.netlist import netlist

from quantunet import golden
from quantunet.hls.design import Fold
from quantunet.hls.generate import rtl_project
from quantunet.hls.modules.table import cycles
from quantunet.ir import Conv2d, QType
from quantunet.random_network import GraphBuilder
from quantunet.rtl_sim import bench, verilator


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "size"), [(8, 16), (16, 32)], ids=["L8", "L16"])
def test_the_netlist_computes_the_same_bits(
    tmp_path: Path, channels: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few thousand cycles are simulated: compiling the netlist for speed would take far longer than it saves.
    monkeypatch.setattr(verilator, "_FAST", ("-O0",))
    activation = QType(4, False, 3)
    builder = GraphBuilder("net", size, size, channels, activation, 1)
    builder.matrix(Conv2d, "layer", "image", channels, 3, 4, activation)
    graph, fold = builder.build(), Fold(channels, channels, "constant")
    project = netlist(
        rtl_project.write(graph, {"layer": fold}, tmp_path / "layer", layer="layer"),
        {"CCU2C": 500},
        exact={"MULT18X18D": 0, "DP16KD": 0},
    )
    frames = np.random.default_rng(1).integers(0, 16, size=(3, size, size, channels))
    expected = np.stack([golden.run(graph, frame)[graph.output] for frame in frames])
    assert len(np.unique(expected)) == 16
    built = bench.build(project, tmp_path / "builds")
    result = bench.run(built, [frames], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    assert result.frame_ends[0] == cycles(graph, graph.node("layer"), fold).predicted
    assert result.frame_interval == size * size
