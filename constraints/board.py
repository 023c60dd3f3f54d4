"""Boards: the device, clock, pins and resource budget of each, read from ``<board>/board.toml``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from quantunet.errors import BoardError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BOARDS_FOLDER = Path(__file__).parent
"""Where the folders of the boards stand."""

FAMILIES = ("ecp5", "nexus", "xc7")
"""Device families that can be synthesised for."""

RESOURCES = ("lut", "ff", "dsp", "bram")
"""Resources that a budget names, in the order of the reports."""


@dataclass(frozen=True)
class Resource:
    """How many of one primitive a device has.

    Attributes:
        count: The number on the device.
        primitive: The primitive that is counted; other sizes are converted to it.
        kbit: Capacity of one primitive in 1024 bits; 0 where it is no memory.
    """

    count: int
    primitive: str
    kbit: int = 0


@dataclass(frozen=True)
class Budget:
    """The resources of a device."""

    lut: Resource
    ff: Resource
    dsp: Resource
    bram: Resource


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: The folder's name.
        title: The board's name as its maker writes it.
        family: Device family, one of :data:`FAMILIES`.
        device: Device.
        package: Package.
        part: Ordering code: device, speed grade and package, as the maker's tools take it.
        clk_mhz: Frequency of the oscillator at the port ``clk``.
        constraints: The pin and clock file (``.lpf``, ``.pdc`` or ``.xdc``).
        budget: What the device has.
    """

    name: str
    title: str
    family: str
    device: str
    package: str
    part: str
    clk_mhz: float
    constraints: Path
    budget: Budget


def board_names(folder: Path = BOARDS_FOLDER) -> tuple[str, ...]:
    """Return the names of the boards in a folder, sorted."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/board.toml")))


def load_board(name: str, folder: Path = BOARDS_FOLDER) -> Board:
    """Read a board.

    Args:
        name: The board's folder, for example ``ulx3s_85f``.
        folder: Where the boards stand.

    Raises:
        BoardError: There is no such board, or its file lacks a value or holds a wrong one.
    """
    if name not in board_names(folder):
        raise BoardError(
            name,
            expected="the name of a board",
            got=f"'{name}'",
            hint=f"The boards are: {', '.join(board_names(folder))}.",
        )
    path = folder / name / "board.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(str(path), expected="a TOML file that can be read", got=str(error)) from error
    reader = _Reader(path, document)
    family = reader.text("family")
    if family not in FAMILIES:
        reader.fail("family", f"one of {', '.join(FAMILIES)}", repr(family))
    constraints = path.parent / reader.text("constraints")
    if not constraints.is_file():
        reader.fail("constraints", f"a file in {path.parent}", f"'{constraints.name}', which is not there")
    board = Board(
        name=name,
        title=reader.text("title"),
        family=family,
        device=reader.text("device"),
        package=reader.text("package"),
        part=reader.text("part"),
        clk_mhz=reader.positive_number("clk_mhz"),
        constraints=constraints,
        budget=Budget(**{resource: reader.resource(resource) for resource in RESOURCES}),
    )
    reader.finish()
    return board


class _Reader:
    """Takes typed values out of a board's document and names the key of a wrong one."""

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self._path = path
        self._document = dict(document)
        budget = self._document.pop("budget", None)
        if not isinstance(budget, dict):
            self.fail("budget", f"a table with {', '.join(RESOURCES)}", repr(budget))
        self._budget: dict[str, Any] = dict(budget)

    def fail(self, key: str, expected: str, got: str) -> NoReturn:
        where = f"{self._path}, key '{key}'"
        raise BoardError(where, expected=expected, got=got)

    def text(self, key: str) -> str:
        value = self._document.pop(key, None)
        if not isinstance(value, str) or not value:
            self.fail(key, "a text", repr(value))
        return value

    def positive_number(self, key: str) -> float:
        value = self._document.pop(key, None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
            self.fail(key, "a positive number", repr(value))
        return float(value)

    def resource(self, name: str) -> Resource:
        key = f"budget.{name}"
        entry = self._budget.pop(name, None)
        wanted = {"count", "primitive"} | ({"kbit"} if name == "bram" else set())
        if not isinstance(entry, dict) or set(entry) != wanted:
            self.fail(key, f"a table with {', '.join(sorted(wanted))}", repr(entry))
        for number in ("count", "kbit"):
            value = entry.get(number, 1)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                self.fail(f"{key}.{number}", "a positive integer", repr(value))
        if not isinstance(entry["primitive"], str) or not entry["primitive"]:
            self.fail(f"{key}.primitive", "a text", repr(entry["primitive"]))
        return Resource(entry["count"], entry["primitive"], entry.get("kbit", 0))

    def finish(self) -> None:
        """Refuse keys that nobody has read: a misspelt key must not pass unseen."""
        unread = [*self._document, *(f"budget.{key}" for key in self._budget)]
        if unread:
            self.fail(unread[0], "a key that a board has", "an unknown one")
