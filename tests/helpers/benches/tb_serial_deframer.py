"""cocotb bench of ``qun_serial_deframer``: frames that are whole, damaged, too short and too long, in every cycle."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable
from typing import Any

import cocotb
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

from quantunet.serial_frames import CHECK_BYTES, ESCAPE, FLAG, MARK, frame

_OUTPUTS = ("open", "m_data", "m_valid", "m_end", "m_good", "m_bytes")

Came = tuple[int, bool]
"""A byte of the line and whether it is damaged."""

SILENCE: Came | None = None
"""What comes where nothing has come for too long."""


class Expected:
    """What the module has to say, of all that has come since the last flag."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.came: list[Came] | None = None  # until a flag

    def plain(self) -> tuple[bytes, bool]:
        """Return the bytes of the frame that have come, up to the first that is wrong, and whether all are right."""
        found, escaped = bytearray(), False
        for byte, damaged in self.came or ():
            if damaged or (escaped and byte == ESCAPE) or len(found) == self._most:
                return bytes(found), False
            if byte == ESCAPE:
                escaped = True
                continue
            found.append(byte ^ MARK if escaped else byte)
            escaped = False
        return bytes(found), not escaped

    def take(self, came: Came | None) -> dict[str, int]:
        """Return the outputs in the cycle behind something that comes, those that mean something."""
        if came is None:
            self.came = None
            return {"open": 0, "m_valid": 0, "m_end": 0}
        byte, damaged = came
        if byte == FLAG and not damaged:
            data, right = self.plain()
            payload, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
            good = right and bool(payload) and zlib.crc32(payload).to_bytes(CHECK_BYTES, "little") == check
            ended = bool(self.came)
            self.came = []
            said = {"m_good": int(good)} if ended else {}
            return {"open": 0, "m_valid": 0, "m_end": int(ended), **said, **({"m_bytes": len(data)} if good else {})}
        if self.came is None:
            return {"open": 0, "m_valid": 0, "m_end": 0}
        before, _ = self.plain()
        self.came.append(came)
        data, _ = self.plain()
        more = len(data) > len(before)
        return {"open": 1, "m_valid": int(more), "m_end": 0, **({"m_data": data[-1]} if more else {})}

    @property
    def rest(self) -> dict[str, int]:
        """The outputs behind a cycle in which nothing came."""
        return {"open": int(bool(self.came)), "m_valid": 0, "m_end": 0}


class Bench:
    """The module and what it has to say.

    Attributes:
        good: How many frames were.
    """

    def __init__(self, dut: Any, rng: random.Random) -> None:
        self.module = Clocked(dut, _OUTPUTS, s_data=0, s_valid=0, s_damaged=0, silence=0)
        self.most = parameters()["MostBytes"]
        self.expected = Expected(self.most)
        self.good = 0
        self._rng = rng
        self._next: dict[str, int] = self.expected.rest

    async def _tick(self, **inputs: int) -> None:
        await self.module.matches(self._next, **inputs)
        self.good += self._next.get("m_good", 0)
        self._next = self.expected.rest

    async def take(self, line: Iterable[Came | None], pauses: float) -> None:
        """Let bytes and silences come, with pauses so often."""
        for came in line:
            while self._rng.random() < pauses:
                await self._tick(s_data=self._rng.choice((FLAG, ESCAPE, 0)), s_damaged=self._rng.randrange(2))
            if came is None:
                late = self._rng.choice((FLAG, 0x51))  # comes in the same cycle, or not
                await self._tick(silence=1, s_valid=self._rng.randrange(2), s_data=late)
            else:
                await self._tick(s_valid=1, s_data=came[0], s_damaged=int(came[1]))
            self._next = self.expected.take(came)

    async def reset(self) -> None:
        """Reset, behind which a flag is waited for."""
        await self._tick(rst_n=0)
        self.expected = Expected(self.most)
        self._next = self.expected.rest


def right(data: bytes) -> list[Came]:
    """Return undamaged bytes."""
    return [(byte, False) for byte in data]


