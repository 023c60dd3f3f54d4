"""Groups of images that show nearly the same: by a difference hash and by correlation, exact on every machine.

The hash and the thumbnails are integers, sums of their products are exact in double precision, and each correlation
then takes one multiplication, two square roots and one division, which IEEE 754 rounds in one way. No torch here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantunet.model.pictures import means, reduced

SIDE = 64
"""Height and width at which images are correlated."""

_BLOCK = 256
_BITS = 64


class Near(NamedTuple):
    """Two images are near where both hold.

    Attributes:
        distance: The most bits, of 64, in which their hashes differ.
        correlation: The least correlation of their thumbnails, -1 to 1.
    """

    distance: int
    correlation: float


Rule = Sequence[Near]
"""Two images are joined where one of them holds."""

ULTRASOUND: Rule = (Near(6, -1), Near(10, 0.82), Near(_BITS, 0.92))
"""For frames of a scanner: the rules of ``busi_128.npz`` but for those that shift images or match features."""

MICROSCOPY: Rule = (Near(6, 0.90), Near(_BITS, 0.97))
"""For fields that look alike without being the same, as cells do."""


class Fingerprint(NamedTuple):
    """What of an image is compared.

    Attributes:
        bits: bool ``(64,)``, the difference hash.
        thumbnail: uint8 ``(64, 64)``.
    """

    bits: NDArray[np.bool_]
    thumbnail: NDArray[np.uint8]


def fingerprint(gray: NDArray[np.uint8]) -> Fingerprint:
    """Return what of an image is compared with others.

    The hash says of the image at 8 rows and 9 columns, row by row, whether a pixel is lighter than the one to its left.

    Args:
        gray: uint8 ``(height, width)``, as large as there is.

    >>> bits, thumbnail = fingerprint(np.tile(np.arange(90, dtype=np.uint8), (80, 1)))
    >>> bool(bits.all()), thumbnail.shape
    (True, (64, 64))
    """
    small = means(gray, 8, 9)
    return Fingerprint((small[:, 1:] > small[:, :-1]).reshape(_BITS), reduced(gray, SIDE, SIDE))


def hash_codes(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return hashes as numbers, the first bit being the most significant.

    Args:
        bits: bool ``(n, 64)``.

    Returns:
        uint64 ``(n,)``.

    >>> hash_codes(np.arange(64)[None] >= 62).tolist()
    [3]
    """
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64)[:, 0]


def near_groups(prints: Sequence[Fingerprint], rule: Rule) -> NDArray[np.int64]:
    """Join images that are near each other, and chains of them, into groups.

    Args:
        prints: Of each image.
        rule: What near means.

    Returns:
        int64 ``(n,)``: groups, numbered from 0 in the order of their first images.
    """
    bits = np.stack([each.bits for each in prints]).astype(np.float64)
    pixels = np.stack([each.thumbnail.reshape(-1) for each in prints]).astype(np.float64)
    group = np.arange(len(prints), dtype=np.int64)
    for begin in range(0, len(prints), _BLOCK):
        end = min(begin + _BLOCK, len(prints))
        differing = _distances(bits[begin:end], bits[:end])
        alike = _correlations(pixels[begin:end], pixels[:end])
        near = np.any([(differing <= each.distance) & (alike >= each.correlation) for each in rule], axis=0)
        for index in range(begin, end):
            found = group[: index + 1][near[index - begin, : index + 1] | (np.arange(index + 1) == index)]
            group[np.isin(group, found)] = found.min()
    return numbered(group)


def numbered(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Number what is equal, from 0 in the order of first occurrence.

    >>> numbered(np.array(["b", "a", "b", "c"])).tolist()
    [0, 1, 0, 2]
    """
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    place: NDArray[np.int64] = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return np.asarray(place[inverse.reshape(-1)])


def _distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits that differ, ``(n, m)``, of 0 and 1 ``(n, 64)`` and ``(m, 64)``."""
    return np.asarray(one.sum(axis=1)[:, None] + other.sum(axis=1) - 2 * (one @ other.T))


def _correlations(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation, ``(n, m)``, of bytes ``(n, pixels)`` and ``(m, pixels)``; 0 with an image that is one value.

    All sums are below 2**53, so that their order does not matter.
    """
    count = one.shape[1]
    common = count * (one @ other.T) - np.outer(one.sum(axis=1), other.sum(axis=1))
    deviation = [np.sqrt(count * (each * each).sum(axis=1) - each.sum(axis=1) ** 2) for each in (one, other)]
    both = np.outer(*deviation)
    found: NDArray[np.float64] = np.zeros_like(both)
    np.divide(common, both, out=found, where=both > 0)
    return found
