"""Some cycles of a waveform that a bench of this project has recorded (VCD, IEEE 1364)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from quantunet.errors import FileFormatError, StorageError
from quantunet.page.parts import Lane, Wave

LIMIT = 16 << 20
"""Bytes of the largest file that is read; one of a whole network may have more, and would take too long."""

STREAMS = 4
"""The most streams that are shown."""

_BEFORE, _AFTER = 5, 10  # a phone shows six cycles at once
_CYCLE = "cycle"
_SIGNAL = re.compile(r"(?P<stream>[A-Za-z]\w*)_(?P<wire>tvalid|tready|tlast|tdata)\Z")
_ORDER = ("tvalid", "tready", "tlast", "tdata")
_WHAT = "a waveform of a bench, with its counter of cycles"


@dataclass(frozen=True)
class _Signal:
    name: str
    bits: int
    code: bytes


def cut(path: Path, cycle: int | None) -> Wave | None:
    """Return the cycles around one of them, of the streams at the border of the design.

    Args:
        path: The VCD file.
        cycle: The cycle that it is about; ``None`` for the last one of the file.

    Returns:
        The waveform; ``None`` where the file is too large to be read for a page.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no such waveform, or does not hold the cycle.
    """
    try:
        if path.stat().st_size > LIMIT:
            return None
        with path.open("rb") as file:
            counter, signals = _header(path, file)
            middle = _last(path, file, counter) if cycle is None else cycle
            file.seek(0)
            _header(path, file)
            first = max(0, middle - _BEFORE)
            samples = _samples(file, counter, signals, range(first, middle + _AFTER + 1))
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    except ValueError as error:
        raise FileFormatError(str(path), expected=_WHAT, got=str(error)) from error
    if middle not in samples:
        raise FileFormatError(str(path), expected=f"cycle {middle}", got=f"cycles {_spelled(samples)}")
    shown = sorted(samples)
    lanes = [Lane(signal.name, signal.bits, [samples[at].get(signal.code, "x") for at in shown]) for signal in signals]
    caption = f"The streams of the design around cycle {middle}; a value passes where tvalid and tready are 1"
    return Wave(caption, shown[0], None if cycle is None else cycle, lanes)


def _header(path: Path, file: BinaryIO) -> tuple[bytes, list[_Signal]]:
    """Read up to the first value; return the counter's code, and the signals of the streams of the bench itself."""
    counter, found, depth = b"", dict[str, dict[str, _Signal]](), 0
    for line in file:
        words = line.decode(errors="replace").split()
        if not words:
            continue
        if words[0] == "$scope":
            depth += 1
        elif words[0] == "$upscope":
            depth -= 1
        elif words[0] == "$enddefinitions":
            break
        elif words[0] == "$var" and len(words) >= 5:
            _, _, bits, code, name = words[:5]
            match = _SIGNAL.match(name)
            if name == _CYCLE and not counter:
                counter = code.encode()
            elif match and depth <= _depth_of_bench(found, depth):
                found.setdefault(match["stream"], {"": _Signal("", depth, b"")})[match["wire"]] = _Signal(
                    name, int(bits), code.encode()
                )
    if not counter or not found:
        raise FileFormatError(str(path), expected=_WHAT, got="none of its signals")
    streams = list(found.values())[:STREAMS]
    return counter, [stream[wire] for stream in streams for wire in _ORDER if wire in stream]


def _depth_of_bench(found: dict[str, dict[str, _Signal]], depth: int) -> int:
    """Return the depth of the scope in which the first stream stood: the bench, outside of the design."""
    return next((stream[""].bits for stream in found.values()), depth)


def _changes(file: BinaryIO) -> Iterator[tuple[bytes, bytes] | None]:
    """Yield code and value of each change, and ``None`` where time goes on."""
    for line in file:
        kind = line[:1]
        if kind == b"#":
            yield None
        elif kind in b"bB" and kind:
            value, _, code = line[1:].strip().partition(b" ")
            yield code, value
        elif kind in b"01xXzZ" and kind:
            yield line[1:].strip(), kind
    yield None


def _last(path: Path, file: BinaryIO, counter: bytes) -> int:
    last = None
    for change in _changes(file):
        if change is not None and change[0] == counter and not set(change[1]) - set(b"01"):
            last = int(change[1], 2)
    if last is None:
        raise FileFormatError(str(path), expected=_WHAT, got="no cycle")
    return last


def _samples(file: BinaryIO, counter: bytes, signals: list[_Signal], wanted: range) -> dict[int, dict[bytes, str]]:
    """Return for each cycle the values that stand at its end, when the clock's edge takes them."""
    bits = {signal.code: signal.bits for signal in signals}
    values: dict[bytes, bytes] = {}
    samples: dict[int, dict[bytes, str]] = {}
    cycle = -1
    for change in _changes(file):
        if change is None:
            if cycle in wanted:
                samples[cycle] = {code: _hexadecimal(value, bits[code]) for code, value in values.items()}
            elif cycle >= wanted.stop:
                break
        elif change[0] == counter:
            cycle = int(change[1], 2) if not set(change[1]) - set(b"01") else -1
        elif change[0] in bits:
            values[change[0]] = change[1]
    return samples


def _hexadecimal(value: bytes, bits: int) -> str:
    if set(value) - set(b"01"):
        return "x"
    return f"{int(value, 2):0{-(-bits // 4)}x}"


def _spelled(samples: dict[int, dict[bytes, str]]) -> str:
    return f"{min(samples)} to {max(samples)}" if samples else "far from it"