def lines(most: int, rng: random.Random) -> list[list[Came | None]]:
    """Return pieces of a line, each behind a whole frame: what may go wrong, and what is right at its limits."""

    def any_frame(size: int) -> bytes:
        return frame(bytes(rng.choice((FLAG, ESCAPE, rng.randrange(256))) for _ in range(size)))

    longest, kinds = most - CHECK_BYTES, range(1, most - CHECK_BYTES + 1)
    found: list[list[Came | None]] = [right(any_frame(rng.choice(kinds))) for _ in range(8)]
    found += [right(any_frame(size)) for size in (longest, longest + 1, longest + 2, 1, 0)]
    # Two flags, open escapes, an escape that is escaped, checks alone, bytes that are escaped and need not be.
    found.append(right(bytes([FLAG, FLAG, FLAG])))
    found.append(right(frame(b"Q")[:-1] + bytes([ESCAPE, FLAG])))
    found.append(right(bytes([FLAG, ESCAPE, ESCAPE, 0x51, FLAG])))
    found.append(right(bytes([FLAG, ESCAPE, FLAG, 0x41, FLAG])))
    found += [right(frame(b"Q")[:size] + bytes([FLAG])) for size in range(1, 6)]
    found.append(right(bytes([FLAG, ESCAPE, 0x51 ^ MARK]) + frame(b"Q")[2:]))
    found.append(right(bytes([FLAG, *[0x55] * most, ESCAPE, 0x5E, FLAG])))
    found.append(right(bytes([FLAG, *[0x55] * (most + 3), FLAG])))
    for _ in range(60):
        line = right(any_frame(rng.choice(kinds)))
        place = rng.randrange(len(line))
        byte = line[place][0]
        wrong: list[list[Came | None]] = [
            [(byte, True)], [(byte ^ 1 << rng.randrange(8), False)], [], [line[place]] * 2, [line[place], SILENCE],
            [SILENCE, line[place]], [(FLAG, True)], [(ESCAPE, True)], right(bytes([ESCAPE])), right(bytes([FLAG])),
        ]  # fmt: skip
        found.append([*line[:place], *rng.choice(wrong), *line[place + 1 :]])
    return found


@cocotb.test()
async def whatever_comes(dut: Any) -> None:
    """Frames of all kinds, each also behind a right one, with and without pauses."""
    bench = Bench(dut, rng_for("line"))
    await bench.module.start()
    rng = rng_for("lines")
    whole = 0
    for pauses in (0.0, 0.5):
        for line in lines(bench.most, rng):
            await bench.take(line, pauses)
            before = bench.good
            await bench.take([SILENCE] * rng.randrange(2) + right(frame(b"R")), pauses)
            await bench.take(right(bytes([FLAG])), pauses)
            await bench.take((), pauses)
            whole += bench.good > before
    assert whole == 2 * len(lines(bench.most, rng)), f"a right frame was lost behind another one: {whole}"
    add_to_report("whatever_comes", bench.module.compared)


@cocotb.test()
async def noise(dut: Any) -> None:
    """Bytes without sense, half of them flags and escapes, some damaged, some silences."""
    bench, rng = Bench(dut, rng_for("noise")), rng_for("bytes")
    await bench.module.start()
    line: list[Came | None] = []
    for _ in range(3000):
        byte = rng.choice((FLAG, ESCAPE, FLAG ^ MARK, rng.randrange(256)))
        line.append(SILENCE if rng.random() < 0.01 else (byte, rng.random() < 0.05))
    await bench.take(line, 0.1)
    add_to_report("noise", bench.module.compared)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset in any byte, of frames of all kinds; what comes up to a flag is dropped, and the next frame is right."""
    bench, rng = Bench(dut, rng_for("resets")), rng_for("frames")
    await bench.module.start()
    for line in lines(bench.most, rng)[:40]:
        await bench.take(line[: rng.randrange(1, len(line) + 1)], 0.0)
        await bench.reset()
        await bench.take([*right(b"\x51" * rng.randrange(3)), *right(frame(b"R"))], 0.0)
    add_to_report("resets", bench.module.compared)
