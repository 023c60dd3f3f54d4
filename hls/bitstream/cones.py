"""What lies before a pin of a mapped netlist, back to the registers: block RAM, multipliers, carry chains, pins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from quantunet.errors import ToolFailedError

RAM, LUTRAM, MULTIPLIER, CARRY, PINS = "block RAM", "distributed RAM", "multiplier", "carry chains", "pin"
"""What a cone may hold beside LUTs and registers."""

_STARTS: Mapping[str, str | None] = {
    "TRELLIS_FF": None,
    "DP16KD": RAM,
    "PDPW16KD": RAM,
    "EHXPLLL": None,
}
_PASSED: Mapping[str, str] = {"CCU2C": CARRY, "MULT18X18D": MULTIPLIER, "MULT9X9D": MULTIPLIER}
_LUTRAM = ("TRELLIS_DPR16X4", "DPR16X4")
_READ_ADDRESS = re.compile(r"^RAD")
_OF_PART = re.compile(r"\$.*")  # nextpnr adds such a name to the parts of a cell that it splits
_PINS_OF_PORT: Mapping[str, str] = {"M": "DI", "WD": "DI"}

_Bit = int
_Found = frozenset[str]


class Cones:
    """The cones before the pins of a netlist.

    Args:
        module: The top module, as Yosys' ``write_json`` makes it.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        cells: Mapping[str, Any] = module["cells"]
        inputs = [bit for port in module["ports"].values() if port["direction"] == "input" for bit in port["bits"]]
        self._cells = cells
        self._drivers: dict[_Bit, str] = {}
        for name, cell in cells.items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"][port] == "output":
                    self._drivers |= {bit: name for bit in bits if isinstance(bit, int)}
        self._behind: dict[_Bit, _Found] = dict.fromkeys(inputs, frozenset({PINS}))

    def behind(self, cell: str, port: str) -> frozenset[str] | None:
        """Return what lies before a port of a cell.

        Args:
            cell: The cell, as the netlist or nextpnr names it.
            port: The port, as nextpnr names it; of a vector, one bit.

        Returns:
            Some of the names above; nothing where registers and LUTs alone lie before it. ``None`` where the netlist
            has no such cell or port, because nextpnr has made it.
        """
        found = self._cells.get(cell) or self._cells.get(_OF_PART.sub("", cell))
        if found is None:
            return None
        nets: Mapping[str, list[_Bit | str]] = found["connections"]
        stem = port.rstrip("0123456789")
        bits = next((nets[name] for name in (port, _PINS_OF_PORT.get(stem, stem)) if name in nets), None)
        if bits is None:
            return None
        return frozenset().union(*(self._of(bit) for bit in bits if isinstance(bit, int)))

    def _of(self, bit: _Bit) -> _Found:
        """Return what lies before a net.

        Raises:
            ToolFailedError: The netlist has a combinational loop.
        """
        stack, entered = [bit], set[_Bit]()
        while stack:
            top = stack[-1]
            if top in self._behind:
                stack.pop()
                continue
            name = self._drivers.get(top)
            sources = self._sources(name) if name is not None else ()
            waiting = [source for source in sources if source not in self._behind]
            if waiting:
                entered.add(top)
                if entered & set(waiting):
                    raise ToolFailedError(
                        str(name), expected="a netlist without combinational loops", got="a cell behind itself"
                    )
                stack.extend(waiting)
                continue
            stack.pop()
            self._behind[top] = self._own(name).union(*(self._behind[source] for source in sources))
        return self._behind[bit]

    def _sources(self, name: str) -> tuple[_Bit, ...]:
        """Return the nets that a cell's outputs depend on without a clock."""
        cell = self._cells[name]
        if cell["type"] in _STARTS:
            return ()
        reads_only = cell["type"] in _LUTRAM
        return tuple(
            bit
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "input" and (not reads_only or _READ_ADDRESS.match(port))
            for bit in bits
            if isinstance(bit, int)
        )

    def _own(self, name: str | None) -> _Found:
        kind = None if name is None else self._cells[name]["type"]
        if kind in _LUTRAM:
            return frozenset({LUTRAM})
        own = _STARTS.get(kind) or _PASSED.get(kind) if kind is not None else None
        return frozenset({own}) if own else frozenset()
