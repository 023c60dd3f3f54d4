"""Bench of ``qun_crop``."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles
from helpers.benches.scenarios import benches, full_speed, random_stalls, report, reset_in_mid_frame, sinks_that_wait

from quantunet.hls.modules import crop

__all__ = ["exact_capacity", "full_speed", "random_stalls", "reset_in_mid_frame", "sinks_that_wait"]


@cocotb.test()
async def exact_capacity(dut: Any) -> None:
    """With a blocked reader all beats go in that come before the first one that is kept and finds no place."""
    found = await benches(dut)
    for bench in found:
        for reader in bench.sinks.values():
            reader.pause = True
        bench.watch()
        bench.send()
    await ClockCycles(dut.clk, 2 * max(bench.beats for bench in found) + 16)
    for bench in found:
        (source,) = bench.sources
        taken = len(bench.watches[source].handshakes)
        sent = sum(len(frame) for frame in bench.case["inputs"][0]["frames"])
        expected = int(crop.taken(bench.case["params"], np.array([0]), 0)[0])
        assert taken == expected < sent, f"{bench.title}: expected {expected} beats inside or dropped, got {taken}"
        bench.flow()
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    for index, task in enumerate(tasks):
        report("exact_capacity", index, await task)
