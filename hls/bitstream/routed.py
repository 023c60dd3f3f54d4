"""What nextpnr reports of a routed design: cells by type and clocks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet.errors import FileFormatError

CELLS: Mapping[str, str] = {
    "TRELLIS_COMB": "LUT places, of carry cells, distributed RAM and their feeds too",
    "TRELLIS_FF": "flip-flops",
    "TRELLIS_RAMW": "write ports of distributed RAM",
    "DP16KD": "block RAMs of 18 Kibit",
    "MULT18X18D": "multipliers",
    "TRELLIS_IO": "pins",
    "EHXPLLL": "clock generators",
}
"""The cell types of an ECP5 that the reports show, and what they are."""

_ALWAYS = ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D")
"""What is shown also where a design uses none."""

_WRAPPED = re.compile(r"^\$glbnet\$|\$TRELLIS_IO_IN$")
_LINE = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", re.MULTILINE)


@dataclass(frozen=True)
class Usage:
    """How much of one cell type a packed design takes.

    Attributes:
        kind: The cell type, as nextpnr names it.
        used: Cells of the design.
        available: Cells of the device.
    """

    kind: str
    used: int
    available: int

    @property
    def percent(self) -> float:
        """The share of the device's, in percent."""
        return 100 * self.used / self.available


@dataclass(frozen=True)
class Clock:
    """A clock of a routed design.

    Attributes:
        name: The net, without what nextpnr adds to it.
        mhz: The highest frequency at which every path ends in time, in MHz.
        needed_mhz: The frequency that was asked for, in MHz.
    """

    name: str
    mhz: float
    needed_mhz: float

    @property
    def passes(self) -> bool:
        """Whether it is as fast as was asked for."""
        return self.mhz >= self.needed_mhz


def net_name(name: str) -> str:
    """Return a clock's net as the design names it.

    >>> net_name("$glbnet$clk$TRELLIS_IO_IN")
    'clk'
    """
    return _WRAPPED.sub("", name)


def read_usage(report: Path) -> tuple[Usage, ...]:
    """Return the cell types that a design uses, from nextpnr's report.

    Raises:
        FileFormatError: It is no such report, or of a design without cells.
    """
    document = read_report(report)
    try:
        found = [Usage(kind, int(one["used"]), int(one["available"])) for kind, one in document["utilization"].items()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(report, error) from error
    usage = _shown(found)
    if not any(one.used for one in usage):
        raise FileFormatError(str(report), expected="cells that the design uses", got="none")
    return usage


def usage_in_log(log: str) -> tuple[Usage, ...]:
    """Return the same from what nextpnr prints after packing; nothing where it did not come so far."""
    return _shown([Usage(kind, int(used), int(available)) for kind, used, available in _LINE.findall(log)])


def _shown(found: list[Usage]) -> tuple[Usage, ...]:
    """Return what is to be seen, in the order of :data:`CELLS`, and the cell types that it does not list behind."""
    order = list(CELLS)
    seen = [one for one in found if one.available and (one.used or one.kind in _ALWAYS)]
    return tuple(sorted(seen, key=lambda one: order.index(one.kind) if one.kind in CELLS else len(order)))


def read_clocks(report: Path) -> tuple[Clock, ...]:
    """Return the clocks of a routed design, from nextpnr's report.

    Raises:
        FileFormatError: It is no such report, or holds no clock.
    """
    document = read_report(report)
    try:
        found = tuple(
            Clock(net_name(name), float(one["achieved"]), float(one["constraint"]))
            for name, one in document["fmax"].items()
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(report, error) from error
    if not found:
        raise FileFormatError(str(report), expected="a clock with its highest frequency", got="none")
    return found


def read_report(report: Path) -> dict[str, Any]:
    """Return a report of nextpnr.

    Raises:
        FileFormatError: It cannot be read, or is none.
    """
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(report, error) from error
    if not isinstance(document, dict):
        raise _damaged(report, TypeError(type(document).__name__))
    return document


def _damaged(report: Path, error: Exception) -> FileFormatError:
    return FileFormatError(
        str(report),
        expected="a report of nextpnr-ecp5 with utilization and fmax",
        got=f"{type(error).__name__}: {error}",
        hint="This nextpnr may be of another version than those that are known; see docs/bitstream.md.",
    )
