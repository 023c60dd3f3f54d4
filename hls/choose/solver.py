"""Chooses the fold of every layer by exact search: the least area at a frame interval, or the fastest inside a budget.

Each layer has a candidate for every legal PE, SIMD and style, with its cycles and its cost from
:mod:`quantunet.hls.resources.terms`. One boolean says which is taken; one for each pair of lane counts of a connection
says which width adapter stands there, and forks and FIFOs are paid for with the lanes of the stream that they carry.
OR-tools' CP-SAT finds the cheapest choice and proves it. It works with one thread, a fixed seed and a limit in
deterministic time, so that the same network always gets the same folding.
"""

from __future__ import annotations

import bisect
import dataclasses
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model

from quantunet.constraints.board import RESOURCES
from quantunet.errors import FoldingError, WidthError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import (
    ADAPTER_PRICE,
    Item,
    estimate,
    layer_cost,
    plumbing_cost,
    width_adapter_cost,
)
from quantunet.hls.design import STYLES, Fold, Style
from quantunet.hls.folding import Folding, candidates, ideal_cycles
from quantunet.hls.network import Connection, FifoDepths, connections
from quantunet.hls.resources.terms import PRICES, Cost, area, prices_of
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.ir import Graph, Node

logger = logging.getLogger(__name__)

TIME_LIMIT = 20.0
"""Deterministic time, about seconds, that one search may take."""

ROUNDS = 6
"""FIFO depths follow from the folding and the folding from their area: each from the other, so many times at most."""

_EXCESS_GAP = 0.001
"""How near the least excess the closest choice must come: proving the rest takes most of the time, for a refusal."""

_PRICE_UNIT = 16
"""Prices are whole numbers of 1/16 LUT in the solver."""


@dataclass(frozen=True)
class Solution:
    """A folding with what it costs.

    Attributes:
        folding: The fold of every layer.
        interval: Cycles between adjacent frames: those of the slowest layer.
        items: Every module with its estimate.
        bound: Proven least area at the interval asked for, or proven least interval inside the budget; equal to what
            was found where the search was complete.
        found: The area, or the interval, that ``bound`` is about.
        excess: How much more of a resource than the budget this needs; empty where it fits.
    """

    folding: Folding
    interval: int
    items: tuple[Item, ...]
    bound: float
    found: float
    excess: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> Cost:
        """The sum over all modules."""
        return sum((item.cost for item in self.items), Cost())

    @property
    def adapters(self) -> int:
        """The number of width adapters."""
        return sum(item.module == "width_adapter" for item in self.items)

    @property
    def gap(self) -> float:
        """How much better, as a share, an unknown folding could be; 0 where this one is proven best."""
        return max(0.0, 1 - self.bound / self.found) if self.found else 0.0


def fold_for_interval(
    graph: Graph,
    interval: int,
    *,
    budget: Mapping[str, int] | None = None,
    styles: Sequence[Style] = STYLES,
    max_lanes: int | None = None,
    time_limit: float = TIME_LIMIT,
) -> Solution:
    """Choose the folding with the least area that keeps a frame interval.

    Args:
        graph: The network.
        interval: Cycles between frames that no layer may exceed.
        budget: What there is of each resource; those that it does not name are not limited. Where the network does not
            fit, the least total excess is sought, and the solution names it.
        styles: Styles that convolutions may have.
        max_lanes: Most lanes that any layer may have.
        time_limit: Deterministic time, about seconds, for each search.

    Raises:
        FoldingError: A layer needs more cycles than the interval in every fold.
    """
    search = _Search(graph, styles, max_lanes, budget or {}, time_limit)
    search.check_interval(interval)
    return _at_interval(search, interval)


