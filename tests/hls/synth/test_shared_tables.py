"""Columns of a table that share block RAMs: fewer of them, and the same values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.layers import matrix
from helpers.netlist import netlist
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.design import Fold
from quantunet.hls.generate import rtl_project
from quantunet.hls.modules.table import cycles
from quantunet.hls.resources.memory_map import Shared, map_memory, shared_columns
from quantunet.ir import Conv2d, QType
from quantunet.rtl_sim import bench


@pytest.mark.parametrize(
    ("width", "depth", "expected"),
    [
        (192, 576, Shared(3, 18, 1024, 30)),
        (256, 576, Shared(5, 18, 1024, 0)),  # the last group has columns of 18, 18 and 4 bits
        (384, 640, Shared(7, 18, 1024, 6)),
        (384, 641, Shared()),
        (384, 512, Shared()),
        (36, 576, Shared()),  # two columns have nothing to share
        (128, 1152, Shared(4, 9, 2048, 20)),
        (96, 1152, Shared()),  # eight block RAMs either way
        (192, 2304, Shared()),
    ],
)
def test_which_tables_share(width: int, depth: int, expected: Shared) -> None:
    assert shared_columns(width, depth) == expected


@pytest.mark.parametrize(
    ("out_channels", "fold", "bits", "depth", "blocks"),
    [
        pytest.param(32, Fold(4, 4), 5, 576, 4, id="576 words of 80 bits"),
        pytest.param(32, Fold(2, 8), 8, 576, 6, id="576 words of 128 bits"),
        pytest.param(64, Fold(4, 4), 4, 1152, 5, id="1152 words of 64 bits, with a register behind"),
    ],
)
def test_the_netlist_of_a_layer_is_exact_in_values_and_cycles(
    tmp_path: Path, out_channels: int, fold: Fold, bits: int, depth: int, blocks: int
) -> None:
    types = (QType(4, False, 4), QType(bits, True, 3), QType(8, True, 6 - bits))
    graph = matrix(Conv2d, "layer", (2, 3, 32), out_channels, 3, types, seed=3)
    layer, source = graph.node("layer"), graph.tensor(graph.input)
    width = fold.pe * fold.simd * bits
    assert layer.weight.array.size // (fold.pe * fold.simd) == depth
    assert shared_columns(width, depth).groups > 0
    assert map_memory(width, depth, rom=True).block == blocks
    project = rtl_project.write(graph, {"layer": fold}, tmp_path / "layer", layer="layer")
    project = netlist(project, {}, exact={"DP16KD": blocks})
    images = np.random.default_rng(1).integers(0, source.qtype.qmax + 1, size=(2, *source.shape))
    expected = np.stack([golden.run(graph, image)[graph.output_of(layer).name] for image in images])
    assert len(np.unique(expected)) >= 8
    built = bench.build(project, BUILD_ROOT)
    result = bench.run(built, [images], expected, "quantunet.rtl_sim.tb_layer", watchdog=100_000)
    assert result.passed
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    assert result.frame_ends[0] == cycles(graph, layer, fold).predicted
