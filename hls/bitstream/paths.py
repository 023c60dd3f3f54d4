"""The latest paths of a routed design, by kind and by layer.

nextpnr says when data arrive at every register, but it names the whole path of the very latest only. What lies before
the others, block RAM, multipliers or carry chains, is read from the netlist, by following it back to registers. An end
to which a pin leads is left out: what arrives there last may come from the pin, which has no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from quantunet.errors import FileFormatError
from quantunet.hls.bitstream.cones import CARRY, LUTRAM, MULTIPLIER, PINS, RAM, Cones
from quantunet.hls.bitstream.routed import read_report

OUTSIDE = "around the network"
"""The layer of what lies in the top module, or in the network between its layers."""

_CLOCKED = "posedge"
_MAPPED = re.compile(r"_(TRELLIS_FF|TRELLIS_DPR16X4|LUT4|CCU2C|DP16KD|MULT18X18D|PFUMX|L6MUX21)_.*|\$.*|\.\d+\.\d+$")
_PRODUCTS = re.compile(r"\.u_products\.(sums_q|totals_q)")
_ENDS: Mapping[str, str] = {
    "DI": "register",
    "M": "register",
    "CE": "clock enable",
    "LSR": "reset",
    "WD": "distributed RAM",
    "WAD": "distributed RAM",
    "WRE": "distributed RAM",
    "ADA": "block RAM address",
    "ADB": "block RAM address",
    "DIA": "block RAM data",
    "DIB": "block RAM data",
    "CEA": "block RAM enable",
    "CEB": "block RAM enable",
    "OCEA": "block RAM enable",
    "OCEB": "block RAM enable",
    "WEA": "block RAM enable",
    "WEB": "block RAM enable",
    "CSA": "block RAM enable",
    "CSB": "block RAM enable",
    "RSTA": "reset",
    "RSTB": "reset",
}
_MULTIPLIER_PIN = re.compile(r"^(A|B|C|SIGNED|SOURCE|CE|RST)[A-D]?$")


@dataclass(frozen=True)
class Path:
    """The latest path of a group.

    Attributes:
        kind: From what to what it leads, and through what.
        layer: The layer in which it ends.
        signal: The register, memory or multiplier at which it ends, by its name in the layer.
        arrival_ns: When data are there after the clock's edge, with the time that they must be there before the next.
        count: How many ends the group has.
    """

    kind: str
    layer: str
    signal: str
    arrival_ns: float
    count: int


@dataclass(frozen=True)
class Paths:
    """The latest paths of a design, latest first.

    Attributes:
        by_kind: One for each kind of path.
        by_layer: One for each layer.
    """

    by_kind: tuple[Path, ...]
    by_layer: tuple[Path, ...]


def read_paths(report: FilePath, module: Mapping[str, Any], layer_of: Callable[[str], tuple[str, str] | None]) -> Paths:
    """Return the latest paths of a routed design.

    Args:
        report: What nextpnr wrote with ``--report`` and ``--detailed-timing-report``.
        module: The top module of the netlist that it was given.
        layer_of: Splits the name of a cell in the flat netlist into its layer and the rest; ``None`` outside of the
            layers.

    Raises:
        FileFormatError: The report is not what it should be, or holds no path of a clock.
    """
    cones = Cones(module)
    ends: list[Path] = []
    try:
        for cell, port, arrival in _arrivals(read_report(report)):
            found = cones.behind(cell, port)
            if found is None or PINS not in found:
                ends.append(_end(cell, port, arrival, found, layer_of))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            str(report), expected="a report with detailed net timings", got=f"{type(error).__name__}: {error}"
        ) from error
    if not ends:
        raise FileFormatError(str(report), expected="arrivals at registers", got="none")
    return Paths(_latest(ends, lambda end: end.kind), _latest(ends, lambda end: end.layer))


def _arrivals(document: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield cell, port and arrival of every end of a path from one clock's edge to another's."""
    for net in document["detailed_net_timings"]:
        if net["event"].startswith(_CLOCKED):
            for end in net["endpoints"]:
                if end["event"].startswith(_CLOCKED):
                    yield end["cell"], end["port"], float(max(end["delay"]))


def _end(
    cell: str,
    port: str,
    arrival: float,
    found: frozenset[str] | None,
    layer_of: Callable[[str], tuple[str, str] | None],
) -> Path:
    layer, rest = layer_of(cell) or (OUTSIDE, cell)
    return Path(_kind(cell, port, found), layer, _MAPPED.sub("", rest), round(arrival, 3), 1)


def _kind(cell: str, port: str, found: frozenset[str] | None) -> str:
    """Return the kind of a path that ends at a port, by what lies before it."""
    target = _ENDS.get(port) or _ENDS.get(port.rstrip("0123456789"))
    if target is None:
        target = "multiplier" if _MULTIPLIER_PIN.match(port.rstrip("0123456789")) else f"port {port}"
    if found is None:
        return f"to {target}"
    if target == "register" and _PRODUCTS.search(cell):
        return "multiply and add stage"
    starts = [kind for kind in (RAM, MULTIPLIER, LUTRAM) if kind in found]
    through = " through carry chains" if CARRY in found else ""
    return f"{starts[0] if starts else 'register'} to {target}{through}"


def _latest(ends: Iterable[Path], group: Callable[[Path], str]) -> tuple[Path, ...]:
    latest: dict[str, Path] = {}
    counts: dict[str, int] = {}
    for end in ends:
        name = group(end)
        counts[name] = counts.get(name, 0) + 1
        if name not in latest or end.arrival_ns > latest[name].arrival_ns:
            latest[name] = end
    found = [Path(end.kind, end.layer, end.signal, end.arrival_ns, counts[name]) for name, end in latest.items()]
    return tuple(sorted(found, key=lambda path: -path.arrival_ns))