def fold_for_budget(
    graph: Graph,
    budget: Mapping[str, int],
    *,
    styles: Sequence[Style] = STYLES,
    max_lanes: int | None = None,
    time_limit: float = TIME_LIMIT,
) -> Solution:
    """Choose the fastest folding inside a budget and, of those equally fast, the one with the least area.

    Args:
        graph: The network.
        budget: What there is of each resource; those that it does not name are not limited.
        styles: Styles that convolutions may have.
        max_lanes: Most lanes that any layer may have.
        time_limit: Deterministic time, about seconds, for each search.

    Raises:
        FoldingError: The network does not fit at any interval; says which resource is short and who needs most of it.
    """
    search = _Search(graph, styles, max_lanes, budget, time_limit)
    intervals = search.intervals()
    guess = len(intervals) // 2

    def choose(depths: FifoDepths) -> Solution:
        nonlocal guess
        found, proven = _fastest(search, intervals, depths, guess)
        if found is None:  # perhaps it fits with the FIFOs of the folding that comes closest
            found, proven = search.least_excess(intervals[-1], depths), intervals[0]
        solution = search.solution(found.folding, proven, 0.0)
        guess = bisect.bisect_left(intervals, solution.interval)
        return dataclasses.replace(solution, found=solution.interval)

    best = _with_its_own_fifos(search, intervals[-1], choose)
    if best.excess:
        best = _slower(search, best, intervals[-1])
    if best.excess:
        raise _too_small(graph, budget, best)
    return best


def _at_interval(search: _Search, interval: int) -> Solution:
    """Return the choice with the least area that keeps an interval, or where none fits that with the least excess."""

    def choose(depths: FifoDepths) -> Solution:
        found = search.least_area(interval, depths) or search.least_excess(interval, depths)
        return search.solution(found.folding, found.bound, found.value)

    return _with_its_own_fifos(search, interval, choose)


def _slower(search: _Search, closest: Solution, slowest: int) -> Solution:
    """Return a choice of half the rate, or of half of that again, that fits with its own FIFOs, or else the closest.

    The fastest choice fitted with the FIFOs of the one before, and no other was found that fits with its own. Where
    not even the slowest interval has a choice without any FIFO, none in between has one.
    """
    interval = closest.interval
    if interval < slowest and not search.has_room(slowest, {}):
        return min(closest, _at_interval(search, slowest), key=search.order)
    while closest.excess and interval < slowest:
        interval = min(2 * interval, slowest)
        found = _at_interval(search, interval)
        if not found.excess:
            return dataclasses.replace(found, bound=closest.bound, found=found.interval)
        closest = min(closest, found, key=search.order)
    return closest


def _with_its_own_fifos(search: _Search, interval: int, choose: Callable[[FifoDepths], Solution]) -> Solution:
    """Choose again and again, each time with the FIFOs of the choice before, while that helps; return the best choice.

    Where a choice exceeds the budget with its own FIFOs, the next one must have room for these and for those before.
    That a round comes no closer says nothing of the next one, unless at this interval, the slowest that is asked for,
    not even the shallowest FIFOs of all choices so far leave room.
    """
    depths = shallowest = search.first_depths()
    best = choose(depths)
    latest = best
    for _ in range(ROUNDS - 1):
        before, own = depths, search.scaled_depths(latest.folding)
        depths = {key: max(before.get(key, 0), own.get(key, 0)) for key in {**before, **own}} if latest.excess else own
        shallowest = {key: min(shallowest[key], own[key]) for key in shallowest if key in own}
        if depths == before:
            break
        latest = choose(depths)
        if search.order(latest) < search.order(best):
            best = latest
        elif not best.excess or not search.has_room(interval, shallowest):
            break
    return best


