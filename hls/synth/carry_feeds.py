"""The cells that place and route adds at the ends of carry chains: a netlist does not hold them, and the device does.

A carry in the ECP5 is no net of the fabric. nextpnr therefore begins every chain whose carry in is not another chain's
with a cell that feeds it, constants too, and ends every chain whose last carry out has a net, read or not, with a cell
that takes it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantunet.hls.synth.families import Family

OPEN = "x"
"""The bit of a port without a net, as nextpnr takes it: it ends where a port has no bits at all."""


def carry_feeds(module: Mapping[str, Any], family: Family) -> int:
    """Return how many cells begin or end the carry chains of a flat netlist; 0 for a family whose law is not known.

    Args:
        module: A mapped top module, as Yosys' ``write_json`` makes it.
        family: Its device family.
    """
    if family.chain is None or not family.feed_luts:
        return 0
    carries = [cell["connections"] for cell in module["cells"].values() if cell["type"] == family.chain.cell]
    outs = {bits[0] for pins in carries if (bits := pins.get("COUT")) and bits[0] != OPEN}
    ins = [bits[0] for pins in carries if (bits := pins.get("CIN"))]
    handed_on = outs & set(ins)
    return sum(bit not in handed_on for bit in ins) + len(outs - handed_on)
