"""Runs the passes of a synthesis on a design: those of Yosys, and those of this project."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quantunet import cache
from quantunet.hls.synth.families import (
    ABSORB_LUTS,
    ABSORB_REGISTERS,
    OPEN_CARRIES,
    SHARE_COLUMNS,
    SUMS,
    SUMS_OF_CHOSEN_PRODUCTS,
    SUMS_OF_PRODUCTS,
    Family,
)

_SOURCES = (
    "synth/passes/*.py",
    "synth/families.py",
    "synth/carry_feeds.py",
    "synth/open_ends.py",
    "resources/memory_map.py",
)


def run(design: Any, passes: Iterable[str], family: Family) -> None:  # noqa: ANN401 pyosys has no types
    """Run passes on a design.

    Args:
        design: A design of pyosys.
        passes: Some of what :meth:`~quantunet.hls.synth.families.Family.passes` returns, or commands of Yosys.
        family: The device family.
    """
    from quantunet.hls.synth.passes.absorb import absorb_luts
    from quantunet.hls.synth.passes.open_carries import open_carries
    from quantunet.hls.synth.passes.output_registers import absorb_registers
    from quantunet.hls.synth.passes.products import all_products, chosen_product, no_product
    from quantunet.hls.synth.passes.shared_tables import share_columns
    from quantunet.hls.synth.passes.sums import map_sums

    sums = {SUMS: no_product, SUMS_OF_PRODUCTS: all_products, SUMS_OF_CHOSEN_PRODUCTS: chosen_product}
    for command in passes:
        if family.chain is not None and command in sums:
            map_sums(design.top_module(), family.chain, sums[command])
        elif family.chain is not None and command == ABSORB_LUTS:
            absorb_luts(design.top_module(), family.chain)
        elif family.chain is not None and command == OPEN_CARRIES:
            open_carries(design.top_module(), family.chain)
        elif family.ram is not None and command == ABSORB_REGISTERS:
            absorb_registers(design.top_module(), family.ram)
        elif family.ram is not None and command == SHARE_COLUMNS:
            share_columns(design.top_module())
        else:
            design.run_pass(command)


def version() -> str:
    """Return a hash of this project's own passes, so that kept results follow them."""
    return cache.key(cache.files(Path(__file__).parents[2], *_SOURCES))
