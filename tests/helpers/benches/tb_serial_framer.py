"""cocotb bench of ``qun_serial_framer``: the bytes of the line for frames, as the host's own side writes them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import cocotb
from helpers.benches.byte_streams import Beat, every_way, resets_anywhere
from helpers.benches.clocked import Clocked
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

from quantunet.serial_frames import ESCAPE, FLAG, frame


def _module(dut: Any) -> Clocked:
    return Clocked(dut, ("s_ready", "m_data", "m_valid"), s_data=0, s_end=0, s_valid=0, m_ready=0)


def payloads(rng: random.Random) -> list[bytes]:
    """Return payloads of any bytes, of those that are escaped, and some whose check has bytes that are."""
    found = [bytes([FLAG, ESCAPE, FLAG, FLAG ^ 0x20, ESCAPE ^ 0x20, ESCAPE]), b"\0", rng.randbytes(17)]
    for place in range(4):
        for special in (FLAG, ESCAPE):
            while True:
                payload = rng.randbytes(rng.randrange(1, 4))
                # The check's bytes stand behind the payload, before escapes: a payload without any keeps places.
                line = frame(payload).strip(bytes([FLAG]))
                if not {FLAG, ESCAPE} & set(payload) and line[len(payload) + place :][:2] == bytes(
                    [ESCAPE, special ^ 0x20]
                ):
                    break
            found.append(payload)
    return found


def frames(data: Sequence[bytes]) -> tuple[list[Beat], list[Beat], list[int]]:
    """Return the beats of payloads, the bytes of the line, and in which cycles those come at full speed."""
    sent: list[Beat] = []
    expected: list[Beat] = []
    cycles: list[int] = []
    cycle = 0
    for payload in data:
        sent += [*({"s_data": byte, "s_end": 0} for byte in payload), {"s_data": FLAG, "s_end": 1}]
        line = frame(payload)
        # The beat that ends a frame takes a cycle of its own, behind the payload and before the check.
        check = 1 + len(payload) + sum(payload.count(special) for special in (FLAG, ESCAPE))
        cycles += [cycle + place + (place >= check) for place in range(len(line))]
        expected += [{"m_data": byte} for byte in line]
        cycle += len(line) + 1
    return sent, expected, cycles


@cocotb.test()
async def frames_on_the_line(dut: Any) -> None:
    """Frames without a pause go out at a byte a cycle, and come whole in every way to write and read."""
    module, rng = _module(dut), rng_for("frames")
    await module.start()
    sent, expected, cycles = frames(payloads(rng))
    add_to_report("frames_on_the_line", await every_way(module, sent, expected, cycles, rng))


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset leaves nothing of a frame, an escape that has gone least of all."""
    module, rng = _module(dut), rng_for("resets")
    await module.start()
    sent, expected, _ = frames([bytes([FLAG, 1, ESCAPE])])
    add_to_report("resets", await resets_anywhere(module, sent, expected, rng))
