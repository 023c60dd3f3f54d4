"""The netlist that synthesis makes computes what golden computes: its cells, multipliers included, under Verilator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from benchmarks.workloads import l8, l16
from helpers.layers import matrix
from helpers.netlist import netlist
from helpers.qonnx_files import SmallUnet
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.errors import ToolFailedError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Fold
from quantunet.hls.generate import rtl_project
from quantunet.hls.modules.table import cycles
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType
from quantunet.qonnx_import import load
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.rtl_sim.verilator import lint

LEAST = {"LUT4": 50, "CCU2C": 5}
LEAST_DSP = LEAST | {"MULT18X18D": 2}


def _check(graph: Graph, name: str, fold: Fold, frames: int, folder: Path) -> None:
    """Compare the netlist of a layer with golden, value by value and cycle by cycle."""
    source, layer = graph.tensor(graph.input), graph.node(name)
    dsp = fold.style == "folded-dsp"
    project = rtl_project.write(graph, {name: fold}, folder / name, layer=name)
    project = netlist(project, LEAST_DSP if dsp else LEAST, dsp=dsp)
    images = np.random.default_rng(1).integers(source.qtype.qmin, source.qtype.qmax + 1, size=(frames, *source.shape))
    expected = np.stack([golden.run(graph, image)[graph.output_of(layer).name] for image in images])
    assert len(np.unique(expected)) >= 8
    result = bench.run(
        bench.build(project, BUILD_ROOT), [images], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000
    )
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    assert result.frame_ends[0] == cycles(graph, layer, fold).predicted


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
    _check(matrix(kind, "layer", (6, 6, 8), 8, kernel, types, seed=3), "layer", Fold(4, 4), 2, tmp_path)


@pytest.mark.parametrize(
    ("kind", "kernel", "types"),
    [
        (Conv2d, 3, (QType(4, False, 4), QType(4, True, 3), QType(4, False, 2))),  # pairs of products
        pytest.param(
            Conv2d, 3, (QType(6, True, 4), QType(5, True, 3), QType(6, True, 1)), marks=pytest.mark.slow
        ),  # signed pairs
        pytest.param(
            ConvTranspose2d, 2, (QType(8, True, 2), QType(7, True, 5), QType(5, True, 2)), marks=pytest.mark.slow
        ),  # too wide for pairs
    ],
)
def test_the_netlist_with_hard_multipliers_computes_the_same_bits(
    tmp_path: Path, kind: type[Conv2d] | type[ConvTranspose2d], kernel: int, types: tuple[QType, QType, QType]
) -> None:
    graph = matrix(kind, "layer", (4, 4, 4), 4, kernel, types, seed=3)
    _check(graph, "layer", Fold(2, 2, "folded-dsp"), 4, tmp_path)


def test_the_netlist_of_a_network_of_two_styles_computes_the_same_bits(tmp_path: Path) -> None:
    """One of three convolutions has a hard multiplier, in one flat design with the others."""
    graph = load(SmallUnet().write(tmp_path / "small.onnx"))
    source = graph.tensor(graph.input)
    folding = dict(default_folding(graph))
    folding["head"] = dataclasses.replace(folding["head"], style="folded-dsp")
    project = rtl_project.write(graph, folding, tmp_path / "network")
    project = netlist(project, LEAST, exact={"MULT18X18D": 1}, dsp=True, hard=("u_head",))
    images = np.random.default_rng(2).integers(source.qtype.qmin, source.qtype.qmax + 1, size=(4, *source.shape))
    expected = np.stack([golden.run(graph, image)[graph.output] for image in images])
    assert len(np.unique(expected)) >= 8
    built = bench.build(project, BUILD_ROOT)
    result = bench.run(built, [images], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)


def test_the_model_of_the_multiplier_refuses_registers(tmp_path: Path) -> None:
    """They would be left out without a word otherwise."""
    source = tmp_path / "top.sv"
    for clock in ("NONE", "CLK0"):
        source.write_text(f'module top;\n  MULT18X18D #(.REG_OUTPUT_CLK("{clock}")) u_cell ();\nendmodule\n')
        with pytest.raises(ToolFailedError, match="registers are not modelled") if clock != "NONE" else nullcontext():
            lint((HDL_FOLDER / "MULT18X18D.sv", source), "top", tmp_path, ("-Wno-PINMISSING", "-Wno-DECLFILENAME"))


@pytest.mark.slow
@pytest.mark.parametrize("style", ["folded-lut", "folded-dsp"])
@pytest.mark.parametrize(("make", "channels", "frames"), [(l8, 8, 2), (l16, 16, 1)], ids=["L8", "L16"])
def test_the_netlist_of_a_measured_layer_computes_the_same_bits(
    tmp_path: Path, make: Callable[[], Graph], channels: int, frames: int, style: str
) -> None:
    """The layers whose area is compared with that of other tools."""
    _check(make(), "conv", Fold(channels, channels, style), frames, tmp_path)
