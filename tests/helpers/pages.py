"""What a page says, read back from its HTML: tables, numbers, pictures, and whether every tag is closed."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_VOID = {"meta", "link", "img", "wbr", "br"}


@dataclass
class Cell:
    """A cell of a table, or a value of a list: its text, and the number behind it."""

    text: str = ""
    value: float | None = None


@dataclass
class ReadPage(HTMLParser):
    """A page that was read.

    Attributes:
        tables: By caption, the rows without the head, by their first cell.
        heads: By caption, the titles of the columns.
        facts: Name and value of each entry of a list of figures.
        numbers: Every number that stands behind a text.
        pictures: Alternative text and bytes of each picture.
        tags: Every tag, with its attributes.
        words: All text of the body.
    """

    tables: dict[str, dict[str, list[Cell]]] = field(default_factory=dict)
    heads: dict[str, list[str]] = field(default_factory=dict)
    facts: list[tuple[str, Cell]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._caption = ""
        self._row: list[Cell] = []
        self._cell = Cell()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "img":
            source = found["src"] or ""
            assert source.startswith("data:image/png;base64,")
            self.pictures.append((found["alt"] or "", base64.b64decode(source.partition(",")[2], validate=True)))
        if tag not in _VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self._open.append(tag)
        if tag in ("td", "th", "dt", "dd", "caption"):
            self._cell = Cell()
        elif tag == "tr":
            self._row = []
        elif tag == "data":
            self._cell.value = float(found["value"] or "")
            self.numbers.append(self._cell.value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()
        self._cell.text = " ".join(self._cell.text.split())
        if tag == "caption":
            self._caption = self._cell.text
            assert self._caption and self._caption not in self.tables, f"two tables {self._caption!r}"
            self.tables[self._caption] = {}
        elif tag in ("td", "th"):
            self._row.append(self._cell)
            self._cell = Cell()
        elif tag == "tr" and "thead" in self._open:
            self.heads[self._caption] = [cell.text for cell in self._row]
        elif tag == "tr":
            self.tables[self._caption][self._row[0].text] = self._row
        elif tag == "dt":
            self.facts.append((self._cell.text, Cell()))
        elif tag == "dd":
            self.facts[-1] = (self.facts[-1][0], self._cell)

    def handle_data(self, data: str) -> None:
        self._cell.text += data
        if "style" not in self._open:
            self.words += data

    def column(self, caption: str, title: str) -> dict[str, Cell]:
        """Return a column of the table whose caption begins so, by the names of its rows."""
        (found,) = [name for name in self.tables if name.startswith(caption)]
        at = self.heads[found].index(title)
        return {name: row[at] for name, row in self.tables[found].items()}

    def values(self, caption: str, title: str) -> dict[str, float | None]:
        """Return the numbers of a column, by the names of its rows."""
        return {name: cell.value for name, cell in self.column(caption, title).items()}

    def fact(self, name: str) -> Cell:
        """Return a figure by its name."""
        return next(cell for key, cell in self.facts if key == name)


def read_page(path: Path | str) -> ReadPage:
    """Read a page, a file or its text; every tag must be closed, and nothing may lead out of the file.

    Raises:
        AssertionError: It is no such page.
    """
    text = path if isinstance(path, str) else path.read_text(encoding="utf-8")
    assert text.lstrip().startswith("<!DOCTYPE html>")
    page = ReadPage()
    page.feed(text)
    page.close()
    assert page._open == []
    for tag, attributes in page.tags:
        assert tag not in ("script", "iframe", "object", "embed", "form", "base"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} {name}"
            if name in ("src", "href"):
                assert "//" not in str(value).partition(",")[0], f"{tag} {name}={value}"
    return page


def leaves(value: Any) -> Iterator[float]:
    """Yield every number in a JSON value."""
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from leaves(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from leaves(entry)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def foreign_numbers(page: ReadPage, report: Any, computed: Iterable[float] = ()) -> list[float]:
    """Return the numbers of a page that its report does not hold, but for sums that the caller computes too."""
    assert len(page.numbers) > 10
    known = {*leaves(report), *computed}
    return sorted(set(page.numbers) - known)
