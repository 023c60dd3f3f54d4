"""Bench of ``qun_fork``."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from helpers.benches.scenarios import benches, full_speed, random_stalls, report, reset_in_mid_frame, sinks_that_wait

__all__ = ["full_speed", "independent_outputs", "random_stalls", "reset_in_mid_frame", "sinks_that_wait"]


@cocotb.test()
async def independent_outputs(dut: Any) -> None:
    """While one output waits, each of the others takes exactly the present beat, and then the frames flow on."""
    found = await benches(dut)
    for bench in found:
        list(bench.sinks.values())[-1].pause = True
        bench.watch()
        bench.send()
    await ClockCycles(dut.clk, 20)
    for bench in found:
        *others, blocked = (len(bench.watches[name].handshakes) for name in bench.sinks)
        assert blocked == 0, f"{bench.title}: a handshake without tready"
        assert others == [1] * len(others), f"{bench.title}: expected one beat at each free output, got {others}"
        bench.flow()
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    for index, task in enumerate(tasks):
        report("independent_outputs", index, await task)
