"""cocotb bench of designs that are reset in mid frame again and again; all but its end stands in HDL."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from helpers.benches.axis import CLOCK_NS


@cocotb.test()
async def resets_in_every_cycle(dut: Any) -> None:
    """Whole frames that follow a reset are right, whenever it comes; what is wrong is a failed assertion."""
    if "free_run" not in cocotb.plusargs:
        Clock(dut.clk, CLOCK_NS, "ns").start()
    if not dut.done.value:
        await RisingEdge(dut.done)
