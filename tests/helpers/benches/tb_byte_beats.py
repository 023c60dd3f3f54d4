"""cocotb bench of ``qun_byte_beats``: frames of beats from bytes, each value from its lowest byte on."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from helpers.benches.byte_streams import Beat, every_way, resets_anywhere
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_LEAST_BEATS = 12
_PREFIXES = "s_", "m_axis_t"


def _module(dut: Any) -> Clocked:
    outputs = ("s_ready", "m_axis_tdata", "m_axis_tvalid", "m_axis_tlast")
    return Clocked(dut, outputs, s_data=0, s_valid=0, m_axis_tready=0)


def beats(frames: int, rng: random.Random) -> tuple[list[Beat], list[Beat]]:
    """Return the bytes of some frames, bits beyond a value's among them, and the beats that they are."""
    size = parameters()
    sent: list[Beat] = []
    expected: list[Beat] = []
    for number in range(frames * size["Beats"]):
        data = 0
        for lane in range(size["Lanes"]):
            code = rng.randbytes(-(-size["Bits"] // 8))
            sent += [{"s_data": byte} for byte in code]
            value = int.from_bytes(code, "little") % (1 << size["Bits"])
            data |= value << lane * size["Bits"]
        expected.append({"m_axis_tdata": data, "m_axis_tlast": int((number + 1) % size["Beats"] == 0)})
    return sent, expected


@cocotb.test()
async def frames_of_beats(dut: Any) -> None:
    """Frames without a pause take a cycle a byte, and come whole in every way to write and read."""
    module, rng = _module(dut), rng_for("beats")
    await module.start()
    sent, expected = beats(-(-_LEAST_BEATS // parameters()["Beats"]), rng)
    size = len(sent) // len(expected)
    predicted = [size * (place + 1) for place in range(len(expected))]
    add_to_report("frames_of_beats", await every_way(module, sent, expected, predicted, rng, _PREFIXES))


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset leaves neither bytes nor beats of the frame."""
    module, rng = _module(dut), rng_for("resets")
    await module.start()
    add_to_report("resets", await resets_anywhere(module, *beats(2, rng), rng, _PREFIXES))
