"""Reading and changing the cells of a pyosys design, in the few ways that this project's passes need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyosys import libyosys

from quantunet.hls.synth.families import CarryChain

LOW = libyosys.SigBit(libyosys.State.S0)
HIGH = libyosys.SigBit(libyosys.State.S1)


def identifier(name: str) -> Any:  # noqa: ANN401 pyosys has no types
    """Return Yosys' form of a public name, or of an internal one, which begins with a dollar sign."""
    return libyosys.IdString(name if name.startswith("$") else f"\\{name}")


def bits(cell: Any, port: str) -> list[Any]:  # noqa: ANN401
    """Return the nets at a port, lowest first; none where it is open."""
    name = identifier(port)
    return list(cell.getPort(name).to_sigbit_vector()) if cell.hasPort(name) else []


def connect(cell: Any, port: str, net: Any) -> None:  # noqa: ANN401
    """Connect a port of one bit."""
    cell.setPort(identifier(port), libyosys.SigSpec(net, 1))


def connect_word(cell: Any, port: str, nets: Sequence[Any]) -> None:  # noqa: ANN401
    """Connect a port of several bits, lowest first."""
    word = libyosys.SigSpec()
    for net in nets:
        word.append(net)
    cell.setPort(identifier(port), word)


def constant(net: Any) -> int | None:  # noqa: ANN401
    """Return the value of a constant net, ``None`` for any other; an undefined one counts as 0."""
    return None if net.is_wire() else int(net.data == libyosys.State.S1)


def count_users(module: Any) -> dict[Any, int]:  # noqa: ANN401
    """Return for every net how many inputs of cells and outputs of the module read it."""
    users: dict[Any, int] = {}

    def read(nets: Sequence[Any]) -> None:
        for net in nets:
            users[net] = users.get(net, 0) + 1

    for cell in module.selected_cells():
        for port, signal in cell.connections().items():
            if cell.input(port):
                read(signal.to_sigbit_vector())
    for wire in module.selected_wires():
        if wire.port_output:
            read(libyosys.SigSpec(wire).to_sigbit_vector())
    for target, source in module.connections():
        for to, of in zip(target.to_sigbit_vector(), source.to_sigbit_vector(), strict=True):
            if to.is_wire() and to.wire.port_output:
                read([of])
    return users


def table(cell: Any, parameter: str, chain: CarryChain) -> int:  # noqa: ANN401
    """Return the table of a LUT, in the form that the device's cells have."""
    value = cell.getParam(identifier(parameter))
    return int(value.decode_string(), 16) if chain.hex else int(value.as_int())


def set_table(cell: Any, parameter: str, value: int, chain: CarryChain) -> None:  # noqa: ANN401
    """Set the table of a LUT."""
    form = libyosys.Const(f"0x{value:04X}") if chain.hex else libyosys.Const(value, 16)
    cell.setParam(identifier(parameter), form)
