"""Networks with attention gates: gates whose two inputs come from one tensor by paths of different length."""

from __future__ import annotations

import pytest

from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import ADAPTER_PRICE, layer_cost
from quantunet.hls.choose.solver import fold_for_interval
from quantunet.hls.design import Fold
from quantunet.hls.network import build
from quantunet.hls.resources.terms import area
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder


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
