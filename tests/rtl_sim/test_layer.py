"""The bench of a layer at its true shape: what it compares and what it notices."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.compare import Difference
from quantunet.errors import StorageError, ToolFailedError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.modules import table
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim import bench, verilator
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.rtl_sim.layer_bench import TEST_MODULE, Setup, layer_project, run_layer
from quantunet.streams import binary_file

GRAPH = random_unet(base=4, depth=1, size=8, seed=3)
TAPS = golden.run(GRAPH, random_image(GRAPH))


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(GRAPH, default_folding(GRAPH), tmp_path, BUILD_ROOT)


@pytest.mark.parametrize("name", ["dec0_conv0", "up0", "concat0"])
def test_layer_equals_golden_in_the_predicted_cycles(setup: Setup, name: str) -> None:
    node = GRAPH.node(name)
    result = run_layer(setup, name, TAPS)
    assert result.passed, result.problems
    assert result.values_compared == TAPS[node.output].size
    counts = table.cycles(GRAPH, node, setup.folding[name])
    assert (result.cycles, result.first_output) == (counts.predicted, counts.first_output)


def test_random_stalls_take_longer_and_change_nothing(setup: Setup) -> None:
    free = run_layer(setup, "concat0", TAPS)
    stalled = [run_layer(replace(setup, stalls="random", seed=seed), "concat0", TAPS) for seed in (1, 2)]
    assert all(result.passed for result in stalled)
    assert free.cycles < min(result.cycles for result in stalled)
    assert stalled[0].cycles != stalled[1].cycles


def test_a_wrong_expectation_is_named_by_frame_pixel_and_channel(setup: Setup) -> None:
    built = bench.build(layer_project(setup, "concat0"), BUILD_ROOT)
    inputs = [np.stack([TAPS[tensor]] * 2) for tensor in GRAPH.node("concat0").inputs]
    expected = np.stack([TAPS[GRAPH.node("concat0").output]] * 2)
    right = int(expected[1, 3, 2, 5])
    expected[1, 3, 2, 5] += 1
    result = bench.run(built, inputs, expected, TEST_MODULE, watchdog=10_000)
    assert not result.passed
    assert result.mismatches == 1
    assert result.first == Difference(1, 3, 2, 5, right + 1, right)
    assert len(result.frame_ends) == 2


@pytest.mark.parametrize("damage", ["missing", "short", "long"])
def test_damaged_memory_file_is_an_error(setup: Setup, tmp_path: Path, damage: str) -> None:
    project = layer_project(setup, "dec0_conv0")
    file = binary_file(project.memories[0])
    damage_file(file, damage)
    built = bench.Bench(project, "top", tmp_path)
    with pytest.raises(StorageError, match=r"dec0_conv0_weight\.mem\.bin: expected a memory file of .* bytes, got"):
        bench.run(built, [TAPS["concat0_out"][None]], TAPS["dec0_conv0_out"][None], TEST_MODULE, watchdog=10)


@pytest.mark.parametrize("damage", ["missing", "short", "long"])
@pytest.mark.parametrize("name", ["dec0_conv0_weight.mem.bin", "s_axis.bin"])
def test_simulator_refuses_a_damaged_file(setup: Setup, name: str, damage: str) -> None:
    assert run_layer(setup, "dec0_conv0", TAPS).passed
    built = bench.build(layer_project(setup, "dec0_conv0"), BUILD_ROOT)
    damage_file(built.project.folder / name, damage)
    with pytest.raises(ToolFailedError, match=f"{re.escape(name)}: expected .*got"):
        verilator.run_cocotb(built.executable, TEST_MODULE, built.top, built.project.folder, plusargs=["+frames=1"])


def damage_file(path: Path, damage: str) -> None:
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if damage == "short" else data + data[:1])


def test_nothing_compared_is_a_failure() -> None:
    result = BenchResult(0, 0, None, 0, 0, 0, False, 0, (), {}, 0)
    assert not result.passed
    assert result.problems == ["nothing was compared"]
    assert BenchResult.from_json(result.to_json()) == result
