"""Logic depth of a netlist: how many LUTs, carry chains and multipliers stand in series between two registers.

A carry chain counts as one level however long it is, as does a hard multiplier without registers. A multiplexer that
joins LUTs in one slice counts no level of its own for its data inputs. Block RAM and flip-flops begin and end a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quantunet.errors import ToolFailedError
from quantunet.hls.synth.families import Family

Arc = tuple[str, int, str, int, int]
"""From an input port's bit to an output port's bit, and the levels between: ``(port, bit, port, bit, levels)``."""

_CLOCKS = frozenset({"EHXPLLL"})  # their outputs begin no path of data

_CARRY_HALVES = (("CIN", "A0", "B0", "C0", "D0"), ("CIN", "A0", "B0", "C0", "D0", "A1", "B1", "C1", "D1"))
_WIDE_MUX_SELECTS = frozenset({"C0", "SD", "S"})
_LUTRAM_READ_PREFIXES = ("RAD", "ADDR", "A", "DPRA")


@dataclass(frozen=True)
class Path:
    """The longest path of a netlist.

    Attributes:
        levels: Levels of logic on it.
        start: The net that begins it, a register's or memory's output or an input port.
        end: The net that ends it.
    """

    levels: int
    start: str
    end: str


def longest_path(module: Mapping[str, Any], family: Family, where: str) -> Path:
    """Find the longest combinational path of a flat netlist.

    Args:
        module: A module of the document that Yosys' ``write_json`` makes.
        family: Which primitives there are.
        where: The layer, for the error message.

    Raises:
        ToolFailedError: The netlist has a combinational loop.
    """
    fan_in = _fan_in(module["cells"].values(), family)
    levels: dict[int, int] = {}
    before: dict[int, int] = {}
    for bit in _topological(fan_in, where):
        levels[bit] = 0
        for source, weight in fan_in.get(bit, ()):
            depth = levels.get(source, 0) + weight
            if depth > levels[bit] or bit not in before:
                levels[bit], before[bit] = depth, source
    if not levels:
        return Path(0, "", "")
    end = max(levels, key=lambda bit: levels[bit])
    start = end
    while start in before:
        start = before[start]
    names = _net_names(module["netnames"], {start, end})
    return Path(levels[end], names.get(start, "?"), names.get(end, "?"))


def _fan_in(cells: Iterable[Mapping[str, Any]], family: Family) -> dict[int, list[tuple[int, int]]]:
    """Return, for every net that a combinational cell drives, the nets that it depends on and the levels between."""
    fan_in: dict[int, list[tuple[int, int]]] = {}
    for cell in cells:
        nets: Mapping[str, list[int | str]] = cell["connections"]
        for source_port, source_bit, target_port, target_bit, weight in _arcs(cell, family):
            source, target = nets[source_port][source_bit], nets[target_port][target_bit]
            if isinstance(source, int) and isinstance(target, int):
                fan_in.setdefault(target, []).append((source, weight))
    return fan_in


def _arcs(cell: Mapping[str, Any], family: Family) -> Iterator[Arc]:
    kind: str = cell["type"]
    nets: Mapping[str, list[int | str]] = cell["connections"]
    if kind in family.ff or kind in family.bram or kind in _CLOCKS or (kind in family.dsp and _is_registered(cell)):
        return
    if kind in ("CCU2C", "CCU2"):
        yield from _lattice_carry(nets)
        return
    if kind == "CARRY4":
        yield from _xilinx_carry(nets)
        return
    if kind == "ALU":
        yield from _gowin_carry(nets)
        return
    directions: Mapping[str, str] = cell["port_directions"]
    sources = [port for port in nets if directions[port] == "input"]
    targets = [port for port in nets if directions[port] == "output"]
    if kind in family.lutram:
        sources = [port for port in sources if port.startswith(_LUTRAM_READ_PREFIXES)]
    joins_luts = kind in ("PFUMX", "L6MUX21", "MUXF7", "MUXF8")
    for source in sources:
        weight = 0 if kind == "INV" or (joins_luts and source not in _WIDE_MUX_SELECTS) else 1
        for target in targets:
            for i in range(len(nets[source])):
                for j in range(len(nets[target])):
                    yield source, i, target, j, weight


def _lattice_carry(nets: Mapping[str, list[int | str]]) -> Iterator[Arc]:
    for target, sources in (("S0", _CARRY_HALVES[0]), ("S1", _CARRY_HALVES[1]), ("COUT", _CARRY_HALVES[1])):
        if target in nets:
            for source in sources:
                if source in nets:
                    yield source, 0, target, 0, 0 if source == "CIN" else 1


def _xilinx_carry(nets: Mapping[str, list[int | str]]) -> Iterator[Arc]:
    for target in ("O", "CO"):
        for j in range(len(nets.get(target, ()))):
            for source in ("CI", "CYINIT"):
                if nets.get(source):
                    yield source, 0, target, j, 0 if source == "CI" else 1
            for source in ("S", "DI"):
                for i in range(min(j + 1, len(nets.get(source, ())))):
                    yield source, i, target, j, 1


def _gowin_carry(nets: Mapping[str, list[int | str]]) -> Iterator[Arc]:
    for target in ("SUM", "COUT"):
        for source in ("I0", "I1", "I3", "CIN"):
            if target in nets and source in nets:
                yield source, 0, target, 0, 0 if source == "CIN" else 1


def _is_registered(cell: Mapping[str, Any]) -> bool:
    """Tell whether a multiplier uses its registers: any of its register parameters is switched on."""
    off = ("NONE", "BYPASS")
    for name, value in cell["parameters"].items():
        if name.endswith("_CLK") and name.startswith("REG") and str(value).strip() not in off:
            return True
        if name.startswith("REG") and str(value).strip() == "REGISTER":
            return True
        if name in ("PREG", "MREG") and int(str(value), 2):
            return True
    return False


def _topological(fan_in: Mapping[int, list[tuple[int, int]]], where: str) -> Iterator[int]:
    """Yield every net after those that it depends on."""
    waiting = {net: len(sources) for net, sources in fan_in.items()}
    readers: dict[int, list[int]] = {}
    for net, sources in fan_in.items():
        for source, _ in sources:
            readers.setdefault(source, []).append(net)
    ready = [net for net in readers if net not in waiting]
    count = 0
    while ready:
        net = ready.pop()
        count += net in waiting
        yield net
        for reader in readers.get(net, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    if count != len(fan_in):
        raise ToolFailedError(
            where,
            expected="a netlist without combinational loops",
            got=f"{len(fan_in) - count} nets on or behind a loop",
            hint="Look for an always_comb or assign that depends on its own result.",
        )


def _net_names(netnames: Mapping[str, Any], wanted: set[int]) -> dict[int, str]:
    """Return a readable name for some nets: one that the design gave, where there is one."""
    names: dict[int, str] = {}
    for name, net in netnames.items():
        for index, bit in enumerate(net["bits"]):
            if bit in wanted and (bit not in names or not net.get("hide_name", 0)):
                names[bit] = name if len(net["bits"]) == 1 else f"{name}[{index}]"
    return names
