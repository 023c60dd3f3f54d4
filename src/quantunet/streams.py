"""Beats: the one place that says how a tensor becomes a stream and back.

A beat holds ``lanes`` channels of one pixel, lane 0 in the least significant bits; pixels come in raster order, the
channel groups of a pixel one after the other. Negative values stand in two's complement.

A memory or a stream on disk has two forms with the same words: lines of hexadecimal digits, which ``$readmemh`` and
synthesis read, and packed binary, which ``$fread`` reads ten times faster: each word in whole bytes, the most
significant byte first, the bits above the word zero.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from quantunet.errors import FileFormatError, FoldingError, StorageError
from quantunet.ir import Array, QType, Shape
from quantunet.storage import write_bytes

_Integer = TypeVar("_Integer", bound=np.integer)

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def to_groups(tensor: npt.NDArray[_Integer], lanes: int) -> npt.NDArray[_Integer]:
    """Reshape a tensor to one row a beat.

    Args:
        tensor: Integers ``(..., height, width, channels)``; leading axes are frames.
        lanes: Channels in a beat.

    Returns:
        The same integers, ``(beats, lanes)``.

    Raises:
        FoldingError: ``lanes`` does not divide the channels.
    """
    channels = tensor.shape[-1]
    if lanes < 1 or channels % lanes:
        raise FoldingError("stream", expected=f"a lane count that divides {channels} channels", got=str(lanes))
    return np.ascontiguousarray(tensor).reshape(-1, lanes)


def pack(tensor: Array, lanes: int, bits: int) -> list[int]:
    """Return the beats of a tensor as non-negative Python integers.

    Args:
        tensor: int64 ``(..., height, width, channels)``.
        lanes: Channels in a beat.
        bits: Width of one channel.

    Raises:
        FoldingError: ``lanes`` does not divide the channels.

    >>> pack(np.array([[[1, -1, 2, 3]]]), lanes=2, bits=4) == [0xF1, 0x32]
    True
    """
    return [int(line, 16) for line in hex_lines(to_groups(tensor, lanes), bits).decode().split()]


def unpack(beats: list[int], lanes: int, qtype: QType, shape: Shape) -> Array:
    """Return the tensor that a list of beats holds; the inverse of :func:`pack`.

    Args:
        beats: One non-negative integer a beat.
        lanes: Channels in a beat.
        qtype: The type of a channel.
        shape: ``(height, width, channels)`` of one frame.

    Returns:
        int64 ``(frames, height, width, channels)``.

    Raises:
        FileFormatError: The beats do not fill whole frames.
    """
    digits = -(-lanes * qtype.bits // 4)
    text = "\n".join(f"{beat:0{digits}x}" for beat in beats) + "\n"
    return from_hex_lines(text.encode(), lanes, qtype, shape, "stream")


def word_bytes(elements: int, bits: int) -> int:
    """Return the bytes of a word of packed binary: ``elements`` of ``bits`` each, filled up to a whole byte."""
    return -(-elements * bits // 8)


def packed_words(words: npt.NDArray[np.integer], bits: int) -> npt.NDArray[np.uint8]:
    """Return words as packed binary, as ``$fread`` reads them.

    Args:
        words: Integers of any width, ``(depth, elements)``; element 0 goes to the least significant bits.
        bits: Width of one element, 1 to 64; higher bits of an integer are left out.

    Returns:
        uint8 ``(depth, word_bytes(elements, bits))``, the most significant byte first.

    >>> packed_words(np.array([[1, -1, 2]]), bits=4).tobytes().hex()
    '02f1'
    """
    depth, elements = words.shape
    size = next(size for size in (1, 2, 4, 8) if bits <= 8 * size)
    raw = np.ascontiguousarray(words.astype(f"<i{size}", casting="unsafe")).view(np.uint8)
    planes = np.unpackbits(raw.reshape(depth * elements, size), axis=1, count=bits, bitorder="little")
    return np.packbits(planes.reshape(depth, elements * bits), axis=1, bitorder="little")[:, ::-1]


def hex_lines(words: npt.NDArray[np.integer], bits: int) -> bytes:
    """Return one line of hexadecimal digits a word, as ``$readmemh`` reads them.

    Args:
        words: Integers ``(depth, elements)``; element 0 goes to the least significant bits.
        bits: Width of one element.
    """
    return _hex(packed_words(words, bits), words.shape[1] * bits)


def _hex(packed: npt.NDArray[np.uint8], width: int) -> bytes:
    digits = -(-width // 4)
    nibbles = np.stack([packed >> 4, packed & 15], axis=2).reshape(len(packed), -1)[:, -digits:]
    text = np.full((len(packed), digits + 1), ord("\n"), dtype=np.uint8)
    text[:, :digits] = _HEX[nibbles]
    return text.tobytes()


def from_hex_lines(text: bytes, lanes: int, qtype: QType, shape: Shape, where: str) -> Array:
    """Return the tensor that lines of hexadecimal digits hold; the inverse of :func:`hex_lines` on beats.

    Args:
        text: Lines of equal length.
        lanes: Channels in a line.
        qtype: The type of a channel.
        shape: ``(height, width, channels)`` of one frame.
        where: The file's name, for the error message.

    Returns:
        int64 ``(frames, height, width, channels)``.

    Raises:
        FileFormatError: Wrong digits (an ``x`` from the simulator too), or not whole frames.
    """
    height, width, channels = shape
    digits = -(-lanes * qtype.bits // 4)
    raw: npt.NDArray[np.uint8] = np.frombuffer(text, dtype=np.uint8)
    beats_per_frame = height * width * channels // lanes
    if raw.size % (digits + 1) or (raw.size // (digits + 1)) % beats_per_frame:
        raise FileFormatError(
            where,
            expected=f"whole frames of {beats_per_frame} lines with {digits} digits",
            got=f"{raw.size / (digits + 1):g} lines",
        )
    lines = raw.reshape(-1, digits + 1)[:, :digits][:, ::-1]
    values = np.full(256, 255, dtype=np.uint8)
    for value, character in enumerate(b"0123456789abcdef"):
        values[character] = value
    values[list(b"ABCDEF")] = np.arange(10, 16)
    nibbles = values[lines]
    if (nibbles == 255).any():
        line = int(np.argwhere((nibbles == 255).any(axis=1))[0, 0])
        raise FileFormatError(
            where, expected="hexadecimal digits", got=f"line {line + 1}: {bytes(lines[line][::-1])!r}"
        )
    planes = ((nibbles[:, :, None] >> np.arange(4, dtype=np.uint8)) & 1).reshape(len(lines), digits * 4)
    elements = planes[:, : lanes * qtype.bits].reshape(-1, lanes, qtype.bits).astype(np.int64)
    integers = elements @ (np.int64(1) << np.arange(qtype.bits, dtype=np.int64))
    if qtype.signed:
        integers = np.where(integers > qtype.qmax, integers - (1 << qtype.bits), integers)
    return integers.reshape(-1, height, width, channels)


def binary_file(path: Path) -> Path:
    """Return the packed binary that stands beside a memory file of hexadecimal lines."""
    return path.with_name(f"{path.name}.bin")


def memory_files(path: Path, words: npt.NDArray[np.integer], bits: int) -> dict[Path, bytes]:
    """Return both files of a memory and their content: for ``$readmemh`` and synthesis, and for ``$fread``.

    Args:
        path: The file of hexadecimal lines.
        words: Integers ``(depth, elements)``; element 0 in the least significant bits.
        bits: Width of one element.
    """
    packed = packed_words(words, bits)
    return {path: _hex(packed, words.shape[1] * bits), binary_file(path): packed.tobytes()}


def write_mem(path: Path, words: npt.NDArray[np.integer], bits: int) -> None:
    """Write both files of a memory; see :func:`memory_files`.

    Raises:
        StorageError: A file cannot be written.
    """
    for file, data in memory_files(path, words, bits).items():
        write_bytes(file, data)


def read_frames(path: Path, lanes: int, qtype: QType, shape: Shape) -> Array:
    """Read the frames that a simulation wrote as hexadecimal lines.

    Returns:
        int64 ``(frames, height, width, channels)``.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It does not hold whole frames.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise StorageError(str(path), expected="a file that can be read", got=error.strerror or str(error)) from error
    return from_hex_lines(text, lanes, qtype, shape, str(path))
