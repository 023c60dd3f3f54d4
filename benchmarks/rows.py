"""What a benchmark is, what it is given, and what it returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.timing import Timing


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        subject: What was measured: a network, a layer, a tool.
        measure: Which property of it, in words.
        value: The figure; of repeated timings the least.
        unit: Its unit, as in ``s`` or ``LUTeq·cycles/MAC``.
        median: Of repeated timings.
        most: Of repeated timings.
        repeats: How many there were.
        ratio: The figure over that of the same run that ``of`` names.
        of: In words, what the ratio is over.
        note: What a reader must know beside it.
        plot: The chart that shows the row; such a row is not in the table.
        series: The line of the chart.
        size: Where on the chart's horizontal axis.
    """

    subject: str
    measure: str
    value: float
    unit: str
    median: float | None = None
    most: float | None = None
    repeats: int = 1
    ratio: float | None = None
    of: str = ""
    note: str = ""
    plot: str = ""
    series: str = ""
    size: float = 0.0

    @classmethod
    def timed(cls, subject: str, measure: str, timing: Timing, **others: Any) -> Row:
        """Return the row of a repeated timing, in seconds."""
        spread = {"median": timing.median, "most": timing.most, "repeats": timing.repeats}
        return cls(subject, measure, timing.least, "s", **{**spread, **others})

    def over(self, other: Row, of: str) -> Row:
        """Return the row with its ratio over another one of the same run and unit."""
        return dataclasses.replace(self, ratio=self.value / other.value, of=of)


@dataclass(frozen=True)
class Context:
    """What a benchmark is given.

    Attributes:
        network: A name that :func:`quantunet.zoo.load_network` knows; empty for what measures no network.
        folder: For its files; what is in there from an earlier run may be reused.
        say: Tells the terminal what is going on.
    """

    network: str
    folder: Path
    say: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Part:
    """A benchmark.

    Attributes:
        name: As on the command line.
        title: Headline of its table.
        measure: Runs it.
        each_network: Whether it runs once for each network.
    """

    name: str
    title: str
    measure: Callable[[Context], list[Row]]
    each_network: bool = False
