"""Leaves the carry in of a chain's first cell open where the chain makes its own carry.

Such a chain does not read it. The synthesis of a Nexus connects it to the constant 0 like every open input, and place
and route takes a carry that comes from no carry cell for a fault.
"""

from __future__ import annotations

from typing import Any

from quantunet.hls.synth.families import CarryChain
from quantunet.hls.synth.passes.cells import bits, identifier


def open_carries(module: Any, chain: CarryChain) -> int:  # noqa: ANN401 pyosys has no types
    """Open the carry in of every carry cell that no other one drives, and return how many there were.

    Args:
        module: A mapped module of pyosys.
        chain: The family's carry chain, whose cells begin with a position that makes the carry.
    """
    cells = [cell for cell in module.selected_cells() if cell.type.str() == f"\\{chain.cell}"]
    handed_on = {net for cell in cells for net in bits(cell, "COUT")}
    opened = 0
    for cell in cells:
        if not set(bits(cell, "CIN")) <= handed_on:
            cell.unsetPort(identifier("CIN"))
            opened += 1
    return opened
