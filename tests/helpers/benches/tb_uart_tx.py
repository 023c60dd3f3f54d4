"""cocotb bench of ``qun_uart_tx``: the line and the readiness in every cycle, for bytes with and without pauses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cocotb
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_BITS = 10
"""Of a byte on the line."""


def line(data: bytes) -> Iterator[int]:
    """Yield the bits of bytes that follow each other."""
    for byte in data:
        yield from (0, *(byte >> place & 1 for place in range(8)), 1)


def edges(bits: int) -> list[int]:
    """Return the cycles, from the first start bit on, in which bits without a pause end."""
    size = parameters()
    return [-(-(bit + 1) * size["PeriodCycles"] // size["PeriodBits"]) for bit in range(bits)]


def levels(data: bytes) -> list[tuple[int, int]]:
    """Return the line in every cycle of bytes without a pause, and whether a further byte may come."""
    ends, found = edges(_BITS * len(data)), []
    for place, bit in enumerate(line(data)):
        begin = ends[place - 1] if place else 0
        found += [(bit, 0)] * (ends[place] - begin)
        if place % _BITS == _BITS - 1:
            found[-1] = (bit, 1)
    return found


async def send(module: Clocked, data: bytes, cycles: int | None = None) -> int:
    """Send bytes without a pause and compare the line, for some cycles or to the end; return the cycles."""
    got = await module.tick(s_valid=1, s_data=data[0])
    assert (got.tx, got.s_ready) == (1, 1), f"cycle {module.cycle}: no silence before the first byte"
    waiting = 1
    expected = levels(data)[:cycles]
    for place, (level, ready) in enumerate(expected):
        more = {"s_valid": 1, "s_data": data[waiting]} if waiting < len(data) else {}
        got = await module.tick(**more)
        found = (got.tx, got.s_ready)
        assert found == (level, ready), f"{data.hex()}: cycle {place}: expected {(level, ready)}, got {found}"
        waiting += ready
    return len(expected)


def _module(dut: Any) -> Clocked:
    return Clocked(dut, ("tx", "s_ready"), s_valid=0, s_data=0)


@cocotb.test()
async def bytes_on_the_line(dut: Any) -> None:
    """Runs of bytes, each behind a silence of its own, with every edge in its cycle."""
    module, rng, compared = _module(dut), rng_for("bytes"), 0
    await module.start()
    for count, pause in ((1, 0), (1, 1), (3, 2), (2, 0), (7, 29), (1, 40), (8, 3)):
        compared += await send(module, bytes(rng.randrange(256) for _ in range(count)))
        for _ in range(pause):
            got = await module.tick(s_data=rng.randrange(256))
            assert (got.tx, got.s_ready) == (1, 1), f"cycle {module.cycle}: no silence"
            compared += 1
    add_to_report("bytes_on_the_line", compared)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset in any bit leaves silence, and nothing of the byte."""
    module, compared = _module(dut), 0
    await module.start()
    length = edges(_BITS)[-1]
    for cycles in range(1, length, 5):
        compared += await send(module, b"\0\0", cycles)
        await module.reset()
        compared += await send(module, b"\xa5")
        got = await module.tick()
        assert (got.tx, got.s_ready) == (1, 1), f"a reset after {cycles} cycles: no silence behind the next byte"
    add_to_report("resets", compared)
