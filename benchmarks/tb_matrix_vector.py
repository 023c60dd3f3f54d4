"""cocotb bench of a layer that also notes the time of the simulation alone, without the comparison after it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from quantunet.rtl_sim.bench_check import measure

SECONDS_FILE = "seconds.json"
"""``busy``, seconds of processor time, and ``wall``, until the last beat."""


@cocotb.test()
async def computes_what_golden_computes(dut: Any) -> None:
    """The layer's output equals golden's, value by value, and nothing else comes out."""
    busy, wall = time.process_time(), time.perf_counter()
    await RisingEdge(dut.done)
    seconds = {"busy": time.process_time() - busy, "wall": time.perf_counter() - wall}
    Path(SECONDS_FILE).write_text(json.dumps(seconds), encoding="utf-8")
    result = await measure(dut)
    assert result.passed, "; ".join(result.problems)
