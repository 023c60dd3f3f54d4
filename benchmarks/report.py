"""Results as tables: on the terminal, and as Markdown for the read-me."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.rows import Row
from benchmarks.store import Outcome

_COLUMNS = ("subject", "measure", "figure", "least to most", "ratio", "remarks")


def figure(value: float, unit: str) -> str:
    """Return a figure with three significant digits and its unit; seconds in the size that reads best.

    >>> figure(0.1464, "s"), figure(75.2, "s"), figure(43.26, "LUTeq·cycles/MAC"), figure(39018, "LUTeq")
    ('146 ms', '75.2 s', '43.3 LUTeq·cycles/MAC', '39,018 LUTeq')
    """
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as text, in the order of the table's columns."""
    spread = (
        "" if row.most is None else f"{figure(row.value, row.unit)} to {figure(row.most, row.unit)}, {row.repeats} ×"
    )
    ratio = "" if row.ratio is None else f"{figure(row.ratio, '×').replace(' ×', ' ×')} {row.of}"
    return row.subject, row.measure, figure(row.value, row.unit), spread, ratio, row.note


def tabled(outcomes: Iterable[Outcome]) -> list[tuple[str, list[Row], list[Outcome]]]:
    """Return for each headline its rows, without those that only a chart shows, and the benchmarks that failed."""
    tables = []
    for title, group in groupby(outcomes, key=lambda outcome: outcome.title):
        found = list(group)
        rows = [row for outcome in found for row in outcome.rows if not row.plot]
        tables.append((title, rows, [outcome for outcome in found if outcome.failure]))
    return tables


def markdown(machine: Machine, outcomes: Sequence[Outcome], charts: Sequence[str], when: str) -> str:
    """Return the results as Markdown, one table for each headline, the charts under them."""
    lines = [f"Measured {when} at commit {machine.commit}: {machine.line()}.", ""]
    for title, rows, failed in tabled(outcomes):
        if rows:
            lines += [f"### {title}", "", _line(_COLUMNS), _line("---" for _ in _COLUMNS)]
            lines += [_line(cells(row)) for row in rows] + [""]
        lines += [f"{outcome.part} {outcome.network} failed: {outcome.failure}\n" for outcome in failed]
    return "\n".join([*lines, *(f"![{name}]({name})" for name in charts)]) + "\n"


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"


def terminal(outcomes: Sequence[Outcome]) -> list[Table]:
    """Return the results as tables for a terminal."""
    tables = []
    for title, rows, _ in tabled(outcomes):
        if rows:
            table = Table(title=title, title_justify="left")
            for column in _COLUMNS:
                table.add_column(column)
            for row in rows:
                table.add_row(*cells(row))
            tables.append(table)
    return tables
