"""cocotb bench of ``qun_mask_bytes``: eight pixels a byte, on either side of the least value of the foreground."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cocotb
from helpers.benches.byte_streams import Beat, every_way, resets_anywhere
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_PREFIXES = "s_axis_t", "m_"


def _module(dut: Any) -> Clocked:
    idle = {"s_axis_tdata": 0, "s_axis_tvalid": 0, "s_axis_tlast": 0, "m_ready": 0}
    return Clocked(dut, ("s_axis_tready", "m_data", "m_valid"), **idle)


def pixels(sizes: Sequence[int], rng: random.Random) -> tuple[list[Beat], list[Beat], list[int]]:
    """Return frames of some pixels, the bytes that they are, and in which cycles those come at full speed."""
    size = parameters()
    bits, least = size["Bits"], size["Least"]
    low = -(1 << bits - 1) if size["Signed"] else 0
    limits = [
        value for value in (least - 1, least, least + 1, low, low + (1 << bits) - 1) if low <= value < low + (1 << bits)
    ]
    sent: list[Beat] = []
    expected: list[Beat] = []
    cycles: list[int] = []
    for count in sizes:
        mask = []
        for place in range(count):
            value = rng.choice([*limits, rng.randrange(low, low + (1 << bits))])
            sent.append({"s_axis_tdata": value % (1 << bits), "s_axis_tlast": int(place == count - 1)})
            mask.append(int(value <= least if size["Below"] else value >= least))
            if place % 8 == 7 or place == count - 1:
                byte = mask[place // 8 * 8 :]
                expected.append({"m_data": sum(bit << index for index, bit in enumerate(byte))})
                cycles.append(len(sent))
    return sent, expected, cycles


@cocotb.test()
async def bytes_of_frames(dut: Any) -> None:
    """Frames whose pixels fill their bytes, and frames whose do not, take a cycle a pixel."""
    module, rng = _module(dut), rng_for("bytes")
    await module.start()
    sent, expected, cycles = pixels((8, 1, 9, 16, 3, 25, 7, 8, 13), rng)
    add_to_report("bytes_of_frames", await every_way(module, sent, expected, cycles, rng, _PREFIXES))


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset leaves no pixels of a byte."""
    module, rng = _module(dut), rng_for("resets")
    await module.start()
    sent, expected, _ = pixels((13,), rng)
    add_to_report("resets", await resets_anywhere(module, sent, expected, rng, _PREFIXES))
