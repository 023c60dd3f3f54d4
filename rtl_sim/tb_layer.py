"""cocotb bench of one layer at its true shape and weights; source, sink and clock stand in HDL."""

from __future__ import annotations

from typing import Any

import cocotb

from quantunet.rtl_sim.bench_check import measure


@cocotb.test()
async def computes_what_golden_computes(dut: Any) -> None:
    """The layer's output equals golden's, value by value, and nothing else comes out."""
    result = await measure(dut)
    dut._log.info("%d values compared, %d differ", result.values_compared, result.mismatches)
    assert result.passed, "; ".join(result.problems)
