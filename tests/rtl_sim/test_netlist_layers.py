"""The netlists of layers of the shipped network, each alone with its block RAMs, compute what golden computes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.netlist import netlist
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.modules.table import cycles
from quantunet.ir import Array, Graph
from quantunet.random_network import random_image
from quantunet.rtl_sim import bench
from quantunet.zoo import load_network


@pytest.fixture(scope="module")
def wearable() -> Graph:
    return load_network("wearable")


@pytest.fixture(scope="module")
def taps(wearable: Graph) -> Mapping[str, Array]:
    return golden.run(wearable, random_image(wearable))


LAYERS = {
    "enc1_conv1": {"DP16KD": 1, "CCU2C": 10},  # rows of a window
    "bottleneck_conv0": {"DP16KD": 8, "CCU2C": 10},  # weights
    "up3": {"DP16KD": 4, "CCU2C": 10},  # a transposed convolution
    "pool2": {"LUT4": 20},
    "skip3_requant": {"LUT4": 10},
    "concat3": {"LUT4": 10},
    "sigmoid": {"LUT4": 10},
    "head": {"CCU2C": 5},
}
"""Layers, one of each kind, and the least that their netlists hold."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_the_netlist_of_a_layer_computes_the_same_bits(
    name: str, wearable: Graph, taps: Mapping[str, Array], tmp_path: Path
) -> None:
    node, folding = wearable.node(name), default_folding(wearable)
    written = rtl_project.write(wearable, folding, tmp_path / name, layer=name)
    project = netlist(written, LAYERS[name])
    inputs, expected = [taps[tensor][None] for tensor in node.inputs], taps[node.output][None]
    built = bench.build(project, BUILD_ROOT, quick=True)
    result = bench.run(built, inputs, expected, "quantunet.rtl_sim.tb_layer", watchdog=400_000)
    assert result.passed, result.problems
    assert (result.values_compared, result.mismatches) == (expected.size, 0)
    predicted = cycles(wearable, node, folding[name])
    assert (result.first_output, result.frame_ends) == (predicted.first_output, (predicted.predicted,))
