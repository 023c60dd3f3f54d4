"""Repeated timings, taken in turns, so that what disturbs the machine disturbs all alike."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_BLOCK = 0.3
"""Seconds that one calculation runs in a row, if it is shorter than that."""

_PAUSE = 0.05
"""Seconds between two calculations: the threads of one library stop waiting actively before the other begins."""


@dataclass(frozen=True)
class Timing:
    """Wall times of one calculation, in seconds.

    Attributes:
        seconds: One for each repetition.
    """

    seconds: tuple[float, ...]

    @property
    def least(self) -> float:
        """The shortest: the one that was disturbed least."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def most(self) -> float:
        """The longest."""
        return max(self.seconds)

    @property
    def repeats(self) -> int:
        """How many there are."""
        return len(self.seconds)


def once(work: Callable[[], object]) -> float:
    """Return the seconds that a calculation takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def once_processor(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a calculation takes, and those of processor time, of its ended child processes too."""
    before = os.times()
    seconds = once(work)
    after = os.times()
    return seconds, sum(after[:4]) - sum(before[:4])


def in_turns(works: Mapping[str, Callable[[], object]], *, rounds: int = 5) -> dict[str, Timing]:
    """Time calculations in turns, each after one run that warms it up.

    Args:
        works: The calculations by name.
        rounds: Turns of each; in a turn a short calculation runs several times.
    """
    blocks = {name: max(1, min(int(_BLOCK / max(once(work), once(work), 1e-6)), 100)) for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            time.sleep(_PAUSE)
            seconds[name] += [once(work) for _ in range(blocks[name])]
    return {name: Timing(tuple(values)) for name, values in seconds.items()}
