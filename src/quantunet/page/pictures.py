"""Arrays become pictures of a page."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from quantunet.class_colours import MAX_CLASSES, Bytes, legend, palette
from quantunet.ir import Array
from quantunet.mask_pictures import Case, Classes, case_picture, rgb
from quantunet.page.parts import Legend, Picture

_LARGEST = 384
"""Pixels of a picture's longer side; of larger ones every second, third, ... pixel is shown."""


def png(pixels: Bytes) -> bytes:
    """Return a PNG file of ``(height, width, 3)``."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def picture(title: str, pixels: Bytes, alt: str, notes: Sequence[str] = ()) -> Picture:
    """Return a picture of ``(height, width, 3)``, made smaller by a whole factor where it is large."""
    step = -(-max(pixels.shape[:2]) // _LARGEST)
    if step > 1:
        pixels, notes = pixels[::step, ::step], [*notes, f"every {step}. pixel of each side is shown"]
    height, width = pixels.shape[:2]
    return Picture(title, png(np.ascontiguousarray(pixels)), width, height, alt, notes)


def input_bytes(codes: Array, low: int, high: int) -> Bytes:
    """Return the codes of a network's input as a picture: the least is black, the greatest white.

    Args:
        codes: ``(height, width, channels)``.
        low: The least code that there is.
        high: The greatest.
    """
    scaled = (codes.astype(np.int64) - low) * 255 // max(high - low, 1)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def segmentation(image: Bytes, classes: Classes, count: int) -> list[Picture]:
    """Return the input, the mask or class map, and both in one picture; nothing for what is no picture.

    Args:
        image: uint8 ``(height, width, channels)``.
        classes: The class of each pixel; bool for a mask.
        count: Classes; 2 for a mask.
    """
    if min(image.shape[:2]) < 2:
        return []
    found = [picture("Input", rgb(image), f"the input, {image.shape[1]} by {image.shape[0]} pixels", _size(image))]
    if count > MAX_CLASSES or min(classes.shape) < 2:
        return found
    shares = np.bincount(classes.ravel().astype(np.int64), minlength=count)
    white = palette(count) if count > 2 else np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    what = "mask" if count == 2 else f"map of {count} classes"
    said = f"{int(classes.size - shares[0])} of {classes.size} pixels are foreground"
    found.append(picture(f"Golden's {what}", white[classes.astype(np.int64)], f"golden's {what}: {said}", [said]))
    if (
        image.shape[0] % classes.shape[0] == 0
        and image.shape[0] // classes.shape[0] == image.shape[1] / classes.shape[1]
    ):
        over = case_picture(Case("", image, classes, classes))
        found.append(picture("Both", over, "the input with the foreground tinted and outlined"))
    return found


def _is_whole_multiple(size: Sequence[int], other: Sequence[int]) -> bool:
    factor = size[0] // other[0]
    return factor > 0 and tuple(size) == (factor * other[0], factor * other[1])


def _size(image: Bytes) -> list[str]:
    height, width, channels = image.shape
    return [f"{width} × {height} pixels, {channels} channel{'s' if channels > 1 else ''}"]


def class_legend(names: Sequence[str]) -> list[Legend]:
    """Return the colours of the classes as a list with at most one block, none where they have no names."""
    return [Legend(legend(names))] if names else []


def case(one: Case) -> Picture:
    """Return the image of a case beside the same image with the predicted mask and the reference."""
    left = rgb(one.image)
    gap = np.full((left.shape[0], max(1, left.shape[1] // 64), 3), 255, np.uint8)
    both = np.concatenate([left, gap, case_picture(one)], axis=1)
    alt = f"{one.title}: on the left the image, on the right the predicted mask over it with the reference's contour"
    return picture(one.title, both, alt)
