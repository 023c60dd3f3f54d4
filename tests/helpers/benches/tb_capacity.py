"""What a module holds while its reader waits: the deadlock analysis of whole networks counts on every beat of it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from helpers.benches.scenarios import benches, report

PLAN_FILE = "capacity.json"

_IDLE_CYCLES = 64
_PERIOD = 6


@cocotb.test()
async def capacity_as_promised(dut: Any) -> None:
    """With readers that wait for ever every input is taken up to the beat that the module's sheet says, or further."""
    await _blocked(dut, "capacity_as_promised", 1)


@cocotb.test()
async def capacity_for_slow_writers(dut: Any) -> None:
    """Likewise where the beats come one by one."""
    await _blocked(dut, "capacity_for_slow_writers", _PERIOD)


async def _blocked(dut: Any, scenario: str, period: int) -> None:
    """Block all readers until writers that offer a beat in so many cycles have had time for all."""
    found = await benches(dut)
    for bench in found:
        for writer in bench.sources.values():
            writer.set_pause_generator(itertools.cycle([False, *[True] * (period - 1)]))
        for reader in bench.sinks.values():
            reader.pause = True
        bench.watch()
        bench.send()
    await ClockCycles(dut.clk, 2 * period * max(bench.beats for bench in found) + _IDLE_CYCLES)
    promised = json.loads(Path(PLAN_FILE).read_text(encoding="utf-8"))
    for bench, least in zip(found, promised, strict=True):
        for port, beats in zip(bench.case["inputs"], least, strict=True):
            taken = len(bench.watches[port["stream"]].handshakes)
            assert taken >= beats, f"{bench.title}: {port['stream']}: expected {beats} beats inside, got {taken}"
        bench.flow()
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    for index, task in enumerate(tasks):
        report(scenario, index, await task)
