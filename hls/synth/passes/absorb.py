"""A pass over a mapped netlist: LUTs that feed nothing but one position of a carry chain move into it.

A position has a LUT of its own, most often with free inputs: a multiplexer before an accumulator costs nothing there.
"""

from __future__ import annotations

from typing import Any

from quantunet.hls.synth.families import CarryChain
from quantunet.hls.synth.passes.carry_cell import INPUTS, place
from quantunet.hls.synth.passes.cells import HIGH, LOW, bits, connect, constant, count_users, set_table
from quantunet.hls.synth.passes.cells import table as table_of

_PINS = "ABCD"


def absorb_luts(module: Any, chain: CarryChain) -> int:  # noqa: ANN401 pyosys has no types
    """Move LUTs into the carry cells that they feed, where both fit into one.

    Args:
        module: A flat, mapped module, cleaned by ``opt_clean``.
        chain: The carry chain of the device.

    Returns:
        How many LUTs moved.
    """
    return _Pass(module, chain).run()


class _Pass:
    def __init__(self, module: Any, chain: CarryChain) -> None:  # noqa: ANN401
        self._module = module
        self._chain = chain
        self._users = count_users(module)
        self._luts: dict[Any, Any] = {}
        self._carries = []
        for cell in module.selected_cells():
            kind = cell.type.str()
            if kind == "\\LUT4":
                self._luts[_pin(cell, "Z")] = cell
            elif kind == f"\\{chain.cell}":
                self._carries.append(cell)

    def run(self) -> int:
        moved = 0
        for cell in self._carries:
            for half in (0, 1):
                while self._absorb(cell, half):
                    moved += 1
        return moved

    def _absorb(self, cell: Any, half: int) -> bool:  # noqa: ANN401
        """Move one LUT into a position; tell whether there was one that fits."""
        pins = [_pin(cell, f"{pin}{half}") for pin in _PINS]
        table = table_of(cell, f"INIT{half}", self._chain)
        for pin in pins:
            lut = self._luts.get(pin)
            if lut is None or self._users[pin] != pins.count(pin):
                continue
            inside = [_pin(lut, name) for name in _PINS]
            nets = tuple(dict.fromkeys(net for net in (*pins, *inside) if net.is_wire() and net != pin))
            if len(nets) > INPUTS:
                continue
            found = place(
                _values(
                    nets, pins, table, pin, inside, table_of(lut, "INIT", self._chain), self._chain.generate_inputs
                ),
                len(nets),
                self._chain.generate_inputs,
            )
            if found is not None:
                self._connect(cell, half, dict(zip(found[0], nets, strict=True)), found[1])
                del self._luts[pin]
                self._module.remove(lut)
                return True
        return False

    def _connect(self, cell: Any, half: int, nets: dict[int, Any], table: int) -> None:  # noqa: ANN401
        for index, name in enumerate(_PINS):
            port = f"{name}{half}"
            before, after = _pin(cell, port), nets.get(index, HIGH)
            self._users[before] = self._users.get(before, 0) - 1
            self._users[after] = self._users.get(after, 0) + 1
            connect(cell, port, after)
        set_table(cell, f"INIT{half}", table, self._chain)


def _values(
    nets: tuple[Any, ...], pins: list[Any], table: int, pin: Any, inside: list[Any], lut: int, generate_inputs: int
) -> tuple[tuple[int, int], ...]:
    """Return what a position gives, with a LUT before one of its pins, for each assignment of nets."""
    values = []
    for index in range(1 << len(nets)):
        given = {net: index >> i & 1 for i, net in enumerate(nets)}

        def at(net: Any, given: dict[Any, int] = given) -> int:  # noqa: ANN401
            fixed = constant(net)
            return given[net] if fixed is None else fixed

        given[pin] = lut >> sum(at(net) << i for i, net in enumerate(inside)) & 1
        address = sum(at(net) << i for i, net in enumerate(pins))
        values.append((table >> address & 1, table >> (address & ((1 << generate_inputs) - 1)) & 1))
    return tuple(values)


def _pin(cell: Any, name: str) -> Any:  # noqa: ANN401
    """Return the net at a pin; an open one counts as 0."""
    return (*bits(cell, name), LOW)[0]