def _fastest(search: _Search, intervals: Sequence[int], depths: FifoDepths, guess: int) -> tuple[_Found | None, float]:
    """Return the choice with the shortest interval that fits, and the proven shortest interval.

    Args:
        search: The candidates.
        intervals: What the answer can be, shortest first.
        depths: FIFO depths, in channels.
        guess: Where in ``intervals`` to begin; the next try stands beside an answer that the guess has hit.
    """
    low, high = 0, len(intervals)  # the answer lies in low..high; the upper end means that there is none
    best: _Found | None = None
    proven = 0
    middle = guess
    while low < high:
        found = search.least_area(intervals[middle], depths, first=True)
        if found is None:
            low = middle + 1
            proven = proven if search.gave_up else low
            middle = (low + high) // 2
        else:
            best, high = found, bisect.bisect_left(intervals, search.slowest(found.folding))
            middle = high - 1 if high == guess else (low + high) // 2
    if best is None:
        return None, intervals[-1]
    return search.least_area(intervals[high], depths) or best, intervals[min(proven, high)]


def _too_small(graph: Graph, budget: Mapping[str, int], closest: Solution) -> FoldingError:
    """Return the error of a budget that no folding fits."""
    resource = max(closest.excess, key=lambda name: closest.excess[name] / max(budget[name], 1))
    most = max(closest.items, key=lambda item: int(getattr(item.cost, resource)))
    needs = ", ".join(f"{getattr(closest.total, name)} {name.upper()} of {budget[name]}" for name in closest.excess)
    return FoldingError(
        graph.name,
        expected="a budget in which the network fits at some frame interval",
        got=f"one that is too small: the folding that comes closest needs {needs}",
        hint=f"{most.name} ({most.module}) needs {getattr(most.cost, resource)} {resource.upper()}, the most of all. "
        "Take a larger device, a smaller image, or narrower weights.",
    )


@dataclass(frozen=True)
class _Found:
    folding: Folding
    bound: float
    value: float


@dataclass(frozen=True)
class _Candidate:
    fold: Fold
    cycles: int
    cost: Cost


@dataclass(frozen=True)
class _Edge:
    """A connection: ``source`` is a layer, whose output it is, or the first reader of the network's input."""

    source: str
    from_input: bool
    reader: str
    bits: int
    channels: int

    def lanes_before(self, fold: Fold) -> int:
        """Return the lanes of the stream where ``source`` has this fold."""
        return fold.lanes_in(self.channels) if self.from_input else fold.pe

    def lanes_behind(self, fold: Fold) -> int:
        """Return the lanes that ``reader`` reads where it has this fold."""
        return fold.lanes_in(self.channels)


