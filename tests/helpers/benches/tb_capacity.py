"""What a module holds while its reader waits: the deadlock analysis of whole networks counts on every beat of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from helpers.benches.scenarios import benches, report

PLAN_FILE = "capacity.json"

_IDLE_CYCLES = 64


@cocotb.test()
async def capacity_as_promised(dut: Any) -> None:
    """With readers that wait for ever every input is taken up to the beat that the module's sheet says, or further."""
    found = await benches(dut)
    for bench in found:
        for reader in bench.sinks.values():
            reader.pause = True
        bench.watch()
        bench.send()
    await ClockCycles(dut.clk, 2 * max(bench.beats for bench in found) + _IDLE_CYCLES)
    promised = json.loads(Path(PLAN_FILE).read_text(encoding="utf-8"))
    for bench, least in zip(found, promised, strict=True):
        for port, beats in zip(bench.case["inputs"], least, strict=True):
            taken = len(bench.watches[port["stream"]].handshakes)
            assert taken >= beats, f"{bench.title}: {port['stream']}: expected {beats} beats inside, got {taken}"
        bench.flow()
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    for index, task in enumerate(tasks):
        report("capacity_as_promised", index, await task)
