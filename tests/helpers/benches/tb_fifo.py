"""Bench of ``qun_fifo``."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from helpers.benches.scenarios import (
    CaseBench,
    benches,
    full_speed,
    random_stalls,
    report,
    reset_in_mid_frame,
    sinks_that_wait,
)

__all__ = ["exact_capacity", "exact_level", "full_speed", "random_stalls", "reset_in_mid_frame", "sinks_that_wait"]


def _only(names: dict[str, Any]) -> str:
    (name,) = names
    return name


@cocotb.test()
async def exact_capacity(dut: Any) -> None:
    """With a blocked reader exactly ``Depth`` beats go in, and they leave without a gap."""
    found = await benches(dut)
    depths = [int(bench.case["params"]["Depth"]) for bench in found]
    for bench, depth in zip(found, depths, strict=True):
        assert bench.beats > 2 * depth, f"{bench.title}: the frames are too short to fill it"
        bench.sinks[_only(bench.sinks)].pause = True
        bench.watch()
        bench.send()
    await ClockCycles(dut.clk, max(depths) + 16)
    for bench, depth in zip(found, depths, strict=True):
        taken = len(bench.watches[_only(bench.sources)].handshakes)
        level = int(getattr(dut, f"{bench.case['name']}_level").value)
        assert taken == level == depth, f"{bench.title}: expected {depth} beats inside, got {taken}, level {level}"
        bench.flow()
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    compared = [await task for task in tasks]
    for index, (bench, count) in enumerate(zip(found, compared, strict=True)):
        out = bench.watches[_only(bench.sinks)].handshakes
        assert out[-1] - out[0] == len(out) - 1, f"{bench.title}: a gap while beats were inside"
        report("exact_capacity", index, count)


@cocotb.test()
async def exact_level(dut: Any) -> None:
    """In every cycle ``level`` is the number of beats that have come and not left."""
    found = await benches(dut)
    checks = []
    for bench in found:
        bench.stall("exact_level")
        bench.watch()
        bench.send()
        checks.append(cocotb.start_soon(_check_level(dut, bench)))
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    compared = [await task for task in tasks]
    for index, (bench, check, count) in enumerate(zip(found, checks, compared, strict=True)):
        highest = await check
        depth = int(bench.case["params"]["Depth"])
        assert highest <= depth, f"{highest} words in a FIFO of {depth}"
        report("exact_level", index, count, highest=highest)


async def _check_level(dut: Any, bench: CaseBench) -> int:
    """Follow the level until all beats have left; return the highest one."""
    source, sink = _only(bench.sources), _only(bench.sinks)
    level_signal = getattr(dut, f"{bench.case['name']}_level")
    signals = [getattr(dut, f"{name}_{signal}") for name in (source, sink) for signal in ("tvalid", "tready")]
    level = highest = left = 0
    total = sum(len(frame) for frame in bench.case["outputs"][0]["frames"])
    while left < total:
        await RisingEdge(dut.clk)
        got = int(level_signal.value)
        assert got == level, f"{bench.title}: expected level {level}, got {got}"
        in_valid, in_ready, out_valid, out_ready = (int(signal.value) for signal in signals)
        left += out_valid & out_ready
        level += (in_valid & in_ready) - (out_valid & out_ready)
        highest = max(highest, level)
    return highest