class _Search:
    """The candidates of one network and the searches over them.

    Attributes:
        gave_up: Whether the last search was not complete.
    """

    def __init__(
        self,
        graph: Graph,
        styles: Sequence[Style],
        max_lanes: int | None,
        budget: Mapping[str, int],
        time_limit: float,
    ) -> None:
        self.graph = graph
        self.budget = {name: count for name, count in budget.items() if name in RESOURCES}
        self.time_limit = time_limit
        self.prices = prices_of(self.budget) if self.budget else dict(PRICES)
        self.gave_up = False
        self.candidates = {node.name: _candidates(graph, node, styles, max_lanes) for node in graph.nodes}
        self.streams = connections(graph)
        self.edges = _edges(self.streams)

    def intervals(self) -> list[int]:
        """Return every interval that a folding can have, shortest first."""
        least = max(min(c.cycles for c in found) for found in self.candidates.values())
        return sorted({c.cycles for found in self.candidates.values() for c in found if c.cycles >= least})

    def check_interval(self, interval: int) -> None:
        """Raise the error of an interval that no folding keeps; it names the slowest layer and the least interval."""
        fastest = {name: min(found, key=lambda c: c.cycles) for name, found in self.candidates.items()}
        name = max(fastest, key=lambda name: fastest[name].cycles)
        slowest = fastest[name]
        if slowest.cycles > interval:
            raise FoldingError(
                name,
                expected=f"a frame interval of at least {slowest.cycles} cycles",
                got=str(interval),
                hint=f"It is the slowest layer, unfolded as far as it can be (PE {slowest.fold.pe}, "
                f"SIMD {slowest.fold.simd}, {slowest.fold.style}). "
                "Allow that interval: fewer frames a second, or a faster clock.",
            )

    def slowest(self, folding: Folding) -> int:
        return frame_interval(self.graph, folding)

    def first_depths(self) -> FifoDepths:
        """Return the FIFO depths to begin with: those of the default folding."""
        return self.scaled_depths(default_folding(self.graph))

    def scaled_depths(self, folding: Folding) -> FifoDepths:
        """Return the depths of a folding's FIFOs in channels, to be divided by any number of lanes."""
        beats = fifo_depths(self.graph, folding)
        return {
            place: beats[place] * stream.fifo_lanes(self.graph, folding, place[0])
            for stream in self.streams
            for place in stream.readers
            if place in beats
        }

    def solution(self, folding: Folding, bound: float, found: float) -> Solution:
        """Return a folding with the estimate of what it really becomes."""
        items = estimate(self.graph, folding)
        total = sum((item.cost for item in items), Cost())
        excess = {
            name: getattr(total, name) - count for name, count in self.budget.items() if getattr(total, name) > count
        }
        return Solution(folding, self.slowest(folding), items, bound, found, excess)

    def order(self, solution: Solution) -> tuple[float, int, float]:
        """Return what makes one solution better than another: it fits, it is fast, it is small."""
        over = sum(self.prices[name] * count for name, count in solution.excess.items())
        size = area(solution.total, self.prices) + ADAPTER_PRICE * solution.adapters
        return over, solution.interval if self.budget else 0, size

    def least_area(self, interval: int, depths: FifoDepths, *, first: bool = False) -> _Found | None:
        """Return the choice with the least area, or the first one found; ``None`` if none fits."""
        return self._run(interval, depths, first=first, soft=False)

    def has_room(self, interval: int, depths: FifoDepths) -> bool:
        """Return whether there is a choice inside the budget, or it is not proven that there is none."""
        return self.least_area(interval, depths, first=True) is not None or self.gave_up

    def least_excess(self, interval: int, depths: FifoDepths) -> _Found:
        """Return the choice that exceeds the budget least."""
        found = self._run(interval, depths, first=False, soft=True)
        assert found is not None
        return found

    def _run(self, interval: int, depths: FifoDepths, *, first: bool, soft: bool) -> _Found | None:
        model = _Model(self, interval, depths)
        used = model.used()
        price = {name: round(_PRICE_UNIT * self.prices[name]) for name in RESOURCES}
        total = sum(price[name] * used[name] for name in RESOURCES)
        total += round(_PRICE_UNIT * ADAPTER_PRICE) * model.adapters()
        if soft:
            over = []
            for name, count in self.budget.items():
                excess = model.cp.new_int_var(0, sum(amount for amount, _ in model.terms[name]), f"excess_{name}")
                model.cp.add(excess >= used[name] - count)
                over.append(price[name] * excess)
            total = 1000 * sum(over) + total
        else:
            for name, count in self.budget.items():
                model.cp.add(used[name] <= count)
        if not first:
            model.cp.minimize(total)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.max_deterministic_time = self.time_limit
        if soft:
            solver.parameters.relative_gap_limit = _EXCESS_GAP
        status = solver.status_name(_solved(solver, model.cp))
        self.gave_up = status == "UNKNOWN"
        logger.info("interval %d: %s, %.2f s, %d candidates", interval, status, solver.wall_time, model.size)
        if status not in ("OPTIMAL", "FEASIBLE"):
            return None
        folding = Folding(self.graph, model.chosen(solver))
        if first:
            return _Found(folding, 0.0, 0.0)
        return _Found(folding, solver.best_objective_bound / _PRICE_UNIT, solver.objective_value / _PRICE_UNIT)


def _solved(solver: cp_model.CpSolver, model: cp_model.CpModel) -> Any:
    """Solve in a thread, so that a signal stops the search: the solver would take Ctrl-C for a wish to be content."""
    solver.parameters.catch_sigint_signal = False
    with ThreadPoolExecutor(1) as pool:
        status = pool.submit(solver.solve, model)
        try:
            return status.result()
        except BaseException:
            while not status.done():  # it may not have begun
                solver.stop_search()
                time.sleep(0.05)
            raise


