"""cocotb bench of a whole network over adjacent frames; source, sink and clock stand in HDL."""

from __future__ import annotations

from typing import Any

import cocotb

from quantunet.rtl_sim.bench_check import measure


@cocotb.test()
async def streams_adjacent_frames(dut: Any) -> None:
    """Every frame's output equals golden's, and frames follow each other without a pause of the source."""
    result = await measure(dut)
    dut._log.info(
        "%d values compared, %d differ; frame interval %d cycles; highest fill %s",
        result.values_compared,
        result.mismatches,
        result.frame_interval,
        result.fifo_max_fill,
    )
    assert len(result.frame_ends) >= 3 or not result.passed, "fewer than three frames"
    assert result.passed, "; ".join(result.problems)
