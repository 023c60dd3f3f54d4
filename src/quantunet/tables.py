"""Tables that fit the terminal: a table that is too wide is printed as several, one below the other.

No figure is cut or broken. Texts are wrapped between words; where that is not enough, the columns are spread over
several tables, which all begin with the same columns. Only a word of more than a third of the terminal's width is
broken. In a file or a pipe a table is as wide as it is.
"""

from __future__ import annotations

import copy
import sys
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

_WIDE = 1000
"""Columns of what is no terminal."""


def output(**options: Any) -> Console:
    """Return the console of the standard output: as wide as the terminal, or as its tables where it is none.

    Args:
        **options: Of :class:`rich.console.Console`.
    """
    return Console(**options) if sys.stdout.isatty() else Console(width=_WIDE, **options)


def show(console: Console, table: Table, keys: int = 1) -> None:
    """Print a table; see :func:`fitted`."""
    for part in fitted(console, table, keys):
        console.print(part)


def fitted(console: Console, table: Table, keys: int = 1) -> list[Table]:
    """Return a table, or where it is wider than the console several with some of its columns each.

    Args:
        console: Where it goes.
        table: The table. Columns that are ``no_wrap`` keep their lines, others are broken between words.
        keys: How many columns, from the left, each of the tables begins with.
    """
    sizes = [_size(console, column) for column in table.columns]
    if _width(table, [most for _, most in sizes]) <= console.width:
        return [table]
    first = list(range(keys))
    parts, chosen = [], list(first)
    for index in range(keys, len(sizes)):
        if len(chosen) > keys and _width(table, [sizes[each][0] for each in (*chosen, index)]) > console.width:
            parts.append(chosen)
            chosen = list(first)
        chosen.append(index)
    parts.append(chosen)
    found = [_part(table, [(index, sizes[index]) for index in part], console.width) for part in parts]
    for later in found[1:]:
        later.title = None
    return found


def _size(console: Console, column: Column) -> tuple[int, int]:
    """Return the least and the greatest width of a column's content."""
    found = [Measurement.get(console, console.options.update(max_width=_WIDE), each) for each in _contents(column)]
    most = max((each.maximum for each in found), default=0)
    least = most if column.no_wrap else max((each.minimum for each in found), default=0)
    return min(least, console.width // 3), most


def _contents(column: Column) -> list[Any]:
    return [each for each in (column.header, *column.cells, column.footer) if each != ""]


def _width(table: Table, contents: list[int]) -> int:
    """Return the width of a table whose columns have contents of some widths."""
    _, right, _, left = table.padding
    between = max(left, right) if table.collapse_padding else left + right
    padding = between * len(contents) if table.pad_edge else between * (len(contents) - 1)
    lines = 0 if table.box is None else len(contents) - 1 + (2 if table.show_edge else 0)
    return sum(contents) + padding + lines


def _part(table: Table, columns: list[tuple[int, tuple[int, int]]], width: int) -> Table:
    """Return some columns of a table, as wide as there is room."""
    spare = width - _width(table, [least for _, (least, _) in columns])
    part = copy.copy(table)
    part.columns = []
    for place, (index, (least, most)) in enumerate(columns):
        column = copy.copy(table.columns[index])
        column._index = place
        column.width = least + max(0, min(spare, most - least))
        spare -= column.width - least
        if column.width < most:
            column.no_wrap, column.overflow = False, "fold"
        part.columns.append(column)
    return part
