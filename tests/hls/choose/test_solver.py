"""The folding solver: its answers against every possible folding, its promises, and its refusals."""

from __future__ import annotations

import dataclasses
import itertools
import math
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from quantunet.constraints.board import RESOURCES
from quantunet.errors import FoldingError
from quantunet.hls.choose import solver
from quantunet.hls.choose.estimate import ADAPTER_PRICE, estimate, layer_cost, plumbing_cost, width_adapter_cost
from quantunet.hls.choose.solver import Solution, fold_for_budget, fold_for_interval
from quantunet.hls.design import Fold, Style
from quantunet.hls.folding import Folding, candidates
from quantunet.hls.network import build
from quantunet.hls.resources.terms import PRICES, Cost, area, prices_of
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.ir import Conv2d, Graph, MatrixNode, QType
from quantunet.random_network import GraphBuilder, random_unet

FOLDED: tuple[Style, ...] = ("folded-lut", "folded-dsp")
UNET = random_unet(base=4, depth=2, size=32)


def small() -> Graph:
    """Return a network with a fork and a join that needs a FIFO in few foldings only.

    The solver's answer is proven best for the FIFOs that it is given, and FIFOs depend on the folding.
    """
    builder = GraphBuilder("small", 4, 4, 2, QType(4, False, 3), seed=1)
    builder.matrix(Conv2d, "first", "image", 4, 3, 4, QType(3, False, 2))
    builder.matrix(Conv2d, "second", "first_out", 2, 1, 3, QType(3, False, 1))
    builder.requant("left", "second_out", QType(3, True, 1))
    builder.requant("right", "second_out", QType(3, True, 1))
    builder.maximum("join", "left_out", "right_out")
    return builder.build()


@dataclass(frozen=True)
class Tried:
    """A folding with its cost, from the parts' costs and its own FIFOs, its width adapters and its own interval."""

    folding: dict[str, Fold]
    cost: Cost
    adapters: int
    interval: int

    def size(self, prices: Mapping[str, float] = PRICES) -> float:
        return area(self.cost, prices) + ADAPTER_PRICE * self.adapters


def size_of(solution: Solution, prices: Mapping[str, float] = PRICES) -> float:
    return area(solution.total, prices) + ADAPTER_PRICE * solution.adapters


def every_folding(graph: Graph) -> Iterator[Tried]:
    """Yield every folding."""
    choices = [
        [(node.name, fold, layer_cost(graph, node, fold)) for fold in candidates(graph, node, FOLDED)]
        for node in graph.nodes
    ]
    for choice in itertools.product(*choices):
        folding = {name: fold for name, fold, _ in choice}
        adapters = 0
        cost = sum((cost for _, _, cost in choice), Cost())
        for tensor in graph.tensors:
            producer = graph.producer(tensor.name)
            readers = graph.consumers(tensor.name)
            lanes = folding[producer.name].pe if producer else folding[readers[0].name].simd
            if len(readers) > 1:
                cost += plumbing_cost("fork", Bits=lanes * tensor.qtype.bits, Outputs=len(readers))
            for reader in readers:
                cost += width_adapter_cost(lanes, folding[reader.name].simd, tensor.qtype.bits)
                adapters += lanes != folding[reader.name].simd
        for (reader_name, index), depth in fifo_depths(graph, folding).items():
            tensor = graph.tensor(graph.node(reader_name).inputs[index])
            producer = graph.producer(tensor.name)
            assert producer is not None
            lanes = folding[producer.name].pe
            beats = math.prod(tensor.shape) // lanes
            cost += plumbing_cost("fifo", Bits=lanes * tensor.qtype.bits, Depth=depth, FrameBeats=beats)
        yield Tried(folding, cost, adapters, frame_interval(graph, folding))


def fits(cost: Cost, budget: Mapping[str, int]) -> bool:
    return all(getattr(cost, name) <= count for name, count in budget.items())


@pytest.fixture(scope="module")
def everything() -> list[Tried]:
    found = list(every_folding(small()))
    assert len(found) > 1000
    return found


@pytest.mark.parametrize("interval", [16, 64, 144, 288, 576, 2000])
def test_least_area_is_that_of_every_folding_tried(everything: list[Tried], interval: int) -> None:
    least = min((tried.size() for tried in everything if tried.interval <= interval), default=None)
    if least is None:
        with pytest.raises(FoldingError, match=r"expected a frame interval of at least \d+ cycles, got"):
            fold_for_interval(small(), interval, styles=FOLDED)
        return
    found = fold_for_interval(small(), interval, styles=FOLDED)
    assert size_of(found) == least
    assert found.interval <= interval
    assert found.gap == 0


@pytest.mark.parametrize("share", [1.01, 1.3, 2.0, 4.0])
def test_the_fastest_inside_a_budget_is_that_of_every_folding_tried(everything: list[Tried], share: float) -> None:
    dsp = 4
    smallest = min(tried.cost.lut for tried in everything if tried.cost.dsp <= dsp)
    budget = {"lut": int(share * smallest), "dsp": dsp}
    prices = prices_of(budget)
    best = min((tried.interval, tried.size(prices)) for tried in everything if fits(tried.cost, budget))
    found = fold_for_budget(small(), budget, styles=FOLDED)
    assert (found.interval, size_of(found, prices)) == best
    assert fits(found.total, budget)
    assert found.gap == 0


