"""Beats: pack and unpack are inverse, and the layout is the documented one."""

from pathlib import Path

import numpy as np
import pytest

from quantunet.errors import FileFormatError, FoldingError, StorageError
from quantunet.ir import QType
from quantunet.streams import (
    binary_file,
    from_hex_lines,
    hex_lines,
    pack,
    packed_words,
    read_frames,
    to_groups,
    unpack,
    word_bytes,
    write_mem,
)


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("signed", [False, True])
def test_round_trip(bits: int, signed: bool) -> None:
    qtype = QType(bits, signed, 0)
    rng = np.random.default_rng(bits)
    for lanes in (1, 2, 3, 6):
        frames = rng.integers(qtype.qmin, qtype.qmax + 1, size=(2, 3, 4, 6))
        assert (unpack(pack(frames, lanes, bits), lanes, qtype, (3, 4, 6)) == frames).all()
        lines = hex_lines(to_groups(frames, lanes), bits)
        assert (from_hex_lines(lines.upper(), lanes, qtype, (3, 4, 6), "t") == frames).all()


def test_layout() -> None:
    """Lane 0 is least significant, channel groups are innermost, then x, then y."""
    tensor = np.arange(2 * 2 * 4).reshape(2, 2, 4)
    assert pack(tensor, 2, 4)[:5] == [0x10, 0x32, 0x54, 0x76, 0x98]
    assert pack(np.array([[[-1, 0]]]), 2, 3) == [0b000111]


@pytest.mark.parametrize("bits", [1, 3, 4, 5, 8, 9, 17, 33, 48])
@pytest.mark.parametrize("elements", [1, 3, 8])
def test_packed_binary_holds_the_words_of_the_hexadecimal_lines(bits: int, elements: int) -> None:
    rng = np.random.default_rng(bits)
    words = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), size=(7, elements))
    packed = packed_words(words, bits)
    assert packed.shape == (7, word_bytes(elements, bits))
    for row, line, word in zip(packed, hex_lines(words, bits).split(), words, strict=True):
        value = sum((int(element) & ((1 << bits) - 1)) << (bits * index) for index, element in enumerate(word))
        assert int.from_bytes(row.tobytes(), "big") == int(line, 16) == value


def test_packed_binary_of_small_integers() -> None:
    assert packed_words(np.array([[255, 1]], dtype=np.uint8), 8).tobytes() == b"\x01\xff"
    assert packed_words(np.array([[-1, 1]], dtype=np.int8), 9).tobytes() == b"\x00\x03\xff"


def test_lanes_must_divide() -> None:
    with pytest.raises(FoldingError, match="4 channels"):
        pack(np.zeros((1, 1, 4), dtype=np.int64), 3, 2)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "x.mem"
    write_mem(path, np.array([[1, -1], [2, 3]]), 4)
    assert path.read_text() == "f1\n32\n"
    assert binary_file(path).read_bytes() == bytes([0xF1, 0x32])
    assert read_frames(path, 2, QType(4, True, 0), (1, 2, 2)).tolist() == [[[[1, -1], [2, 3]]]]
    with pytest.raises(FileFormatError, match="whole frames of 3 lines"):
        read_frames(path, 2, QType(4, True, 0), (1, 3, 2))
    path.write_text("f1\n3x\n")
    with pytest.raises(FileFormatError, match="line 2"):
        read_frames(path, 2, QType(4, True, 0), (1, 2, 2))
    with pytest.raises(StorageError):
        read_frames(tmp_path / "none", 2, QType(4, True, 0), (1, 2, 2))
