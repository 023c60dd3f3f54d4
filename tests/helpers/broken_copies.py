"""Files that were damaged on the way, by a seeded generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def damaged(files: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield damaged copies of files.

    Args:
        files: Whole files; each is taken in turn.
        count: How many copies.
        seed: Of the generator.

    Yields:
        A copy with one to eight other bytes, a cut end, a part left out, doubled, zeroed or put elsewhere, or another
        32-bit number at some place.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        raw = bytearray(files[number % len(files)])
        at = int(rng.integers(len(raw)))
        length = int(rng.integers(1, 64))
        kind = int(rng.integers(8))
        if kind <= 2:
            for _ in range(int(rng.integers(1, 9))):
                raw[int(rng.integers(len(raw)))] = int(rng.integers(256))
        elif kind == 3:
            del raw[at:]
        elif kind == 4:
            del raw[at : at + length]
        elif kind == 5:
            raw[at:at] = raw[at : at + length]
        elif kind == 6:
            raw[at : at + length] = bytes(len(raw[at : at + length]))
        else:
            number32 = int(rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, int(rng.integers(1 << 32))]))
            raw[at : at + 4] = number32.to_bytes(4, "little")
        yield bytes(raw)
