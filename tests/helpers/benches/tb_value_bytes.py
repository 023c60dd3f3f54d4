"""cocotb bench of ``qun_value_bytes``: the bytes of beats, each value from its lowest byte on."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from helpers.benches.byte_streams import Beat, every_way, resets_anywhere
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_PREFIXES = "s_axis_t", "m_"


def _module(dut: Any) -> Clocked:
    return Clocked(dut, ("s_axis_tready", "m_data", "m_valid"), s_axis_tdata=0, s_axis_tvalid=0, m_ready=0)


def beats(count: int, rng: random.Random) -> tuple[list[Beat], list[Beat]]:
    """Return beats of any values, and the bytes that they are."""
    size = parameters()
    bits, signed = size["Bits"], bool(size["Signed"])
    sent: list[Beat] = []
    expected: list[Beat] = []
    for _ in range(count):
        values = [rng.randrange(1 << bits) - (signed << bits - 1) for _ in range(size["Lanes"])]
        data = sum((value % (1 << bits)) << lane * bits for lane, value in enumerate(values))
        sent.append({"s_axis_tdata": data})
        for value in values:
            expected += [{"m_data": byte} for byte in value.to_bytes(-(-bits // 8), "little", signed=signed)]
    return sent, expected


@cocotb.test()
async def bytes_of_beats(dut: Any) -> None:
    """Beats without a pause give a byte a cycle, and come whole in every way to write and read."""
    module, rng = _module(dut), rng_for("bytes")
    await module.start()
    sent, expected = beats(12, rng)
    predicted = range(1, len(expected) + 1)
    add_to_report("bytes_of_beats", await every_way(module, sent, expected, predicted, rng, _PREFIXES))


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset leaves no bytes of a beat."""
    module, rng = _module(dut), rng_for("resets")
    await module.start()
    add_to_report("resets", await resets_anywhere(module, *beats(4, rng), rng, _PREFIXES))