def _candidates(graph: Graph, node: Node, styles: Sequence[Style], max_lanes: int | None) -> list[_Candidate]:
    found: list[_Candidate] = []
    refused: WidthError | None = None
    for fold in candidates(graph, node, styles):
        if max_lanes is not None and max(fold.pe, fold.simd) > max_lanes and fold.style != "constant":
            continue
        try:
            found.append(_Candidate(fold, ideal_cycles(graph, node, fold), layer_cost(graph, node, fold)))
        except WidthError as error:
            refused = refused or error  # of the narrowest fold: it says what no fold can have
    if not found:
        if refused is not None:
            raise refused
        raise FoldingError(
            node.name,
            expected=f"a fold of one of the styles {', '.join(styles)}",
            got="none",
            hint="Allow more styles.",
        )
    return found


def _edges(streams: Iterable[Connection]) -> list[_Edge]:
    """Return every place where a width adapter may stand: the reader that gives a stream its lanes needs none."""
    edges = []
    for stream in streams:
        source, by_input = stream.lanes_of
        for reader, _ in stream.readers:
            if not (by_input and reader == source):
                edges.append(_Edge(source, by_input, reader, stream.tensor.qtype.bits, stream.tensor.shape[2]))
    return edges


class _Model:
    """The constraint model of one search."""

    def __init__(self, search: _Search, interval: int, depths: FifoDepths) -> None:
        self.search = search
        self.cp = cp_model.CpModel()
        self.terms: dict[str, list[tuple[int, cp_model.IntVar]]] = {name: [] for name in RESOURCES}
        self.folds: dict[str, list[tuple[Fold, cp_model.IntVar]]] = {}
        self.differing: list[cp_model.IntVar] = []
        graph = search.graph
        left: dict[str, list[_Candidate]] = {}
        for node in graph.nodes:
            fitting = [c for c in search.candidates[node.name] if c.cycles <= interval]
            left[node.name] = [
                dataclasses.replace(c, cost=c.cost + self._stream(node, c.fold, depths)) for c in fitting
            ]
        lanes = {
            edge: (
                {edge.lanes_before(c.fold) for c in left[edge.source]},
                {edge.lanes_behind(c.fold) for c in left[edge.reader]},
            )
            for edge in search.edges
        }
        self.size = 0
        for node in graph.nodes:
            kept = self._undominated(node.name, left[node.name], lanes)
            booleans = [self.cp.new_bool_var(f"{node.name}:{c.fold.pe}x{c.fold.simd}:{c.fold.style}") for c in kept]
            self.cp.add_exactly_one(booleans)
            self.folds[node.name] = [(c.fold, boolean) for c, boolean in zip(kept, booleans, strict=True)]
            self.size += len(kept)
            for candidate, boolean in zip(kept, booleans, strict=True):
                self._charge(candidate.cost, boolean)
        for edge in search.edges:
            self._adapters(edge)

    def _stream(self, node: Node, fold: Fold, depths: FifoDepths) -> Cost:
        """Return what the fork and the FIFOs behind a layer, and a fork before it, take with its lanes."""
        cost = Cost()
        for stream in self.search.streams:
            layer, by_input = stream.lanes_of
            if layer != node.name:
                continue
            tensor = stream.tensor
            lanes = fold.lanes_in(tensor.shape[2]) if by_input else fold.pe
            bits = lanes * tensor.qtype.bits
            if stream.branches > 1:
                cost += plumbing_cost("fork", Bits=bits, Outputs=stream.branches)
            for reader in stream.readers:
                channels = depths.get(reader, 0)
                if channels:
                    depth, beats = max(2, math.ceil(channels / lanes)), math.prod(tensor.shape) // lanes
                    cost += plumbing_cost("fifo", Bits=bits, Depth=depth, FrameBeats=beats)
        return cost

    def _undominated(
        self, name: str, found: Sequence[_Candidate], lanes: Mapping[_Edge, tuple[set[int], set[int]]]
    ) -> list[_Candidate]:
        """Drop what another candidate beats even with the costliest width adapters around it."""
        worst = [self._costliest_adapters(name, c.fold, lanes) for c in found]
        kept = []
        for i, one in enumerate(found):
            beaten = any(
                _no_more(other.cost + (Cost() if _same_lanes(one, other) else worst[j]), one.cost)
                and (other.cost != one.cost or j < i)
                for j, other in enumerate(found)
                if j != i
            )
            if not beaten:
                kept.append(one)
        return kept

    def _costliest_adapters(self, name: str, fold: Fold, lanes: Mapping[_Edge, tuple[set[int], set[int]]]) -> Cost:
        total, dislike = Cost(), Cost(lut=math.ceil(ADAPTER_PRICE))
        for edge in self.search.edges:
            if edge.reader == name:
                mine = edge.lanes_behind(fold)
                total += dislike + _largest(width_adapter_cost(n, mine, edge.bits) for n in lanes[edge][0])
            if edge.source == name:
                mine = edge.lanes_before(fold)
                total += dislike + _largest(width_adapter_cost(mine, n, edge.bits) for n in lanes[edge][1])
        return total

    def _charge(self, cost: Cost, boolean: cp_model.IntVar) -> None:
        for name in RESOURCES:
            amount = getattr(cost, name)
            if amount:
                self.terms[name].append((amount, boolean))

    def _adapters(self, edge: _Edge) -> None:
        """Tie the lanes of both ends of a connection to one boolean for each pair."""
        sources: dict[int, list[cp_model.IntVar]] = {}
        for fold, boolean in self.folds[edge.source]:
            sources.setdefault(edge.lanes_before(fold), []).append(boolean)
        readers: dict[int, list[cp_model.IntVar]] = {}
        for fold, boolean in self.folds[edge.reader]:
            readers.setdefault(edge.lanes_behind(fold), []).append(boolean)
        pairs = {(a, b): self.cp.new_bool_var(f"{edge.source}>{edge.reader}:{a}>{b}") for a in sources for b in readers}
        for a, booleans in sources.items():
            self.cp.add(sum(pairs[a, b] for b in readers) == sum(booleans))
        for b, booleans in readers.items():
            self.cp.add(sum(pairs[a, b] for a in sources) == sum(booleans))
        for (a, b), boolean in pairs.items():
            self._charge(width_adapter_cost(a, b, edge.bits), boolean)
            if a != b:
                self.differing.append(boolean)

    def adapters(self) -> cp_model.LinearExprT:
        """Return the number of width adapters."""
        return cp_model.LinearExpr.sum(self.differing)

    def used(self) -> dict[str, cp_model.LinearExprT]:
        """Return what is used of each resource."""
        return {
            name: cp_model.LinearExpr.weighted_sum([boolean for _, boolean in terms], [amount for amount, _ in terms])
            for name, terms in self.terms.items()
        }

    def chosen(self, solver: cp_model.CpSolver) -> dict[str, Fold]:
        """Return the fold of every layer in the solver's answer."""
        return {
            name: next(fold for fold, boolean in folds if solver.value(boolean)) for name, folds in self.folds.items()
        }


def _same_lanes(one: _Candidate, other: _Candidate) -> bool:
    return (one.fold.pe, one.fold.simd) == (other.fold.pe, other.fold.simd)


def _no_more(cost: Cost, than: Cost) -> bool:
    return all(getattr(cost, name) <= getattr(than, name) for name in RESOURCES)


def _largest(costs: Iterable[Cost]) -> Cost:
    found = list(costs)
    return Cost(*(max((getattr(cost, name) for cost in found), default=0) for name in RESOURCES))
