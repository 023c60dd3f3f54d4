"""Names of the classes that masks hold, and what the values of such masks may be. No torch here.

A mask of several classes holds in each pixel the index of its class: 0 is the background. Which values are classes is
said, by ``--classes``, by an array ``classes``, or by nnU-Net's ``dataset.json``, and never guessed from the masks: a
blurred mask has many values too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ImageError, OptionError

MIN_CLASSES, MAX_CLASSES = 3, 256
"""Names of classes that there may be; with one foreground a mask has two values, and needs none."""

SEPARATOR = ","

_NAMED = 8


def parse_classes(text: str, where: str = "--classes") -> tuple[str, ...]:
    """Read names of classes with commas between.

    Args:
        text: As ``--classes`` takes them.
        where: For the message.

    Raises:
        OptionError: They are fewer than three or more than 256, or one is empty or there twice.

    >>> parse_classes("background, liver,tumour")
    ('background', 'liver', 'tumour')
    """
    names = tuple(name.strip() for name in text.split(SEPARATOR))
    wrong = [repr(name) for name in names if not name or not name.isprintable()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if wrong or twice or not MIN_CLASSES <= len(names) <= MAX_CLASSES:
        raise OptionError(
            where,
            expected=f"{MIN_CLASSES} to {MAX_CLASSES} different names with commas between, the background first",
            got=f"{', '.join(twice)} twice" if twice else f"the name {wrong[0]}" if wrong else repr(text),
            hint="Leave it out where masks have one foreground.",
        )
    return names


def spelled_classes(names: tuple[str, ...]) -> str | None:
    """Return names as :func:`parse_classes` reads them; None where there are none.

    >>> spelled_classes(("background", "liver", "tumour"))
    'background,liver,tumour'
    """
    return SEPARATOR.join(names) or None


def agreed_classes(said: tuple[str, ...], asked: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return the classes that data say themselves, or that are asked for.

    Raises:
        OptionError: Both are there, and differ.
    """
    if said and asked and said != asked:
        raise differing_classes(where, SEPARATOR.join(said), asked)
    return said or asked


def differing_classes(where: str, said: str, asked: tuple[str, ...]) -> OptionError:
    """Return the error for classes that contradict those of the data."""
    return OptionError(
        f"{where}, --classes",
        expected=f"{said}, as the data say themselves",
        got=SEPARATOR.join(asked),
        hint="Leave --classes out.",
    )


def check_values(values: NDArray[Any], names: tuple[str, ...], where: str) -> NDArray[np.uint8]:
    """Return a mask of several classes as bytes.

    Args:
        values: Integers or truth values of any shape, or floats that are whole.
        names: Of the classes, in the order of their values.
        where: File or array, for the message.

    Returns:
        uint8 of the same shape, 0 to the number of classes less one.

    Raises:
        ImageError: A value is that of no class, or no number.

    >>> check_values(np.array([[0, 2]]), ("background", "liver", "tumour"), "mask.png").tolist()
    [[0, 2]]
    """
    if values.dtype.kind not in "biuf":
        raise ImageError(where, expected="masks of whole numbers", got=str(values.dtype))
    last = len(names) - 1
    found = np.unique(values)
    known = np.isin(found, np.arange(len(names)))
    if not known.all():
        told = [f"{value:g}" for value in found[:_NAMED].tolist()] + ["..."] * (len(found) > _NAMED)
        spelled = ", ".join(f"{index} {name}" for index, name in enumerate(names))
        raise ImageError(
            where,
            expected=f"the values 0 to {last}, those of the classes {spelled}",
            got=f"the values {', '.join(told)}, of which {found[~known][0]:g} is no class",
            hint="Save the index of each pixel's class, as PNG: in a JPEG file, or after a resizing that blurs, other "
            "values lie between them. Where a class is missing, name it (--classes).",
        )
    return values.astype(np.uint8)
