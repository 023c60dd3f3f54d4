"""cocotb bench of a whole network over adjacent frames; source, sink and clock stand in HDL."""

from __future__ import annotations

from typing import Any

import cocotb

from quantunet.rtl_sim.bench_check import measure


@cocotb.test()
async def streams_adjacent_frames(dut: Any) -> None:
    """Every layer of every frame equals golden's, and frames follow each other without a pause of the source."""
    result = await measure(dut)
    dut._log.info(
        "%d values compared, and %d inside; %d differ; frame interval %d cycles; highest fill %s",
        result.values_compared,
        sum(layer.values_compared for layer in result.layers),
        result.mismatches,
        result.frame_interval,
        result.fifo_max_fill,
    )
    assert result.passed, "; ".join(result.problems)
