"""What a page is made of: plain values that say what is shown; the templates say how.

Every text may come from a stranger's file. Nothing here is HTML: the templates escape all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

Mark: TypeAlias = Literal["", "good", "bad", "warn"]
"""How a text is meant; it is always said in words too."""

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """A text, or a number with its text.

    Attributes:
        text: What is read.
        value: The number as the report has it; ``None`` for a text.
        mark: How it is meant.
        link: A file beside the page that it leads to; empty for none.
        code: Whether it is spelled for a machine: a digest, a path, a signal.
    """

    text: str
    value: int | float | None = None
    mark: Mark = ""
    link: str = ""
    code: bool = False


def number(value: int | float | None, digits: int | None = None, unit: str = "", mark: Mark = "") -> Cell:
    """Return a number as a cell; a dash where there is none.

    Args:
        value: The number of the report.
        digits: Digits behind the point that are shown; those of the number itself if left out.
        unit: Behind it.
        mark: How it is meant.

    >>> number(1234567).text, number(0.12345, 3).text, number(None).text, number(12.5, unit="%").text
    ('1,234,567', '0.123', '–', '12.5 %')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Cell(NOTHING, mark=mark)
    text = f"{value:,}" if digits is None else f"{value:,.{digits}f}"
    return Cell(f"{text} {unit}" if unit else text, value, mark)


def percent(share: float | None, digits: int = 1, unit: str = "%") -> Cell:
    """Return a share of 1 in percent; the number behind it stays the share.

    >>> percent(0.125), percent(None).text
    (Cell(text='12.5 %', value=0.125, mark='', link='', code=False), '–')
    """
    return number(None) if share is None else Cell(f"{100 * share:.{digits}f} {unit}", share)


def text(value: object, mark: Mark = "", *, code: bool = False) -> Cell:
    """Return a text as a cell; a dash for ``None`` and for an empty one."""
    return Cell(NOTHING if value is None or value == "" else str(value), mark=mark, code=code)


@dataclass(frozen=True)
class Note:
    """A paragraph.

    Attributes:
        text: It.
        mark: How it is meant.
    """

    text: str
    mark: Mark = ""
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Facts:
    """Figures that are seen first, or names with what they stand for.

    Attributes:
        rows: Name and value of each.
        large: Whether they are set as large figures side by side.
    """

    rows: Sequence[tuple[str, Cell]]
    large: bool = False
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: What it is a table of.
        head: A title for each column.
        rows: A cell for each column.
        names: How many columns from the left hold texts; the others hold numbers.
        folded: Whether only its caption is seen before somebody opens it.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    names: int = 1
    folded: bool = False
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Bar:
    """A number with a bar.

    Attributes:
        cell: The number.
        length: As a share of the whole column, 0 to 1.
        start: Where it begins, likewise.
        mark: How it is meant.
    """

    cell: Cell
    length: float
    start: float = 0.0
    mark: Mark = ""

    @property
    def percent(self) -> tuple[str, str]:
        """Start and length for a style sheet."""
        start = min(max(self.start, 0.0), 1.0)
        return f"{100 * start:.2f}", f"{100 * min(max(self.length, 0.0), 1 - start):.2f}"


