"""cocotb bench that moves the frames of every case with stalls and compares nothing: assertions are to speak."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from helpers.benches.scenarios import benches


@cocotb.test()
async def frames_move(dut: Any) -> None:
    """Sinks rest until everything is full, then flow, then rest at random."""
    found = await benches(dut)
    for bench in found:
        for sink in bench.sinks.values():
            sink.pause = True
        bench.send()
    await ClockCycles(dut.clk, 800)
    for bench in found:
        bench.flow()
    await ClockCycles(dut.clk, 400)
    for bench in found:
        bench.stall("assertions")
        bench.send()
    await ClockCycles(dut.clk, 800)
