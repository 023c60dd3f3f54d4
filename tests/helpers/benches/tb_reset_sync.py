"""cocotb bench of ``qun_reset_sync``: the reset is the level of four edges before, whatever the level does."""

from __future__ import annotations

import json
import random
from collections import deque
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from helpers.benches.axis import CLOCK_NS

LATENCY = 4
_CYCLES = 400


@cocotb.test()
async def reset_follows(dut: Any) -> None:
    """At the start there is a reset, without a level that was ever 1, and then what the level was."""
    rng = random.Random(1)
    levels = deque([0] * LATENCY)
    dut.enable.value = 0
    Clock(dut.clk, CLOCK_NS, "ns").start()
    compared = 0
    for cycle in range(_CYCLES):
        level = int(cycle >= 2 * LATENCY and rng.random() < (0.9 if cycle // 40 % 2 else 0.3))
        dut.enable.value = level
        await FallingEdge(dut.clk)  # between two rising edges, of which each has taken a level
        levels.append(level)
        levels.popleft()
        got = int(dut.rst_n.value)
        assert got == levels[0], f"cycle {cycle}: expected {levels[0]}, got {got}"
        compared += 1
    Path("compared.json").write_text(json.dumps(compared), encoding="utf-8")