@dataclass(frozen=True)
class Bars:
    """A bar chart that is a table: a row for each name, a column for each series.

    Attributes:
        caption: What it shows, with the unit.
        head: A title for the names and for each series.
        rows: A name, and a bar for each series.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Bar]]]
    kind: ClassVar[str] = "bars"


def bars(
    caption: str, head: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]], *, common: bool = False
) -> Bars:
    """Return a bar chart whose longest bars are as wide as their column.

    Args:
        caption: What it shows, with the unit.
        head: A title for the names and for each series.
        rows: A name, and a number for each series.
        common: Whether one scale is that of all series.
    """
    columns = zip(*(cells for _, cells in rows), strict=True)
    tops = [max((cell.value or 0 for cell in column), default=0) for column in columns]
    if common:
        tops = [max(tops, default=0)] * len(tops)
    filled = [(name, [_bar(cell, top) for cell, top in zip(cells, tops, strict=True)]) for name, cells in rows]
    return Bars(caption, head, filled)


def _bar(cell: Cell, top: float) -> Bar:
    return Bar(cell, (cell.value or 0) / top if top else 0.0, mark=cell.mark)


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        title: Above it.
        png: The file.
        width: In pixels of the file.
        height: Likewise.
        alt: What it shows, for who does not see it.
        notes: Below it.
    """

    title: str
    png: bytes
    width: int
    height: int
    alt: str
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, as many as there is room for.

    Attributes:
        items: The pictures.
    """

    items: Sequence[Picture]
    kind: ClassVar[str] = "pictures"

    @property
    def wide(self) -> bool:
        """Whether they need more room beside each other than square ones."""
        return any(one.width > 1.4 * one.height for one in self.items)


@dataclass(frozen=True)
class Legend:
    """Which colour in the pictures stands for what.

    Attributes:
        rows: Red, green and blue, 0 to 255, and what they stand for.
    """

    rows: Sequence[tuple[tuple[int, int, int], str]]
    kind: ClassVar[str] = "legend"


@dataclass(frozen=True)
class Histogram:
    """How often each code, or each range of codes, occurs.

    Attributes:
        title: Whose codes they are.
        first: What the leftmost column stands for.
        last: What the rightmost stands for.
        counts: How often, from left to right.
        notes: What is to be seen in it; the first is read out instead of it.
    """

    title: str
    first: str
    last: str
    counts: Sequence[int]
    notes: Sequence[Cell]

    @property
    def path(self) -> str:
        """The columns as an SVG path in a box of one unit a column and 24 high, by the root of the share."""
        most = max(self.counts, default=0)
        heights = [0 if not count else max(1, round(22 * math.sqrt(count / most))) for count in self.counts]
        return "".join(f"M{at} 24v-{high}h1v{high}z" for at, high in enumerate(heights) if high)

    @property
    def empty_path(self) -> str:
        """A mark below each column that nothing is in."""
        return "".join(f"M{at} 25h1v2h-1z" for at, count in enumerate(self.counts) if not count)


@dataclass(frozen=True)
class Histograms:
    """Histograms side by side.

    Attributes:
        caption: What they show.
        items: The histograms.
        folded: Whether only the caption is seen before somebody opens it.
    """

    caption: str
    items: Sequence[Histogram]
    folded: bool = False
    kind: ClassVar[str] = "histograms"


@dataclass(frozen=True)
class Lines:
    """A line chart over steps of equal distance.

    Attributes:
        caption: What it shows.
        x: What a step is.
        series: A name and a number for each step; ``None`` where there is none.
        digits: Digits behind the point.
        breaks: Steps before which a new phase begins, with its name.
    """

    caption: str
    x: str
    series: Sequence[tuple[str, Sequence[float | None]]]
    digits: int = 3
    breaks: Sequence[tuple[int, str]] = ()
    kind: ClassVar[str] = "lines"

    @property
    def known(self) -> list[float]:
        """All numbers."""
        return [value for _, values in self.series for value in values if value is not None and math.isfinite(value)]

    @property
    def low(self) -> float:
        """The least of all numbers."""
        return min(self.known, default=0.0)

    @property
    def high(self) -> float:
        """The greatest of all numbers."""
        return max(self.known, default=0.0)

    @property
    def steps(self) -> int:
        """Steps of the longest series."""
        return max((len(values) for _, values in self.series), default=0)

    def across(self, step: int) -> str:
        """Return where a step stands in a box of 100 by 100; the first is 0."""
        return f"{100 * step / max(self.steps - 1, 1):.2f}"

    def path(self, values: Sequence[float | None]) -> str:
        """Return a series as an SVG path in a box of 100 by 100."""
        span, out, pen = (self.high - self.low) or 1.0, [], "M"
        for step, value in enumerate(values):
            if value is None or not math.isfinite(value):
                pen = "M"
                continue
            out.append(f"{pen}{self.across(step)} {100 - 100 * (value - self.low) / span:.2f}")
            if pen == "M" and (step + 1 == len(values) or values[step + 1] is None):
                out.append("h0.01")  # a lone point is seen too
            pen = "L"
        return "".join(out)

    def said(self, values: Sequence[float | None]) -> str:
        """Return what a series begins and ends with, and its greatest and least, in words."""
        known = [value for value in values if value is not None and math.isfinite(value)]
        if not known:
            return "nothing"
        first, last, low, high = (f"{value:.{self.digits}f}" for value in (known[0], known[-1], min(known), max(known)))
        return f"from {first} to {last}, at least {low} and at most {high}"


@dataclass(frozen=True)
class Lane:
    """A signal of a waveform, a text for each cycle.

    Attributes:
        name: The signal.
        bits: Its width.
        values: For each cycle, its value in hexadecimal; ``x`` where it is unknown.
    """

    name: str
    bits: int
    values: Sequence[str]


@dataclass(frozen=True)
class Wave:
    """Some cycles of signals.

    Attributes:
        caption: What it shows.
        first: The first cycle.
        marked: The cycle that it is about; ``None`` for none.
        lanes: The signals, each with as many cycles.
    """

    caption: str
    first: int
    marked: int | None
    lanes: Sequence[Lane]
    kind: ClassVar[str] = "wave"

    @property
    def cycles(self) -> int:
        """How many cycles are shown."""
        return len(self.lanes[0].values) if self.lanes else 0

    def runs(self, lane: Lane) -> list[tuple[int, int, str]]:
        """Return start, length and value of each run of equal values."""
        found: list[tuple[int, int, str]] = []
        for at, value in enumerate(lane.values):
            if found and found[-1][2] == value:
                start, length, _ = found[-1]
                found[-1] = (start, length + 1, value)
            else:
                found.append((at, 1, value))
        return found


Block: TypeAlias = Note | Facts | Table | Bars | Pictures | Legend | Histograms | Lines | Wave


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it.

    Attributes:
        title: The heading.
        blocks: What stands below; a section without any is left out.
    """

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        command: The command that it is of.
        title: What it is about.
        verdict: One word, or a few.
        mark: Whether it is a good one.
        lead: One or two sentences: what was found.
        sections: What follows.
        back: A file that leads to other pages; empty for none.
    """

    command: str
    title: str
    verdict: str
    mark: Mark
    lead: str
    sections: Sequence[Section]
    back: str = ""

    @property
    def shown(self) -> list[tuple[str, Section]]:
        """The sections that hold something, each with a name for links."""
        return [(f"s{at}", section) for at, section in enumerate(self.sections) if section.blocks]
