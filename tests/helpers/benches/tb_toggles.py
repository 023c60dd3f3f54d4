"""cocotb bench that resets a module and lets its clock run, for counts that are known."""

from __future__ import annotations

import os
from typing import Any

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def runs_so_many_cycles(dut: Any) -> None:
    """Two cycles of reset, then as many as CYCLES says."""
    for cycle in range(2 + int(os.environ["CYCLES"])):
        dut.rst_n.value = int(cycle >= 2)
        for level in (0, 1):
            dut.clk.value = level
            await Timer(5, "step")
