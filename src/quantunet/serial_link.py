"""The host's side of a board's serial line: asks what is there, sends pictures, gathers results; docs/serial.md."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from quantunet.errors import DeviceLineError, DeviceNetworkError, DeviceSilentError
from quantunet.ir import Graph
from quantunet.serial_frames import Deframer, Frame, frame
from quantunet.serial_payload import DIGEST_BYTES, network_digest, picture_bytes, result_bytes

logger = logging.getLogger(__name__)

VERSION = 1
INFO, BLOCK, TAKEN, RESULT, ERROR = b"I", b"P", b"A", b"R", b"E"
"""The first byte of a frame."""

ERRORS = {
    1: "a damaged frame",
    2: "a frame of an unknown kind",
    3: "a frame of a wrong length",
    4: "a block out of order",
    5: "a block for which it had no place",
    6: "silence within a frame or a picture",
}
"""What a board refuses, by the code of its reply."""

WINDOW = 2
"""Blocks that may be on their way: a board has place for so many."""

_INFO_BYTES = 2 + DIGEST_BYTES + 4 + 4 + 2 + 1


class Port(Protocol):
    """A serial port, as pyserial has it."""

    def read(self, size: int = 1) -> bytes:
        """Return at least one byte, or none after the port's own time."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""
        ...

    @property
    def in_waiting(self) -> int:
        """Bytes that have come and have not been read."""
        ...


@dataclass(frozen=True)
class Info:
    """What a board says of itself.

    Attributes:
        version: Version of the protocol.
        digest: Digest of the network.
        picture_bytes: Bytes of a picture.
        result_bytes: Bytes of a result.
        block_bytes: Bytes of a block, but for the last of a picture.
        frame_error: Whether the network has seen a picture of a wrong length since reset.
    """

    version: int
    digest: bytes
    picture_bytes: int
    result_bytes: int
    block_bytes: int
    frame_error: bool


class Link:
    """A board behind a serial port.

    Args:
        port: The port.
        name: Its name, for messages.
        timeout: Seconds without an answer after which there is none.
    """

    def __init__(self, port: Port, name: str, timeout: float) -> None:
        self._port = port
        self._name = name
        self._timeout = timeout
        self._deframer = Deframer()
        self._waiting: deque[Frame] = deque()
        self._picture = 0

    def info(self) -> Info:
        """Ask the board what it is.

        Raises:
            DeviceSilentError: Nothing answers.
            DeviceLineError: The answer is damaged, or of another protocol.
        """
        self._port.write(frame(INFO))
        while True:
            payload = self._next()
            if payload[:1] == INFO:
                return self._info(payload)

    def check(self, graph: Graph) -> Info:
        """Ask the board what it is, and see that it holds a network.

        Raises:
            DeviceSilentError: Nothing answers.
            DeviceLineError: The answer is damaged, or of another protocol.
            DeviceNetworkError: It holds another network.
        """
        info = self.info()
        wanted = (network_digest(graph), picture_bytes(graph), result_bytes(graph))
        if (info.digest, info.picture_bytes, info.result_bytes) != wanted:
            raise DeviceNetworkError(
                self._name,
                expected=f"a board with the network {graph.name}, {_described(*wanted)}",
                got=_described(info.digest, info.picture_bytes, info.result_bytes),
                hint="Load the bitstream of this network.",
            )
        return info

    def run(self, data: bytes, info: Info) -> bytes:
        """Send a picture and return its result; both stream at the same time.

        Args:
            data: The picture's bytes.
            info: What the board has said of itself.

        Raises:
            DeviceSilentError: The board stops answering.
            DeviceLineError: Something was damaged, lost or refused; :meth:`settle` makes the line ready to try again.
        """
        self._picture = (self._picture + 1) % 256
        blocks = [data[start : start + info.block_bytes] for start in range(0, len(data), info.block_bytes)]
        sent, taken, parts, result = 0, 0, 0, bytearray()
        while len(result) < info.result_bytes or taken < len(blocks):
            while sent < len(blocks) and sent - taken < WINDOW:
                self._port.write(frame(BLOCK + bytes([self._picture, sent]) + blocks[sent]))
                sent += 1
            payload = self._next()
            kind, number = payload[:1], payload[1:2]
            if kind == ERROR and len(payload) == 3:
                said = ERRORS.get(payload[2], f"something by the code {payload[2]}")
                raise self._line_error("a picture that the board takes", f"a reply that it refused {said}")
            if number != bytes([self._picture]) or len(payload) < 3:
                continue  # of a picture that was given up
            if kind == TAKEN:
                taken = max(taken, payload[2] + 1)
            elif kind == RESULT:
                if payload[2] != parts % 256:
                    raise self._line_error(f"part {parts % 256} of the result", f"part {payload[2]}")
                parts += 1
                result += payload[3:]
        if len(result) != info.result_bytes:
            raise self._line_error(f"a result of {info.result_bytes} bytes", f"{len(result)} bytes")
        return bytes(result)

    def settle(self) -> None:
        """Read away what belongs to a picture that has failed: a question is sent, and all before its answer is old.

        The answer comes behind what the board had to say before, or, if it is lost, the time for it passes.
        """
        self._waiting.clear()
        self._port.write(frame(INFO))
        end = time.monotonic() + self._timeout
        while time.monotonic() < end:
            self._read()
            while self._waiting:
                found = self._waiting.popleft()
                if found.good and found.payload[:1] == INFO:
                    return

    def _next(self) -> bytes:
        """Return the next whole frame's bytes."""
        end = time.monotonic() + self._timeout
        while not self._waiting:
            if self._read():
                end = time.monotonic() + self._timeout
            elif time.monotonic() > end:
                raise DeviceSilentError(
                    self._name,
                    expected=f"an answer within {self._timeout:g} s",
                    got="none",
                    hint="Is the board on, its bitstream loaded, and the baud rate the one that it was built for?",
                )
        found = self._waiting.popleft()
        if not found.good:
            raise self._line_error("frames with a right check", f"a damaged one of {len(found.payload)} bytes")
        return found.payload

    def _read(self) -> int:
        data = self._port.read(max(1, self._port.in_waiting))
        self._waiting.extend(self._deframer.feed(data))
        return len(data)

    def _info(self, payload: bytes) -> Info:
        if len(payload) != _INFO_BYTES or payload[1] != VERSION:
            raise self._line_error(
                f"a board that speaks version {VERSION} of the protocol",
                f"version {payload[1]}, {len(payload)} bytes" if len(payload) > 1 else f"{len(payload)} bytes",
            )
        sizes = payload[2 + DIGEST_BYTES :]
        return Info(
            version=payload[1],
            digest=payload[2 : 2 + DIGEST_BYTES],
            picture_bytes=int.from_bytes(sizes[:4], "little"),
            result_bytes=int.from_bytes(sizes[4:8], "little"),
            block_bytes=int.from_bytes(sizes[8:10], "little"),
            frame_error=bool(sizes[10] & 1),
        )

    def _line_error(self, expected: str, got: str) -> DeviceLineError:
        return DeviceLineError(
            self._name, expected=expected, got=got, hint="Is the cable sound, and the baud rate right?"
        )


def _described(digest: bytes, picture: int, result: int) -> str:
    return f"{digest.hex()}, {picture} bytes in and {result} out"
