"""From a picture file to the pixels of a data set: gray, reduced, and its mask with it. No torch here.

What each step computes is fixed, because the digest of a data set rests on it: luma in integers, the mean of the pixels
whose centres lie in a box, and the mask's pixel at a box's centre.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantunet.errors import ImageError
from quantunet.images import picture_bytes, read_picture
from quantunet.model.masks import read_mask

_COLOURED = ("RGB", "RGBA", "P", "PA")


def read_values(path: Path) -> NDArray[np.uint8]:
    """Read a picture's bytes, gray where it says nothing in colour; alpha that is 255 everywhere is dropped.

    Returns:
        uint8 ``(height, width)``, or ``(height, width, 3)`` where a pixel's channels differ.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or no such picture.
        ImageError: It has values of more than 8 bits, transparency, several frames, or is neither gray nor RGB.
    """
    picture = read_picture(path)
    try:
        return picture_bytes(picture, 1, str(path))[:, :, 0]
    except ImageError:
        if picture.mode not in _COLOURED:
            raise
    return picture_bytes(picture, 3, str(path))


def luma(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return colour as gray by ITU-R 601 luma, in 16 fraction bits and rounded; what is gray stays as it is.

    Args:
        values: uint8 ``(height, width)`` or ``(height, width, 3)``.

    Returns:
        uint8 ``(height, width)``: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``.

    >>> luma(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]], np.uint8)).tolist()
    [[76, 150, 29, 9]]
    """
    return values if values.ndim == 2 else np.asarray(Image.fromarray(values).convert("L"))


def means(gray: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """Resize by the mean of the pixels whose centres lie in each target pixel's box, first along rows.

    A centre on the border of two boxes counts for the first. An axis that has to grow is interpolated linearly
    instead. Means are sums in double precision that are kept as float32 after each axis.

    Args:
        gray: uint8 ``(rows, columns)``.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        float32 ``(height, width)``, not rounded.

    >>> means(np.array([[0, 2, 4, 101, 104]], np.uint8), 1, 2).tolist()
    [[2.0, 102.5]]
    """
    picture = Image.fromarray(gray.astype(np.float32))
    picture = picture.resize((width, picture.height), _filter(picture.width, width))
    return np.asarray(picture.resize((width, height), _filter(picture.height, height)))


def _filter(size: int, target: int) -> Image.Resampling:
    return Image.Resampling.BOX if target <= size else Image.Resampling.BILINEAR


def reduced(gray: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return :func:`means`, rounded to the nearest byte, halves to the even one."""
    return np.rint(means(gray, height, width)).astype(np.uint8)


def at_centres(mask: NDArray[np.bool_] | NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a mask by the pixel under the centre of each target pixel; of two that touch there, the later.

    Args:
        mask: bool ``(rows, columns)``, or uint8, the class of each pixel.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 ``(height, width)`` of 0 and 1, or of the classes.

    >>> at_centres(np.array([[True, False, False, True, True]]), 1, 2).tolist()
    [[0, 1]]
    """
    rows, columns = (
        (2 * np.arange(n) + 1) * size // (2 * n) for n, size in ((height, mask.shape[0]), (width, mask.shape[1]))
    )
    return mask[np.ix_(rows, columns)].astype(np.uint8)


def read_mask_of(path: Path, image: Path, shape: tuple[int, int], threshold: int | None = None) -> NDArray[np.bool_]:
    """Read the mask of an image.

    Args:
        path: The mask's file.
        image: The image's, for the message.
        shape: Height and width of the image.
        threshold: Where given, the mask is gray and its foreground what is greater; otherwise the mask has two values.

    Returns:
        bool ``shape``.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or no such picture.
        ImageError: It has another size than the image, or values that are no mask; see
            :func:`~quantunet.model.masks.read_mask`.
    """
    mask = read_mask(path) if threshold is None else _above(path, threshold)
    check_mask_shape(mask.shape, path, image, shape)
    return mask


def check_mask_shape(found: tuple[int, ...], path: Path, image: Path, shape: tuple[int, int]) -> None:
    """Refuse a mask of another size than its image.

    Args:
        found: Height and width of the mask.
        path: Its file, for the message.
        image: The image's, likewise.
        shape: Height and width of the image.

    Raises:
        ImageError: They differ.
    """
    if found != shape:
        size, got = shape[::-1], found[::-1]
        turned = " Width and height are swapped: one of the two files is turned." if got == shape else ""
        raise ImageError(
            str(path),
            expected=f"a mask of {size[0]}x{size[1]} pixels (width x height), as {image.name} has them",
            got=f"{got[0]}x{got[1]}",
            hint=f"A mask is never stretched: make it from this picture.{turned}",
        )


def _above(path: Path, threshold: int) -> NDArray[np.bool_]:
    values = picture_bytes(read_picture(path), 1, str(path))[:, :, 0]
    if 0 < values.max() <= threshold:
        raise ImageError(
            str(path),
            expected=f"a mask with values above the threshold {threshold}, or of 0 alone",
            got=f"values up to {values.max()}",
            hint="Leave the threshold out where masks have two values, whichever they are.",
        )
    return np.asarray(values > threshold)
