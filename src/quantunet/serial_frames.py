"""Frames on the serial line of a board: flags, escapes, CRC-32; docs/serial.md is the specification.

A flag ends the frame before it and begins the next one. No other byte of the line is a flag, so that the frame behind
the next flag is found whatever was lost, garbled or added before.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

FLAG, ESCAPE, MARK = 0x7E, 0x7D, 0x20
CHECK_BYTES = 4
MOST_BYTES = 1 << 26
"""The longest frame that is kept: nothing sends a longer one."""


def frame(payload: bytes) -> bytes:
    """Return the bytes of the line for a frame.

    >>> frame(b"I").hex()
    '7e49b91602dd7e'
    >>> frame(b"~}").hex(), deframe(frame(b"~}"))
    ('7e7d5e7d5d064bd1de7e', [Frame(payload=b'~}', good=True)])
    """
    body = payload + zlib.crc32(payload).to_bytes(CHECK_BYTES, "little")
    escaped = body.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPE ^ MARK]))
    return bytes([FLAG]) + escaped.replace(bytes([FLAG]), bytes([ESCAPE, FLAG ^ MARK])) + bytes([FLAG])


@dataclass(frozen=True)
class Frame:
    """What stood between two flags.

    Attributes:
        payload: Its bytes without the check; of a damaged frame those that came.
        good: Whether its check is right.
    """

    payload: bytes
    good: bool


class Deframer:
    """Finds frames in the bytes of a line, as they come."""

    def __init__(self) -> None:
        self._body: bytearray | None = None  # until the first flag

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that end in some more bytes."""
        found = []
        pieces = data.split(bytes([FLAG]))
        for index, piece in enumerate(pieces):
            if index:
                if self._body:
                    found.append(_frame(bytes(self._body)))
                self._body = bytearray()
            if self._body is not None and len(self._body) < MOST_BYTES:
                self._body += piece
        return found


def deframe(data: bytes) -> list[Frame]:
    """Return the frames in some bytes of a line that begin at any place."""
    return Deframer().feed(data)


def _frame(body: bytes) -> Frame:
    pieces = body.split(bytes([ESCAPE]))
    plain = bytearray(pieces[0])
    whole = True
    for piece in pieces[1:]:
        whole = whole and bool(piece)
        plain += bytes([piece[0] ^ MARK]) + piece[1:] if piece else b""
    payload, check = bytes(plain[:-CHECK_BYTES]), bytes(plain[-CHECK_BYTES:])
    good = whole and bool(payload) and zlib.crc32(payload).to_bytes(CHECK_BYTES, "little") == check
    return Frame(payload, good)
