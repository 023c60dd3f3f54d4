"""A pass over a mapped netlist: registers behind block RAM become the output registers that its cells have.

A block RAM's data are there six times sooner behind its own register. Taken are registers that copy a word, and those
behind the multiplexer that joins the pieces of a deep memory: a register with an enable may stand before the
multiplexer as well as behind it, if what selects has a register too. All registers of such a group have one clock and
one enable and no reset, and nobody else reads the data. A register that a carry chain or a multiplier reads is left
where it is: it can stand beside them, a block RAM cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyosys import libyosys

from quantunet.hls.synth.families import BlockRam
from quantunet.hls.synth.passes.cells import HIGH, bits, connect, constant, identifier

_LUT, _LUT_INPUTS, _LUT_OUTPUT = "\\LUT4", "ABCD", "Z"
_REGISTER = "\\TRELLIS_FF"
_PARAMETERS = {"CLKMUX": "CLK", "LSRMUX": "LSR", "REGSET": "RESET"}
"""What a register has that an output register can stand for; it is not set at the start."""

Use = tuple[Any, str]
"""A cell, and its port."""


@dataclass(frozen=True)
class _Port:
    """A read port of a block RAM: the letter of its signals, and the letters of its data."""

    cell: Any
    letter: str
    data: str


@dataclass(eq=False)
class _Group:
    """Cells that can only be changed together."""

    ports: list[_Port] = field(default_factory=list)
    luts: list[Any] = field(default_factory=list)
    registers: list[Any] = field(default_factory=list)
    refused: bool = False


def absorb_registers(module: Any, ram: BlockRam) -> int:  # noqa: ANN401 pyosys has no types
    """Move registers into the block RAMs that they follow.

    Args:
        module: A flat, mapped module, cleaned by ``opt_clean``; to be cleaned afterwards.
        ram: The block RAM of the device.

    Returns:
        How many registers moved.
    """
    return _Pass(module, ram).run()


class _Pass:
    def __init__(self, module: Any, ram: BlockRam) -> None:  # noqa: ANN401
        self._module = module
        self._ram = ram
        self._names = 0
        self._users: dict[Any, list[Use]] = {}
        self._outside: set[Any] = set()
        self._rams = []
        for cell in module.selected_cells():
            if cell.type.str() == f"\\{ram.cell}":
                self._rams.append(cell)
            for port, signal in cell.connections().items():
                if cell.input(port):
                    for net in signal.to_sigbit_vector():
                        self._users.setdefault(net, []).append((cell, port.str().lstrip("\\")))
        for wire in module.selected_wires():
            if wire.port_output:
                self._outside.update(libyosys.SigSpec(wire).to_sigbit_vector())
        for target, source in module.connections():
            self._outside.update((*target.to_sigbit_vector(), *source.to_sigbit_vector()))

    def run(self) -> int:
        moved = 0
        for group in self._groups():
            if not group.refused and group.registers and self._fits(group):
                moved += len(group.registers)
                self._move(group)
        return moved

    def _ports(self) -> Iterator[_Port]:
        """Yield the read ports of which somebody reads the data."""
        for cell in self._rams:
            both = int(cell.getParam(identifier("DATA_WIDTH_A")).as_int()) == self._ram.widest
            for port in (_Port(cell, "B", "AB"),) if both else (_Port(cell, "A", "A"), _Port(cell, "B", "B")):
                if any(self._read(net) for net in self._data(port)):
                    yield port

    def _read(self, net: Any) -> bool:  # noqa: ANN401
        return net in self._users or net in self._outside

    def _data(self, port: _Port) -> list[Any]:
        """Return the nets of a port's data."""
        names = (f"DO{letter}{index}" for letter in port.data for index in range(self._ram.widest // 2))
        return [net for name in names for net in bits(port.cell, name)]

    def _groups(self) -> list[_Group]:
        """Follow the data of every port through LUTs to registers; ports that meet are one group."""
        groups: list[_Group] = []
        of_cell: dict[str, _Group] = {}
        for port in self._ports():
            group = _Group(ports=[port])
            found: set[str] = set()
            waiting = self._data(port)
            while waiting:
                net = waiting.pop()
                group.refused |= net in self._outside
                for cell, pin in self._users.get(net, ()):
                    kind = cell.type.str()
                    is_lut = kind == _LUT
                    if not is_lut and not (kind == _REGISTER and pin == "DI"):
                        group.refused = True
                    elif cell.name.str() not in found:
                        found.add(cell.name.str())
                        (group.luts if is_lut else group.registers).append(cell)
                        waiting += bits(cell, _LUT_OUTPUT) if is_lut else ()
            for name in found:
                other = of_cell.get(name)
                if other is not None and other is not group:
                    _join(group, other)
                    groups.remove(other)
                    of_cell.update(dict.fromkeys((cell.name.str() for cell in (*other.luts, *other.registers)), group))
            of_cell.update(dict.fromkeys(found, group))
            groups.append(group)
        return groups

    def _fits(self, group: _Group) -> bool:
        """Tell whether the output registers do what the registers do, and whether it pays."""
        first = group.registers[0]
        clock, enable, free = bits(first, "CLK"), bits(first, "CE"), _word(first, "CEMUX")
        if free not in ("1", "CE") or len(clock) != 1 or (free == "CE" and len(enable) != 1):
            return False
        for register in group.registers:
            if bits(register, "CLK") != clock or bits(register, "CE") != enable or _word(register, "CEMUX") != free:
                return False
            if any(_word(register, name) != value for name, value in _PARAMETERS.items()):
                return False
            if any(constant(net) != 0 for net in bits(register, "LSR")):
                return False
            if any(
                cell.type.str().lstrip("\\") in self._ram.near
                for net in bits(register, "Q")
                for cell, _ in self._users.get(net, ())
            ):
                return False
        for port in group.ports:
            if any(_word(port.cell, f"REGMODE_{letter}") != "NOREG" for letter in port.data):
                return False
            if (
                bits(port.cell, f"CLK{port.letter}") != clock
                or _word(port.cell, f"CLK{port.letter}MUX") != f"CLK{port.letter}"
            ):
                return False
            if any(constant(net) != 0 for net in bits(port.cell, f"RST{port.letter}")):
                return False
        return len(self._beside(group)) <= len(group.registers)

    def _beside(self, group: _Group) -> dict[Any, list[Use]]:
        """Return what the multiplexer reads but the data, such as what selects, with the pins that read it."""
        inside = {net for port in group.ports for net in self._data(port)}
        inside.update(net for lut in group.luts for net in bits(lut, _LUT_OUTPUT))
        beside: dict[Any, list[Use]] = {}
        for lut in group.luts:
            for pin in _LUT_INPUTS:
                for net in bits(lut, pin):
                    if net.is_wire() and net not in inside:
                        beside.setdefault(net, []).append((lut, pin))
        return beside

    def _move(self, group: _Group) -> None:
        first = group.registers[0]
        has_enable = _word(first, "CEMUX") == "CE"
        enable = bits(first, "CE")[0] if has_enable else HIGH
        for port in group.ports:
            for letter in port.data:
                port.cell.setParam(identifier(f"REGMODE_{letter}"), libyosys.Const("OUTREG"))
                connect(port.cell, f"OCE{letter}", enable)
        for net, pins in self._beside(group).items():
            copy = self._module.addCell(self._name(), first)
            later = libyosys.SigSpec(self._module.addWire(self._name(), 1)).to_sigbit_vector()[0]
            connect(copy, "DI", net)
            connect(copy, "Q", later)
            for lut, pin in pins:
                connect(lut, pin, later)
        for register in group.registers:
            self._module.connect(register.getPort(identifier("Q")), register.getPort(identifier("DI")))
            self._module.remove(register)

    def _name(self) -> Any:  # noqa: ANN401
        self._names += 1
        return identifier(f"$output_registers${self._names}")


def _join(group: _Group, other: _Group) -> None:
    """Add another group to one that shares cells with it."""
    group.ports += other.ports
    group.refused |= other.refused
    for mine, theirs in ((group.luts, other.luts), (group.registers, other.registers)):
        names = {cell.name.str() for cell in mine}
        mine += [cell for cell in theirs if cell.name.str() not in names]


def _word(cell: Any, parameter: str) -> str:  # noqa: ANN401
    """Return a parameter that is a word; an empty one where it is not set."""
    name = identifier(parameter)
    return str(cell.getParam(name).decode_string()) if cell.hasParam(name) else ""
