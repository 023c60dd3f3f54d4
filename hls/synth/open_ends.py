"""Carries that nobody reads, opened: nextpnr then needs no cell to lead them out of their chains.

Yosys gives the carry out of every carry cell a net, and nextpnr ends a chain whose last carry has one with a cell that
takes it out, also where nobody reads it (:mod:`quantunet.hls.synth.carry_feeds`). Nothing that is computed changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantunet.hls.synth.carry_feeds import OPEN
from quantunet.hls.synth.families import Family


def unread_ends(module: Mapping[str, Any], family: Family) -> list[str]:
    """Return the carry cells whose carry out has a net that nothing reads; none of a family whose law is not known.

    Args:
        module: A flat mapped top module, as Yosys' ``write_json`` makes it.
        family: Its device family.
    """
    if family.chain is None or not family.feed_luts:
        return []
    read = {
        bit
        for cell in module["cells"].values()
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] != "output"
        for bit in bits
    }
    read |= {bit for port in module["ports"].values() if port["direction"] != "input" for bit in port["bits"]}
    return [
        name
        for name, cell in module["cells"].items()
        if cell["type"] == family.chain.cell
        and (out := cell["connections"].get("COUT"))
        and out[0] != OPEN
        and out[0] not in read
    ]


def open_ends(module: Mapping[str, Any], family: Family) -> int:
    """Take the net away from every carry out that nobody reads.

    Args:
        module: A flat mapped top module; its cells are changed.
        family: Its device family.

    Returns:
        How many there were.
    """
    found = unread_ends(module, family)
    for name in found:
        module["cells"][name]["connections"]["COUT"] = [OPEN]
    return len(found)
