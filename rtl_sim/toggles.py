"""How often the nets of a design toggle, by layer and by what drives them: counters beside the cells of a netlist.

The netlist may be one of a device's cells, as synthesis makes it, or one of words, whose registers are those that the
SystemVerilog asks for. A counter reads up to :data:`WIDEST` nets that one layer drives with one kind of cell.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet.errors import ToolFailedError
from quantunet.hls.design import Instance
from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.storage import write_text

COUNTER = HDL_FOLDER / "qun_tb_toggles.sv"
"""The counter."""

REGISTER, LUT, CARRY, LUTRAM, RAM, MULTIPLIER = (
    "register", "LUT", "carry", "distributed RAM", "block RAM", "multiplier",
)  # fmt: skip
KINDS = (REGISTER, LUT, CARRY, LUTRAM, RAM, MULTIPLIER)
"""What drives a net, in the order of the reports."""

REST = ""
"""The layer of what stands outside of every layer, FIFO, fork and width adapter."""

WIDEST = 512
"""Nets of one counter: simulators take long over wider vectors that are put together bit by bit."""

_CELLS: Mapping[str, str] = {
    "TRELLIS_FF": REGISTER,
    "LUT4": LUT,
    "CCU2C": CARRY,
    "TRELLIS_DPR16X4": LUTRAM,
    "DPR16X4": LUTRAM,
    "DP16KD": RAM,
    "PDPW16KD": RAM,
    "MULT9X9D": MULTIPLIER,
    "MULT18X18D": MULTIPLIER,
}
_WORD_REGISTER = re.compile(r"^\$_?(?:a|s|al)?(?:d|sd)?ff")
_LINE = re.compile(r"^toggles (\d+) (\d+) (\d+)$", re.MULTILINE)
_WRITER = ("tdata", "tvalid", "tlast")
_READER = ("tready",)


@dataclass(frozen=True)
class Group:
    """Nets that one layer drives with one kind of cell.

    Attributes:
        layer: The layer, FIFO, fork or width adapter; :data:`REST` for what is in none.
        kind: One of :data:`KINDS`.
        nets: How many nets.
    """

    layer: str
    kind: str
    nets: int


@dataclass(frozen=True)
class Count:
    """What the counters of a group saw.

    Attributes:
        group: The nets.
        toggles: Changes of their settled values from one clock edge to the next.
        edges: Clock edges that were looked at.
    """

    group: Group
    toggles: int
    edges: int


def with_counters(netlist: Path, top: str, network: str, instances: Iterable[Instance], out: Path) -> tuple[Group, ...]:
    """Write a netlist with a counter at every net that a cell drives and something reads.

    Args:
        netlist: A flat netlist, as Yosys' ``write_json`` makes it, of an ECP5's cells or of words.
        top: Its module, with the ports ``clk`` and ``rst_n``.
        network: Path of the network's instance in it; empty where the module is the network.
        instances: The network's instances: layers, and what stands between them.
        out: The file to write.

    Returns:
        The groups of nets, in the order in which the counters are numbered.

    Raises:
        ToolFailedError: The netlist has a cell of which it is not known what kind it is, or drives nothing.
        StorageError: The file cannot be written.
    """
    document = json.loads(netlist.read_text(encoding="utf-8"))
    module = document["modules"][top]
    owners = Owners(module, network, instances)
    read = _read_nets(module)
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name, cell in module["cells"].items():
        kind = _kind(name, cell["type"])
        if kind is None:
            continue
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "output":
                for bit in bits:
                    if isinstance(bit, int) and bit in read:
                        found[owners.of(bit, name), kind].append(bit)
    if not found:
        raise ToolFailedError(str(netlist), expected="nets that toggle", got="none")
    order = sorted(found, key=lambda key: (key[0], KINDS.index(key[1])))
    clock, reset = (module["ports"][name]["bits"] for name in ("clk", "rst_n"))
    for group, key in enumerate(order):
        for first in range(0, len(found[key]), WIDEST):
            bits = found[key][first : first + WIDEST]
            module["cells"][f"qun_toggles_{group}_{first}"] = _counter(group, bits, clock, reset)
    write_text(out, json.dumps(document))
    return tuple(Group(layer, kind, len(found[layer, kind])) for layer, kind in order)


def read_counts(log: Path, groups: tuple[Group, ...]) -> tuple[Count, ...]:
    """Read what the counters have told in a simulation's output.

    Args:
        log: The output.
        groups: What :func:`with_counters` returned.

    Raises:
        ToolFailedError: A counter has told nothing, or the counters have not looked at the same clock edges.
    """
    told = [tuple(map(int, line)) for line in _LINE.findall(log.read_text(encoding="utf-8", errors="replace"))]
    sums, counters = [0] * len(groups), [0] * len(groups)
    for group, toggles, _ in told:
        sums[group] += toggles
        counters[group] += 1
    wanted = [-(-group.nets // WIDEST) for group in groups]
    edges = {seen for _, _, seen in told}
    if counters != wanted or len(edges) != 1 or 0 in edges:
        raise ToolFailedError(
            str(log),
            expected=f"counts of {sum(wanted)} counters over the same clock edges",
            got=f"of {sum(counters)}, over {sorted(edges)[:5]}",
        )
    return tuple(Count(group, total, *edges) for group, total in zip(groups, sums, strict=True))


class Owners:
    """Which layer drives a net: its names say it.

    A net that leads from one layer to another has names in both. The writer is the one of whose input ports none is
    among them.

    Args:
        module: A flat netlist's module.
        network: Path of the network's instance in it; empty where the module is the network.
        instances: The network's instances.
    """

    def __init__(self, module: Mapping[str, Any], network: str, instances: Iterable[Instance]) -> None:
        self._prefix = f"{network}.u_" if network else "u_"
        self._inputs = {one.name: _input_ports(one) for one in instances}
        names: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for name, net in module["netnames"].items():
            place = self._place(name)
            if place is not None:
                for bit in net["bits"]:
                    if isinstance(bit, int):
                        names[bit].add(place)
        self._owner = {bit: self._writer(places) for bit, places in names.items()}

    def of(self, bit: int, cell: str) -> str:
        """Return the layer that drives a net; by the name of the cell that does where the net has none in a layer."""
        if bit in self._owner:
            return self._owner[bit]
        place = self._place(cell)
        return REST if place is None else place[0]

    def _place(self, name: str) -> tuple[str, str] | None:
        if not name.startswith(self._prefix):
            return None
        instance, _, rest = name.removeprefix(self._prefix).partition(".")
        return (instance, rest) if instance in self._inputs else None

    def _writer(self, places: set[tuple[str, str]]) -> str:
        layers = {layer for layer, _ in places}
        reading = {layer for layer, local in places if local in self._inputs[layer]}
        return min(layers - reading or layers)


def _input_ports(instance: Instance) -> frozenset[str]:
    writers = [f"{prefix}_{signal}" for prefix, _ in instance.inputs for signal in _WRITER]
    readers = [f"{prefix}_{signal}" for prefix, _ in instance.outputs for signal in _READER]
    return frozenset([*writers, *readers, "clk", "rst_n"])


def _kind(name: str, cell: str) -> str | None:
    """Return the kind of a cell; ``None`` for an operator of words, which no device has as such."""
    if cell.startswith("$"):
        return REGISTER if _WORD_REGISTER.match(cell) else None
    if cell not in _CELLS:
        raise ToolFailedError(name, expected=f"a cell out of {', '.join(_CELLS)}", got=cell)
    return _CELLS[cell]


def _read_nets(module: Mapping[str, Any]) -> set[int]:
    read: set[int] = set()
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                read.update(bit for bit in bits if isinstance(bit, int))
    for port in module["ports"].values():
        if port["direction"] != "input":
            read.update(bit for bit in port["bits"] if isinstance(bit, int))
    return read


def _counter(group: int, bits: list[int], clock: list[int], reset: list[int]) -> dict[str, Any]:
    return {
        "type": COUNTER.stem,
        "parameters": {"Bits": f"{len(bits):032b}", "Group": f"{group:032b}"},
        "port_directions": dict.fromkeys(("clk", "rst_n", "nets"), "input"),
        "connections": {"clk": clock, "rst_n": reset, "nets": bits},
    }
