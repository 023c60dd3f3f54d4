"""What classes look like: a colour for each, and a legend that says which is whose."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Bytes = npt.NDArray[np.uint8]

MAX_CLASSES = 256
"""A class map is a picture with a palette."""

LINE = 16
"""Height of a line of text in Pillow's own font, with some space."""

_FIRST = ((0, 0, 0), (255, 80, 60), (70, 140, 255), (255, 210, 60), (80, 220, 120), (220, 100, 255), (60, 220, 230))
_GAP = 4


def palette(classes: int) -> Bytes:
    """Return a colour for each class, all different; class 0, the background, is black.

    Args:
        classes: At most 256.

    Returns:
        uint8 ``(classes, 3)``.
    """
    golden_ratio = 0.618034
    more = [
        colorsys.hsv_to_rgb(index * golden_ratio % 1, (0.9, 0.55)[index % 2], (1.0, 0.75, 0.5)[index % 3])
        for index in range(len(_FIRST), classes)
    ]
    colours = [*_FIRST, *(tuple(round(255 * part) for part in colour) for colour in more)]
    return np.array(colours[:classes], np.uint8)


def label(index: int, name: str | None) -> str:
    """Return how a class is called: its index, and its name where somebody says it.

    >>> label(2, "liver"), label(2, None)
    ('2 liver', '2')
    """
    return f"{index} {name}" if name else str(index)


def score_label(key: str, names: Sequence[str]) -> str:
    """Return what a score is called by its key, of which the last part may be the index of a class.

    >>> score_label("dice_2", ("background", "liver", "tumour")), score_label("image_dice", ())
    ('dice 2 tumour', 'image dice')
    """
    kind, _, last = key.rpartition("_")
    if names and last.isdecimal():
        return f"{kind.replace('_', ' ')} {label(int(last), names[int(last)])}"
    return key.replace("_", " ")


def legend(names: Sequence[str]) -> list[tuple[tuple[int, int, int], str]]:
    """Return colour and label of every class but the background, which has no tint.

    Args:
        names: Of all classes, in the order of their indices.

    >>> legend(("background", "liver", "tumour"))
    [((255, 80, 60), '1 liver'), ((70, 140, 255), '2 tumour')]
    """
    colours = palette(len(names)).tolist()
    return [((red, green, blue), label(index, names[index])) for index, (red, green, blue) in enumerate(colours)][1:]


def drawn_legend(names: Sequence[str], width: int) -> Bytes:
    """Return the legend as a picture, in as many lines as it takes.

    Args:
        names: As in :func:`legend`.
        width: Of the picture, in pixels.

    Returns:
        uint8 ``(height, width, 3)``; of no height without names.
    """
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    placed: list[tuple[int, int, tuple[int, int, int], str]] = []
    left, top = _GAP, 0
    for colour, text in legend(names):
        needed = LINE + int(pen.textlength(text)) + 3 * _GAP
        if left > _GAP and left + needed > width:
            left, top = _GAP, top + LINE
        placed.append((left, top, colour, text))
        left += needed
    picture = Image.new("RGB", (width, top + LINE if placed else 0), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    for left, top, colour, text in placed:
        draw.rectangle((left, top + 2, left + LINE - 5, top + LINE - 3), fill=colour, outline=(0, 0, 0))
        draw.text((left + LINE, top + 2), text, fill=(0, 0, 0))
    return np.asarray(picture).reshape(-1, width, 3)
