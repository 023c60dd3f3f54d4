"""cocotb bench that lets a block RAM and its memory run side by side in HDL, and leaves what was compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge


@cocotb.test()
async def both_show_the_same(dut: Any) -> None:
    """The comparison stands in HDL; the caller judges it."""
    if not dut.done.value:
        await RisingEdge(dut.done)
    found = {"compared": int(dut.compared.value), "differ": int(dut.differ.value)}
    Path("compared.json").write_text(json.dumps(found), encoding="utf-8")
