"""A serial line inside the simulator: bytes with wrong stop bits, at any baud rate, and a host on top of it."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, Timer
from cocotb.utils import get_sim_time

from quantunet.serial_frames import Deframer, Frame, frame
from quantunet.serial_link import BLOCK, ERROR, INFO, RESULT, TAKEN, WINDOW

Line = list[int]
"""Bytes as they go over the line; :data:`BROKEN` added to one makes its stop bit a 0."""

BROKEN = 256

_EARLY = 0.1
"""Of a bit: so near to its ends the design's bits are looked at; of 16 cycles a bit an edge may be late by 0.06."""


class SerialLine:
    """Drives the line into a design and reads the one out of it.

    Args:
        dut: The design.
        bit_ps: What a bit of the design lasts, in picoseconds.
        rx: The port on which it receives.
        tx: The port on which it sends.
    """

    def __init__(self, dut: Any, bit_ps: float, rx: str = "uart_rx", tx: str = "uart_tx") -> None:
        self._rx, self._tx = getattr(dut, rx), getattr(dut, tx)
        self._bit_ps = bit_ps
        self._deframer = Deframer()
        self.frames: deque[Frame] = deque()
        self.received = bytearray()
        self.busy = False  # for who feeds it
        self._rx.value = 1
        self._receiver = cocotb.start_soon(self._receive())

    def stop(self) -> None:
        """Leave the line into the design at rest, and do not listen: it is about to be reset."""
        self._rx.value = 1
        self._receiver.cancel()

    def listen(self) -> None:
        """Forget what the design has sent, and listen anew."""
        self._deframer = Deframer()
        self.frames.clear()
        self.received.clear()
        self._receiver = cocotb.start_soon(self._receive())

    async def send(self, line: Line, speed: float = 1.0) -> None:
        """Send bytes without a pause, ``speed`` times as fast as the design sends."""
        bits = [level for entry in line for level in (0, *(entry >> place & 1 for place in range(8)), entry < BROKEN)]
        start, bit = get_sim_time("ps"), self._bit_ps / speed
        for number, level in enumerate(bits):
            if number == 0 or level != bits[number - 1]:
                await _until(start + number * bit)
                self._rx.value = int(level)
        await _until(start + len(bits) * bit)
        self._rx.value = 1

    async def _receive(self) -> None:
        while True:
            await FallingEdge(self._tx)
            start = get_sim_time("ps")
            data = 0
            for place in range(8):
                early, late = [await self._level(start, place + 1 + part) for part in (_EARLY, 1 - _EARLY)]
                assert early == late, "a bit of the design lasts too long, or not long enough"
                data |= early << place
            assert await self._level(start, 9 + _EARLY) == 1, "the design sends a byte without a stop bit"
            self.received.append(data)
            self.frames.extend(self._deframer.feed(bytes([data])))

    async def _level(self, start: float, bits: float) -> int:
        """Return what the design sends some bits after a start bit began."""
        await _until(start + bits * self._bit_ps)
        return int(self._tx.value)

    async def next_frame(self, bits: float) -> bytes | None:
        """Return the next frame that the design sends; ``None`` if none ends within the time of some bits."""
        end = get_sim_time("ps") + bits * self._bit_ps
        while not self.frames:
            if get_sim_time("ps") >= end:
                return None
            await Timer(round(5 * self._bit_ps), "ps")
        found = self.frames.popleft()
        assert found.good, "the design sends a frame with a wrong check"
        return found.payload

    async def quiet(self, bits: float) -> list[bytes]:
        """Wait for the time of some bits and return the frames that have come."""
        await Timer(round(bits * self._bit_ps), "ps")
        found = [entry.payload for entry in self.frames]
        assert all(entry.good for entry in self.frames)
        self.frames.clear()
        return found


async def _until(time: float) -> None:
    rest = round(time) - round(get_sim_time("ps"))
    if rest > 0:
        await Timer(rest, "ps")


def blocks_of(data: bytes, number: int, block_bytes: int) -> list[Line]:
    """Return the frames of a picture as they go over the line."""
    pieces = [data[start : start + block_bytes] for start in range(0, len(data), block_bytes)]
    return [list(frame(BLOCK + bytes([number, index]) + piece)) for index, piece in enumerate(pieces)]


async def ask(line: SerialLine, bits: float) -> bytes:
    """Return what the design says of itself."""
    await line.send(list(frame(INFO)))
    found = await line.next_frame(bits)
    assert found is not None and found[:1] == INFO, found
    return found


async def exchange(
    line: SerialLine, number: int, blocks: list[Line], size: int, bits: float, speed: float = 1.0
) -> tuple[bytes, list[int]]:
    """Send a picture by the rules, and return its result, if it comes, and the codes of the errors that came."""
    sent, taken, parts, result, errors = 0, 0, 0, bytearray(), []
    while not errors and (len(result) < size or taken < len(blocks)):
        if sent < len(blocks) and sent - taken < WINDOW and not line.frames:
            await line.send(blocks[sent], speed)
            sent += 1
            continue
        payload = await line.next_frame(bits)
        if payload is None:
            break
        if payload[:1] == ERROR:
            errors.append(payload[2])
        elif payload[1] == number and payload[:1] == TAKEN:
            assert payload[2] == taken, f"block {payload[2]} is said to be taken, and not {taken}"
            taken += 1
        elif payload[1] == number and payload[:1] == RESULT:
            assert payload[2] == parts, "a part of the result is missing"
            parts += 1
            result += payload[3:]
    return bytes(result), errors
