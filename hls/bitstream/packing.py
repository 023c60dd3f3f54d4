"""How many LUT places nextpnr makes of a netlist: more than its cells, because carry chains need feeds.

A carry in the ECP5 is no net of the fabric. nextpnr therefore begins every chain whose carry in is not another chain's
with a cell that feeds it, constants too, and ends every chain whose last carry out has a net, read or not, with a cell
that takes it out; each of them occupies two places. Two places more make the constants 0 and 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantunet.errors import FileFormatError
from quantunet.hls.synth.families import ECP5

FEED = 2
"""LUT places of a cell that begins or ends a chain."""

CONSTANTS = 2
"""LUT places of the constants 0 and 1."""

_CARRY = "CCU2C"


def read_module(netlist: Path, top: str) -> dict[str, Any]:
    """Return the top module of a netlist that Yosys' ``write_json`` made.

    Raises:
        FileFormatError: It is no netlist with this module.
    """
    try:
        module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][top]
        if not module["cells"] or not module["ports"]:
            raise ValueError("no cells or no ports")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            str(netlist), expected=f"a netlist of Yosys with the module {top}", got=f"{type(error).__name__}: {error}"
        ) from error
    return dict(module)


def feeds(module: Mapping[str, Any]) -> int:
    """Return how many cells begin or end the carry chains of a flat netlist.

    Args:
        module: A mapped top module, for an ECP5.
    """
    carries = [cell["connections"] for cell in module["cells"].values() if cell["type"] == _CARRY]
    outs = {bits[0] for pins in carries if (bits := pins.get("COUT"))}
    ins = [bits[0] for pins in carries if (bits := pins.get("CIN"))]
    handed_on = outs & set(ins)
    return sum(bit not in handed_on for bit in ins) + len(outs - handed_on)


def lut_places(module: Mapping[str, Any]) -> int:
    """Return the ``TRELLIS_COMB`` that nextpnr makes of a flat netlist.

    Args:
        module: A mapped top module, for an ECP5.
    """
    counts: dict[str, int] = {}
    for cell in module["cells"].values():
        counts[cell["type"]] = counts.get(cell["type"], 0) + 1
    own = sum(int(weight) * counts.get(kind, 0) for kind, weight in ECP5.lut.items())
    return own + FEED * feeds(module) + CONSTANTS
