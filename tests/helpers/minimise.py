"""Make a case that fails as small as it can be, as long as it fails in the same leg and in the same way.

What is tried is tried in order: fewer runs, fewer layers, fewer frames, fewer channels, fewer pixels, a simpler
folding, simpler geometry and constants. Whatever still fails is kept, and all is tried again until nothing helps or the
time is up. Each step is smaller than the one before, so that this ends.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from helpers import shrink_graph
from helpers.random_case import RUNS, Case, kinds, test_of
from helpers.random_hardware import Found

from quantunet.hls.design import Fold
from quantunet.hls.folding import candidates
from quantunet.ir import Graph, IntArray
from quantunet.storage import write_text

Run = Callable[[Case], Found]
Thing = TypeVar("Thing")


@dataclasses.dataclass(frozen=True)
class Minimised(Generic[Thing]):
    """The smallest thing that was found.

    Attributes:
        case: It.
        problem: What is wrong with it.
        tried: Things that were tried.
        kept: Those of them that failed in the same way.
    """

    case: Thing
    problem: str
    tried: int
    kept: int


def descend(
    case: Thing,
    smaller: Callable[[Thing], Iterator[Thing]],
    key: Callable[[Thing], Hashable],
    problem_of: Callable[[Thing], str],
    seconds: float = math.inf,
) -> Minimised[Thing]:
    """Return what is left of a thing that fails when nothing smaller fails any more.

    Args:
        case: What fails.
        smaller: Yields what is smaller than a thing.
        key: What tells things apart; each is tried once.
        problem_of: What is wrong with a thing; empty where it does not fail, or fails in another way.
        seconds: Begin no other try after so many.
    """
    until, problem, tried, kept, seen = time.monotonic() + seconds, problem_of(case), 1, 0, {key(case)}
    progress = True
    while progress:
        progress = False
        for other in smaller(case):
            if time.monotonic() >= until:
                return Minimised(case, problem, tried, kept)
            if key(other) in seen:
                continue
            seen.add(key(other))
            tried += 1
            found = problem_of(other)
            if found:
                case, problem, kept, progress = other, found, kept + 1, True
                break
    return Minimised(case, problem, tried, kept)


def minimise(case: Case, run: Run, seconds: float = math.inf) -> Minimised[Case] | None:
    """Return the smallest case that fails like a case; ``None`` where that one does not fail.

    Args:
        case: A case that fails.
        run: Takes a case through its leg.
        seconds: Begin no other try after so many.
    """
    wrong = kinds(run(case))
    if not wrong:
        return None

    def problem_of(other: Case) -> str:
        found = run(other)
        return found.problems[0] if kinds(found) & wrong else ""

    def smaller(given: Case) -> Iterator[Case]:
        return (other for other in _smaller(given) if size(other) < size(given))

    return descend(case, smaller, _key, problem_of, seconds)


def size(case: Case) -> tuple[int, ...]:
    """Return how large a case is: a case is smaller than another where the first number that differs is."""
    graph = case.graph
    constants = [
        value.array for node in graph.nodes for value in vars(node).values() if isinstance(value, IntArray)
    ]  # fmt: skip
    attributes = [
        sum(value) if isinstance(value, tuple) else int(value)
        for node in graph.nodes
        for value in vars(node).values()
        if (isinstance(value, tuple) and value and isinstance(value[0], int)) or isinstance(value, int)
    ]
    lanes = [fold.pe * fold.simd + 4 * (fold.style != "folded-lut") for fold in case.folding.values()]
    return (
        len(graph.nodes),
        sum(math.prod(tensor.shape) for tensor in graph.tensors) + sum(array.size for array in constants),
        len(case.only) + case.count,
        sum(lanes),
        sum(map(abs, attributes)),
        sum(int(np.count_nonzero(array)) for array in constants) + int(np.count_nonzero(case.image)),
        sum(int(np.abs(array).sum()) for array in constants) + int(np.abs(case.image).sum()),
    )


def _key(case: Case) -> tuple[object, ...]:
    return (case.graph, case.image.tobytes(), tuple(case.folding.items()), case.count, case.only)


def _smaller(case: Case) -> Iterator[Case]:
    if len(case.only) > 1:
        for run in RUNS:
            yield dataclasses.replace(case, only=(run,))
    yield from _with_graphs(case, shrink_graph.shorter)
    for count in (1, 2, 3):
        yield dataclasses.replace(case, count=count)
    yield from _with_graphs(case, shrink_graph.narrower)
    yield from _with_graphs(case, shrink_graph.fewer_pixels)
    yield from _simpler_foldings(case)
    yield from _with_graphs(case, shrink_graph.simpler)


def _with_graphs(
    case: Case, shrink: Callable[[Graph, shrink_graph.Image], Iterator[shrink_graph.Smaller]]
) -> Iterator[Case]:
    for graph, image in shrink(case.graph, case.image):
        folding = {node.name: _near(graph, node.name, case.folding.get(node.name, Fold(1, 1))) for node in graph.nodes}
        yield dataclasses.replace(case, graph=graph, image=image, folding=folding)


def _near(graph: Graph, name: str, fold: Fold) -> Fold:
    """Return the fold of a layer, or where it has become impossible the one that is most like it."""
    folds = candidates(graph, graph.node(name))

    def distance(other: Fold) -> tuple[bool, int]:
        return other.style != fold.style, abs(other.pe - fold.pe) + abs(other.simd - fold.simd)

    return min(folds, key=distance)


def _simpler_foldings(case: Case) -> Iterator[Case]:
    least = {name: Fold(1, 1) for name in case.folding}
    yield dataclasses.replace(case, folding=least)
    for name in case.folding:
        yield dataclasses.replace(case, folding={**case.folding, name: Fold(1, 1)})
        one = dataclasses.replace(case.folding[name], style="folded-lut")
        yield dataclasses.replace(case, folding={**case.folding, name: one})


def write_test(folder: Path, found: Minimised[Case], seed: int) -> Path:
    """Write a case as a test, ``folder/test_seed_<seed>_<leg>.py``, and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"seed_{seed}_{found.case.leg}"
    path = folder / f"test_{name}.py"
    write_text(path, test_of(found.case, found.problem, name))
    return path
