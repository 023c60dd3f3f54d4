"""Networks with attention gates, end to end: products, tables, a maximum and an argmax beside convolutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import golden, packed
from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import ADAPTER_PRICE, layer_cost
from quantunet.hls.choose.solver import fold_for_interval
from quantunet.hls.csim import simulation
from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.hls.network import build
from quantunet.hls.resources.terms import area
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Conv2d, Graph, IntArray, QType
from quantunet.random_network import GraphBuilder, random_image
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.rtl_sim.stalls import Stalls


def gated(*, long_gate: bool) -> Graph:
    """Return a network with a gate of one channel; two convolutions stand before the gate, or before what it gates."""
    logits = QType(6, True, 3)
    builder = GraphBuilder("gated", 12, 12, 1, QType(8, False, 8), 3)
    x = builder.matrix(Conv2d, "stem", "image", 4, 3, 4, QType(4, False, 3))
    way = builder.matrix(Conv2d, "way0", x, 4, 3, 4, QType(4, False, 3))
    way = builder.matrix(Conv2d, "way1", way, 1 if long_gate else 4, 3, 4, logits)
    first, gate = (x, way) if long_gate else (way, builder.matrix(Conv2d, "short", x, 1, 1, 4, logits))
    y = builder.multiply("gate", first, builder.sigmoid("probability", gate))
    builder.matrix(Conv2d, "head", builder.requant("back", y, QType(5, True, 3)), 3, 1, 4, logits)
    return builder.build()


def attention() -> Graph:
    """Return a network with a gate, a maximum with a function of the same tensor, and classes at its end."""
    signed = QType(5, True, 3)
    builder = GraphBuilder("attention", 9, 12, 1, QType(8, False, 8), 46)
    x = builder.matrix(Conv2d, "stem", "image", 6, 3, 4, QType(4, False, 3))
    score = builder.matrix(Conv2d, "score0", x, 4, 3, 4, QType(4, False, 3))
    score = builder.matrix(Conv2d, "score1", score, 1, 1, 4, QType(6, True, 3))
    steps = np.clip(np.arange(-32, 32) * 4 + 96, 0, 255)
    gate = builder.lookup("squash", score, IntArray.of(steps), QType(8, False, 8))
    y = builder.requant("back", builder.multiply("gate", x, gate), signed)
    curve = builder.lookup("curve", x, IntArray.of(np.arange(16) ** 2 // 16 - 3), signed)
    y = builder.maximum("best", y, curve)
    builder.argmax("class", builder.matrix(Conv2d, "head", y, 5, 1, 4, QType(6, True, 3)))
    return builder.build()


LANES = {"gate": 3, "back": 2, "curve": 2, "best": 6}


@pytest.mark.parametrize("stalls", ["none", "random"])
def test_the_network_in_hardware_equals_golden_and_the_schedule(stalls: Stalls, tmp_path: Path) -> None:
    graph = attention()
    frames = [golden.run(graph, random_image(graph, seed)) for seed in range(4)]
    assert len(np.unique([taps["class_out"] for taps in frames])) > 2
    folding = {**default_folding(graph), **{name: Fold(n, n) for name, n in LANES.items()}, "class": Fold(1, 5)}
    setup = Setup(graph, Folding(graph, folding), tmp_path, BUILD_ROOT, stalls=stalls, seed=3, assertions=True)
    result = run_network(setup, frames)
    assert result.bench.problems == []
    assert result.bench.values_compared == 4 * 9 * 12
    assert (result.mask_pixels, result.mask_mismatches) == (4 * 9 * 12, 0)
    if stalls == "none":
        found = schedule(build(graph, setup.folding, fifo_depths(graph, setup.folding)), 4)
        assert (result.bench.first_output, result.bench.frame_ends) == (found.first_output, found.frame_ends)
        assert found.frame_interval == frame_interval(graph, setup.folding)


def test_the_c_simulation_of_the_network_equals_golden(tmp_path: Path) -> None:
    graph = attention()
    images = [random_image(graph, seed) for seed in range(2)]
    got = simulation.run(graph, simulation.build_network(graph, tmp_path), [np.stack(images)])
    expected = np.stack([golden.run(graph, image)[graph.output] for image in images])
    assert got.size == 2 * 9 * 12 and np.array_equal(got, expected)


def test_the_packed_file_gives_the_network_back(tmp_path: Path) -> None:
    packed.write(attention(), tmp_path / "attention.qun")
    assert packed.read(tmp_path / "attention.qun") == attention()


def folded(graph: Graph, lanes: int) -> dict[str, Fold]:
    folds = {name: Fold(min(fold.pe, lanes), min(fold.simd, lanes)) for name, fold in default_folding(graph).items()}
    return folds | {name: Fold(lanes, lanes) for name in ("gate", "back")}


@pytest.mark.parametrize("long_gate", [False, True])
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_the_least_depths_run_and_one_beat_less_locks(lanes: int, long_gate: bool) -> None:
    graph = gated(long_gate=long_gate)
    design = build(graph, folded(graph, lanes), {("gate", leg): 600 for leg in (0, 1)})
    least = least_depths(design)
    (needed,) = (name for name, depth in least.items() if depth)
    limits = {name: max(depth, 2) for name, depth in least.items()}
    assert limits[needed] > 2
    assert schedule(design, 2, limits=limits).stuck == ()
    assert schedule(design, 2, limits={**limits, needed: limits[needed] - 1}).stuck != ()


@pytest.mark.parametrize("long_gate", [False, True])
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_the_depths_keep_the_interval_of_the_slowest_layer(lanes: int, long_gate: bool) -> None:
    graph = gated(long_gate=long_gate)
    folding = folded(graph, lanes)
    found = schedule(build(graph, folding, fifo_depths(graph, folding)), 4)
    assert found.frame_interval == frame_interval(graph, folding)


def test_a_gate_has_one_lane_whatever_the_fold() -> None:
    graph = gated(long_gate=True)
    design = build(graph, folded(graph, 4), fifo_depths(graph, folded(graph, 4)))
    streams = {stream.name: stream for stream in design.streams}
    (gate,) = (instance for instance in design.instances if instance.name == "gate")
    assert [streams[name].lanes for _, name in (*gate.inputs, *gate.outputs)] == [4, 1, 4]
    adapters = [instance.name for instance in design.instances if instance.kind == "qun_width_adapter"]
    assert adapters and not any("probability" in name for name in adapters)


@pytest.mark.parametrize("long_gate", [False, True])
@pytest.mark.parametrize("interval", [1296, 2592])
def test_what_the_solver_counts_is_what_the_network_has(interval: int, long_gate: bool) -> None:
    found = fold_for_interval(gated(long_gate=long_gate), interval, styles=("folded-lut",))
    assert found.gap == 0
    assert found.found == area(found.total) + ADAPTER_PRICE * found.adapters


def test_a_product_may_have_hard_multipliers() -> None:
    graph = gated(long_gate=True)
    fold = Fold(2, 2, "folded-dsp")
    assert layer_cost(graph, graph.node("gate"), fold).dsp == 2
    assert default_folding(graph, style="folded-dsp")["gate"].style == "folded-dsp"