def test_the_budget_matters(everything: list[Tried]) -> None:
    """The cases above differ: more LUTs are faster, and with hard multipliers the LUTs go further."""
    lut = min(tried.cost.lut for tried in everything if tried.cost.dsp == 0)
    budgets = [{"lut": lut * percent // 100, "dsp": dsp} for percent in range(100, 200, 5) for dsp in (0, 32)]
    fastest = [min(tried.interval for tried in everything if fits(tried.cost, budget)) for budget in budgets]
    assert len(set(fastest)) >= 3
    helped = [i for i in range(0, len(budgets), 2) if fastest[i + 1] < fastest[i]]
    assert helped
    for i in (helped[0], helped[0] + 1):
        assert fold_for_budget(small(), budgets[i], styles=FOLDED).interval == fastest[i]


def test_a_shorter_interval_never_takes_less() -> None:
    intervals = [9 * 32 * 32, 18 * 32 * 32, 40 * 32 * 32, 200 * 32 * 32]
    areas = []
    for interval in intervals:
        found = fold_for_interval(UNET, interval, styles=("folded-lut",))
        assert Folding.of(UNET, found.folding) is found.folding
        assert found.interval == frame_interval(UNET, found.folding) <= interval
        assert found.total.dsp == 0
        areas.append(size_of(found))
    assert areas == sorted(areas, reverse=True)


def test_a_larger_budget_is_never_slower() -> None:
    intervals = []
    least = fold_for_interval(UNET, 200 * 32 * 32).total
    for factor in (1.1, 1.6, 4.0):
        budget = {"lut": int(factor * least.lut), "dsp": least.dsp + 20, "bram": least.bram + 20}
        found = fold_for_budget(UNET, budget)
        assert fits(found.total, budget)
        assert found.excess == {}
        assert found.items == estimate(UNET, found.folding)
        intervals.append(found.interval)
    assert intervals == sorted(intervals, reverse=True)
    assert len(set(intervals)) == 3


def test_the_same_network_gets_the_same_folding() -> None:
    first, second = (fold_for_interval(UNET, 18 * 32 * 32) for _ in range(2))
    assert first == second


def test_the_estimate_has_the_modules_of_the_design_and_adapters_only_where_lanes_differ() -> None:
    folding = fold_for_interval(UNET, 18 * 32 * 32).folding
    design = build(UNET, folding, fifo_depths(UNET, folding))
    found = estimate(UNET, folding)
    assert [item.name for item in found if item.fold] == [node.name for node in UNET.nodes]
    items = Counter(item.module for item in found if not item.fold)
    plumbing = design.instances[len(UNET.nodes) :]
    assert items == Counter(instance.module.removeprefix("qun_") for instance in plumbing)
    differing = sum(
        folding[producer.name].pe != folding[node.name].simd
        for node in UNET.nodes
        for name in node.inputs
        if (producer := UNET.producer(name)) is not None
    )
    assert items["width_adapter"] == differing


def test_dear_adapters_are_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    """With adapters that cost as much as a network there is none where none must be."""
    cost = Cost(lut=10**6)
    monkeypatch.setattr("quantunet.hls.choose.solver.width_adapter_cost", lambda a, b, bits: Cost() if a == b else cost)
    found = fold_for_interval(small(), 288, styles=FOLDED)
    assert not [item for item in found.items if item.module == "width_adapter"]


def test_only_allowed_styles_are_used() -> None:
    for style in FOLDED:
        folding = fold_for_interval(small(), 288, styles=(style,)).folding
        convolutions = [node for node in small().nodes if isinstance(node, MatrixNode)]
        assert {folding[node.name].style for node in convolutions} == {style}


def test_lanes_can_be_limited() -> None:
    found = fold_for_interval(UNET, 40 * 32 * 32, max_lanes=4)
    assert max(max(fold.pe, fold.simd) for fold in found.folding.values()) == 4


def test_an_interval_outside_the_budget_says_by_how_much() -> None:
    free = fold_for_interval(UNET, 9 * 32 * 32, styles=("folded-lut",))
    budget = {"lut": free.total.lut // 2, "bram": 1000}
    found = fold_for_interval(UNET, 9 * 32 * 32, budget=budget, styles=("folded-lut",))
    assert set(found.excess) == {"lut"}
    assert found.excess["lut"] == found.total.lut - budget["lut"] > 0


def test_a_budget_that_nothing_fits_names_the_resource_and_who_needs_it() -> None:
    with pytest.raises(FoldingError, match=r"needs \d+ BRAM of 1\. \w+ \(\w+\) needs \d+ BRAM, the most of all"):
        fold_for_budget(UNET, {"lut": 80000, "bram": 1})


def test_a_slower_choice_is_taken_where_no_fast_one_has_room_for_its_own_fifos() -> None:
    small_one = fold_for_interval(UNET, 200 * 32 * 32, styles=("folded-lut",)).total
    budget = {"lut": int(1.1 * small_one.lut), "bram": small_one.bram}
    search = solver._Search(UNET, ("folded-lut",), None, budget, solver.TIME_LIMIT)
    fast = fold_for_interval(UNET, 9 * 32 * 32, styles=("folded-lut",)).folding
    closest = search.solution(fast, 1.0, 1.0)
    assert closest.excess
    found = solver._slower(search, closest, search.intervals()[-1])
    assert found.excess == {} and fits(found.total, budget)
    assert closest.interval < found.interval == found.found
    assert solver._slower(search, closest, closest.interval) is closest, "there is nothing slower"


@pytest.mark.parametrize(("room", "choices"), [(False, 2), (True, solver.ROUNDS)])
def test_where_nothing_has_room_the_search_ends_when_it_comes_no_closer(
    room: bool, choices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget, made, deeper = {"lut": 700, "bram": 0}, [], itertools.count(1)
    search = solver._Search(UNET, ("folded-lut",), None, budget, solver.TIME_LIMIT)
    slowest = search.intervals()[-1]
    assert not search.has_room(slowest, search.first_depths())
    closest = solver._at_interval(search, slowest)
    assert closest.excess
    monkeypatch.setattr(search, "has_room", lambda interval, depths: room)
    monkeypatch.setattr(search, "scaled_depths", lambda folding: {("any", 0): next(deeper)})

    def choose(depths: object) -> Solution:
        made.append(depths)
        return closest

    assert solver._with_its_own_fifos(search, slowest, choose) is closest
    assert len(made) == choices


def test_a_round_that_comes_no_closer_is_not_the_last_while_shallower_fifos_have_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `retina` in an LFE5U-85F, 22, 3, 11 and then 0 block RAMs short: the third was taken for the last word."""
    search = solver._Search(UNET, ("folded-lut",), None, {"lut": 700, "bram": 0}, solver.TIME_LIMIT)
    slowest = search.intervals()[-1]
    closest = solver._at_interval(search, slowest)
    short = iter([22, 3, 11, 0])
    deeper = itertools.count(3)
    monkeypatch.setattr(search, "first_depths", lambda: {("any", 0): 2})
    monkeypatch.setattr(search, "scaled_depths", lambda folding: {("any", 0): next(deeper)})
    asked = []

    def has_room(interval: int, depths: dict[tuple[str, int], int]) -> bool:
        asked.append((interval, depths[("any", 0)]))
        return True

    def choose(depths: object) -> Solution:
        count = next(short, 1)
        return dataclasses.replace(closest, excess={"bram": count} if count else {})

    monkeypatch.setattr(search, "has_room", has_room)
    assert solver._with_its_own_fifos(search, slowest, choose).excess == {}
    assert asked == [(slowest, 2)], "asked once, of the shallowest FIFOs of all rounds"


@pytest.mark.parametrize("room", [False, True])
def test_slower_foldings_are_looked_for_unless_the_slowest_has_no_room(
    room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = solver._Search(UNET, ("folded-lut",), None, {"lut": 700, "bram": 0}, solver.TIME_LIMIT)
    slowest, made = search.intervals()[-1], []
    closest = solver._at_interval(search, slowest)
    if room:  # without any FIFO, as it is asked
        monkeypatch.setattr(search, "least_area", lambda interval, depths, first: closest if not depths else None)

    def at_interval(search: object, interval: int) -> Solution:
        made.append(interval)
        return closest

    monkeypatch.setattr(solver, "_at_interval", at_interval)
    assert solver._slower(search, closest, 1000 * closest.interval) is closest
    assert len(made) == (10 if room else 1)
    assert made[-1] == 1000 * closest.interval


def test_prices_follow_the_budget() -> None:
    prices = prices_of({"lut": 70000, "dsp": 140, "bram": 0})
    assert (prices["lut"], prices["dsp"], prices["bram"]) == (1.0, 500.0, 70000 / 208)
    assert math.isclose(area(Cost(1, 2, 3, 4)), sum(n * PRICES[name] for n, name in enumerate(RESOURCES, 1)))


SEARCH = """
import sys
import numpy as np
from ortools.sat.python import cp_model
from quantunet import processes
from quantunet.hls.choose.solver import _solved

rng, model = np.random.default_rng(0), cp_model.CpModel()
chosen = [model.new_bool_var(f"x{index}") for index in range(60)]
for _ in range(6):  # a market split: no search ends it
    weights = rng.integers(0, 100, size=len(chosen)).tolist()
    model.add(sum(w * x for w, x in zip(weights, chosen)) == sum(weights) // 2)
solver = cp_model.CpSolver()
solver.parameters.num_workers = 1
print("searching", flush=True)
try:
    with processes.terminated_like_interrupt():
        _solved(solver, model)
except KeyboardInterrupt as interrupt:
    sys.exit(processes.exit_code(interrupt))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_search(number: int) -> None:
    with subprocess.Popen([sys.executable, "-c", SEARCH], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"searching\n"
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
