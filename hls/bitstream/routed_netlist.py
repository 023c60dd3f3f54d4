"""The netlist that nextpnr has packed, placed and routed, in the words of the one that went in, for simulations.

nextpnr leaves pins without a net where they stand at a constant. A pin without a net reads 1, whatever its cell, but
for the reset of a flip-flop, which is off; what inverts such a pin, or holds it at 0, stands in a parameter that has
the pin's name with ``MUX`` behind it. Pins of the device and the buffer of a global clock are wires.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantunet.errors import FileFormatError, ToolFailedError

_TOP = "top"
_LUT_PLACE, _FLIP_FLOP, _PIN, _CLOCK_BUFFER = "TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_IO", "DCCA"
_WIRES = (_PIN, _CLOCK_BUFFER)
_UNUSED_OUTPUTS = ("OFX",)
_UNUSED_INPUTS = ("M", "F1", "FXA", "FXB", "DI0", "DI1")
_CLOCKS = ("CLKA", "CLKB")

Bits = list[int | str]
Cell = dict[str, Any]


def rewrite(routed: Path, top: str, out: Path) -> None:
    """Write a routed netlist in such a form that the models of the synthesis' cells fit.

    Args:
        routed: What nextpnr's ``--write`` has left.
        top: The name that the module gets.
        out: The file to write, as Yosys' ``write_json`` makes it.

    Raises:
        FileFormatError: It is no netlist of nextpnr.
        ToolFailedError: A cell is used in a way that the models do not have.
        StorageError: The file cannot be written.
    """
    try:
        module = json.loads(routed.read_text(encoding="utf-8"))["modules"][_TOP]
        cells: dict[str, Cell] = module["cells"]
        ports: dict[str, dict[str, Any]] = module["ports"]
        wires = _wires(cells)
        found = {name: _cell(name, cell, wires) for name, cell in cells.items() if cell["type"] not in _WIRES}
        bits = {name: {**port, "bits": [_end(bit, wires) for bit in port["bits"]]} for name, port in ports.items()}
        text = json.dumps({"creator": "", "modules": {top: {"ports": bits, "cells": found}}})
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise FileFormatError(
            str(routed), expected="a netlist of nextpnr", got=f"{type(error).__name__}: {error}"
        ) from error
    out.write_text(text, encoding="utf-8")


def _wires(cells: Mapping[str, Cell]) -> dict[int, int | str]:
    """Return what drives the far end of every pin and clock buffer."""
    found: dict[int, int | str] = {}
    for name, cell in cells.items():
        pins = cell["connections"]
        if cell["type"] == _PIN:
            direction = cell["parameters"]["DIR"]
            if direction not in ("INPUT", "OUTPUT") or pins.get("T"):
                raise _unmodelled(name, "a pin that is an input or an output", f"{direction}, tri-state")
            far, near = ("O", "B") if direction == "INPUT" else ("B", "I")
        elif cell["type"] == _CLOCK_BUFFER:
            if pins.get("CE"):
                raise _unmodelled(name, "a clock that always runs", "a clock enable")
            far, near = "CLKO", "CLKI"
        else:
            continue
        if pins.get(far) and pins.get(near):
            found[pins[far][0]] = pins[near][0]
    return found


def _end(bit: int | str, wires: Mapping[int, int | str]) -> int | str:
    while isinstance(bit, int) and bit in wires:
        bit = wires[bit]
    return bit


def _cell(name: str, cell: Cell, wires: Mapping[int, int | str]) -> Cell:
    kind, directions = cell["type"], dict(cell["port_directions"])
    pins: dict[str, Bits] = {pin: [_end(bit, wires) for bit in bits] for pin, bits in cell["connections"].items()}
    parameters = {key: value for key, value in cell["parameters"].items()}
    if kind == _LUT_PLACE:
        used = [pin for pin in (*_UNUSED_OUTPUTS, *_UNUSED_INPUTS) if pins.pop(pin, None)]
        if used:
            raise _unmodelled(
                name, "a LUT, half a carry cell or a bit of a RAM", f"a wide multiplexer ({', '.join(used)})"
            )
    elif kind == _FLIP_FLOP:
        if parameters.pop("SD").strip() == "0":
            if pins.get("DI"):
                raise _unmodelled(name, "one source of data", "two")
            pins["DI"], directions["DI"] = pins.pop("M"), "input"
        pins["LSR"] = pins.get("LSR") or ["0"]
        directions["LSR"] = "input"
        if not pins.get("CE") and parameters["CEMUX"].strip() != "1":
            raise _unmodelled(name, "an enable", f"none, with CEMUX {parameters['CEMUX']}")
        if not pins.get("DI") or not pins.get("CLK"):
            raise _unmodelled(name, "data and a clock", str(sorted(pins)))
    else:
        for pin in [pin for pin in pins if f"{pin}MUX" in parameters]:
            choice = parameters.pop(f"{pin}MUX").strip()
            if pins[pin] and choice == "INV" and pin in _CLOCKS:
                parameters[f"{pin}MUX"] = choice
            elif choice in ("0", "1") or (choice == "INV" and not pins[pin]):
                pins[pin] = ["0" if choice == "INV" else choice]
            elif choice != pin:
                raise _unmodelled(name, f"{pin} as it comes", choice)
    return {
        "hide_name": 0,
        "type": kind,
        "parameters": parameters,
        "port_directions": {pin: directions[pin] for pin in pins if pins[pin] or directions[pin] == "input"},
        "connections": {pin: bits or ["1"] for pin, bits in pins.items() if bits or directions[pin] == "input"},
    }


def _unmodelled(cell: str, expected: str, got: str) -> ToolFailedError:
    return ToolFailedError(
        cell, expected=expected, got=got, hint="The routed netlist cannot be simulated; leave --verify out."
    )
