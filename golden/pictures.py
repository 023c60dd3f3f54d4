"""From a picture of any size to a network's image, and from its pixels back: in integers, so one result everywhere.

Each value of the image is an exact fraction, rounded once, halves to the even byte. Along an axis that shrinks it is
the mean of the pixels whose centres lie in the target pixel's box, of which a centre on the border of two counts for
the first; along one that grows or stays it is linear between the two nearest centres. A pixel of the picture then gets
the network's pixel under its centre, the later of two that touch there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from quantunet.errors import ShapeError
from quantunet.ir import Array

Fit = Literal["stretch", "letterbox"]
"""``stretch`` fills the image and gives proportions up; ``letterbox`` keeps them, with black bars of equal width."""

FITS: tuple[Fit, ...] = get_args(Fit)
RULE = "box mean or linear, exact, rounded half to even"
"""What a model card calls the rule of this module."""

Bytes = npt.NDArray[np.uint8]
_Kind = TypeVar("_Kind", bound=np.generic)


@dataclass(frozen=True)
class Frame:
    """Where a picture lies in a network's image; what is around it is black.

    Attributes:
        picture: Height and width of the picture.
        image: Those of the network's image.
        top: First row of the picture in the image.
        left: Its first column.
        height: Rows of the image that the picture fills.
        width: Columns, likewise.
    """

    picture: tuple[int, int]
    image: tuple[int, int]
    top: int
    left: int
    height: int
    width: int


def frame(picture: tuple[int, int], image: tuple[int, int], fit: Fit) -> Frame:
    """Return where a picture lies in an image.

    In a letterbox one side of the picture fills the image, and the other, ``side * filled / whole``, is rounded to the
    nearest pixel, halves up, to one at least. Of an odd number of black rows or columns the second bar has one more.

    Args:
        picture: Height and width of the picture.
        image: Those of the network's image.
        fit: How.

    >>> frame((420, 500), (128, 128), "letterbox")
    Frame(picture=(420, 500), image=(128, 128), top=10, left=0, height=108, width=128)
    """
    (rows, columns), (height, width) = picture, image
    if fit == "stretch":
        return Frame(picture, image, 0, 0, height, width)
    if rows * width >= columns * height:  # the picture is the taller one
        filled = height, max(1, (2 * columns * height + rows) // (2 * rows))
    else:
        filled = max(1, (2 * rows * width + columns) // (2 * columns)), width
    return Frame(picture, image, (height - filled[0]) // 2, (width - filled[1]) // 2, *filled)


def luma(colour: Bytes) -> Bytes:
    """Return gray by ITU-R 601 luma in 16 fraction bits, rounded: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``.

    Args:
        colour: uint8 ``(..., 3)``.

    Returns:
        uint8 ``(..., 1)``.

    >>> luma(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8))[:, 0].tolist()
    [76, 150, 29, 9]
    """
    red, green, blue = (colour[..., channel].astype(np.uint32) for channel in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).astype(np.uint8)[..., None]


def to_image(picture: Bytes, place: Frame) -> Bytes:
    """Return the network's image of a picture.

    Args:
        picture: uint8 ``(height, width, channels)``.
        place: Where it lies.

    Returns:
        uint8 ``(height, width, channels)`` of the image.

    Raises:
        ShapeError: The picture is not the one of the frame.

    >>> row = np.array([[[0], [2], [4], [101], [104]]], np.uint8)
    >>> to_image(row, frame((1, 5), (1, 2), "stretch"))[0, :, 0].tolist()
    [2, 102]
    >>> to_image(row[:, :2], frame((1, 2), (3, 4), "letterbox"))[:, :, 0].tolist()
    [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 0, 0]]
    """
    if picture.shape[:2] != place.picture:
        raise ShapeError("picture", expected=f"{place.picture} (height, width)", got=str(picture.shape[:2]))
    rows = _resampled(picture, 0, place.height)
    both = _resampled(rows.sums, 1, place.width)
    divisor = rows.divisors[:, None, None] * both.divisors[None, :, None]
    quotient, rest = np.divmod(both.sums, divisor)
    quotient += (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    image: Bytes = np.zeros((*place.image, picture.shape[2]), np.uint8)
    image[place.top : place.top + place.height, place.left : place.left + place.width] = quotient
    return image


class _Sums(NamedTuple):
    """Sums along one axis, and what each of its entries is to be divided by."""

    sums: Array
    divisors: Array


def _resampled(values: npt.NDArray[Any], axis: int, target: int) -> _Sums:
    size = values.shape[axis]
    steps = np.arange(target, dtype=np.int64)
    if target < size:
        starts = (2 * steps * size // target + 1) // 2
        return _Sums(np.add.reduceat(values, starts, axis=axis, dtype=np.int64), np.diff(starts, append=size))
    place = (2 * steps + 1) * size - target  # of the centre, in 1 / (2 target) of a pixel
    before, part = np.divmod(place, 2 * target)
    shape = [-1 if each == axis else 1 for each in range(values.ndim)]
    low, high = (values.take(each.clip(0, size - 1), axis=axis).astype(np.int64) for each in (before, before + 1))
    weight = part.reshape(shape)
    return _Sums((2 * target - weight) * low + weight * high, np.full(target, 2 * target))


def to_picture(values: npt.NDArray[_Kind], place: Frame) -> npt.NDArray[_Kind]:
    """Return what the pixels of a network's image say of each pixel of the picture.

    Args:
        values: ``(height, width)`` of the image, or with more axes behind.
        place: Where the picture lies.

    Returns:
        ``(height, width)`` of the picture, and the axes behind.

    Raises:
        ShapeError: The values are not those of the frame's image.

    >>> to_picture(np.array([[1, 2]]), frame((2, 5), (1, 2), "stretch")).tolist()
    [[1, 1, 2, 2, 2], [1, 1, 2, 2, 2]]
    """
    if values.shape[:2] != place.image:
        raise ShapeError("image", expected=f"{place.image} (height, width)", got=str(values.shape[:2]))
    rows, columns = (
        first + (2 * np.arange(size) + 1) * filled // (2 * size)
        for first, filled, size in (
            (place.top, place.height, place.picture[0]),
            (place.left, place.width, place.picture[1]),
        )
    )
    return np.asarray(values[rows[:, None], columns[None, :]])
