"""Which multiplications of a design go to LUTs: all, none, or those of the layers whose style says so.

In a design that mixes styles each multiplication carries an attribute, which is given while modules are still instances
of layers: a flat design does not know any more which layer a multiplication belongs to.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from quantunet.errors import ToolFailedError
from quantunet.hls.synth.families import IN_LUTS
from quantunet.hls.synth.passes.cells import identifier

MULTIPLY = "$mul"
"""Yosys' cell of a multiplication."""

_YES, _NO = "yes", "no"


def all_products(cell: Any) -> bool:  # noqa: ANN401 pyosys has no types
    """Tell that a multiplication goes to LUTs."""
    return True


def no_product(cell: Any) -> bool:  # noqa: ANN401
    """Tell that a multiplication stays for a hard multiplier."""
    return False


def chosen_product(cell: Any) -> bool:  # noqa: ANN401
    """Tell by its attribute whether a multiplication goes to LUTs.

    Raises:
        ToolFailedError: It has none: a pass has made it of others.
    """
    name = identifier(IN_LUTS)
    if not cell.has_attribute(name):
        raise ToolFailedError(
            cell.name.str(),
            expected="a multiplication that belongs to a layer",
            got="one that does not say which style it has",
            hint="Give all layers one style, and report the folding.",
        )
    return str(cell.get_string_attribute(name)) == _YES


def mark_products(design: Any, hard: Collection[str]) -> dict[bool, int]:  # noqa: ANN401
    """Give every multiplication of a design with hierarchy its attribute.

    Args:
        design: A design of pyosys in which every instance has a module of its own, as ``read_slang --keep-hierarchy``
            makes it.
        hard: Paths of the instances whose multiplications go to hard multipliers, with the top module's name first.

    Returns:
        How many multiplications go to LUTs (``True``) and to hard multipliers (``False``).
    """
    counts = {True: 0, False: 0}
    for module in design.selected_modules():
        _, _, path = module.name.str().partition("$")
        in_luts = not any(path == one or path.startswith(f"{one}.") for one in hard)
        for cell in module.selected_cells():
            if cell.type.str() == MULTIPLY:
                cell.set_string_attribute(identifier(IN_LUTS), _YES if in_luts else _NO)
                counts[in_luts] += 1
    return counts
