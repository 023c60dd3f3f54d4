"""How many LUT places nextpnr makes of the netlist of a whole design.

More than its cells, because the ends of carry chains need some (:mod:`quantunet.hls.synth.carry_feeds`), and the
constants 0 and 1 two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantunet.errors import FileFormatError
from quantunet.hls.synth.carry_feeds import carry_feeds
from quantunet.hls.synth.families import ECP5, Family

CONSTANTS = 2
"""LUT places of the constants 0 and 1."""


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


def lut_places(module: Mapping[str, Any], family: Family = ECP5) -> int:
    """Return the ``TRELLIS_COMB`` that nextpnr makes of a flat netlist.

    Args:
        module: A mapped top module.
        family: Its device family. For another one than the ECP5 it is not known what place and route adds: the LUTs of
            the netlist are returned.
    """
    counts: dict[str, int] = {}
    for cell in module["cells"].values():
        counts[cell["type"]] = counts.get(cell["type"], 0) + 1
    usage = family.usage(counts, carry_feeds(module, family), "the netlist")
    return usage.lut + (CONSTANTS if family.feed_luts else 0)
