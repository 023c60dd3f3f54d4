"""What a folder of pictures and masks holds, whoever laid it out, and each image reduced. No torch here."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantunet.errors import FileFormatError, StorageError
from quantunet.images import FORMATS
from quantunet.model.near_duplicates import Fingerprint, fingerprint
from quantunet.model.pictures import at_centres, luma, read_mask_of, read_values, reduced

logger = logging.getLogger(__name__)

_DIGITS = re.compile(r"(\d+)")
_NAMED = 4


@dataclass(frozen=True)
class Case:
    """One image of a folder.

    Attributes:
        name: How the data set calls it.
        image: Its file.
        masks: Files of its masks, merged by OR.
        second: Those of a second observer; empty where there is none.
        label: Class or kind of the image.
        patient: Number of the patient; None where nobody says.
        columns: What else is known of it, by the name of the array.
    """

    name: str
    image: Path
    masks: tuple[Path, ...]
    second: tuple[Path, ...] = ()
    label: str = ""
    patient: int | None = None
    columns: Mapping[str, int | str] = field(default_factory=dict)


class Reduced(NamedTuple):
    """One image as a data set holds it.

    Attributes:
        image: uint8 ``(height, width)``.
        mask: uint8 ``(height, width)`` of 0 and 1.
        second: Likewise, of a second observer, or None.
        shape: Height and width of the picture.
        spread: Mean over the picture of the greatest difference between two channels, 0 of gray.
        median: Median of the gray picture.
        fingerprint: What near duplicates are found by.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    second: NDArray[np.uint8] | None
    shape: tuple[int, int]
    spread: float
    median: float
    fingerprint: Fingerprint


def read_case(case: Case, size: int, *, threshold: int | None = None, columns: slice = slice(None)) -> Reduced:
    """Read an image with its masks, and reduce it to a square; its proportions are not kept.

    Args:
        case: The files.
        size: Height and width of the result.
        threshold: Of gray masks; they have two values where it is left out.
        columns: The columns of the picture that are kept.

    Raises:
        StorageError: A file cannot be read.
        FileFormatError: One is damaged, or no picture.
        ImageError: A picture has more than 8 bits, a mask other values or another size.
    """
    values = read_values(case.image)
    gray = luma(values)
    height, width = gray.shape

    def merged(paths: Sequence[Path]) -> NDArray[np.uint8]:
        mask = np.zeros((height, width), np.bool_)
        for path in paths:
            mask |= read_mask_of(path, case.image, (height, width), threshold)
        return at_centres(mask[:, columns], size, size)

    return Reduced(
        reduced(gray[:, columns], size, size),
        merged(case.masks),
        merged(case.second) if case.second else None,
        (height, width),
        float(np.ptp(values, axis=2).mean()) if values.ndim == 3 else 0.0,
        float(np.median(gray)),
        fingerprint(gray),
    )


def files_of(folder: Path, what: str) -> list[Path]:
    """Every file in a folder and its sub-folders, sorted by path.

    Args:
        folder: The folder.
        what: What it should hold, for the message.

    Raises:
        StorageError: There is no such folder.
    """
    if not folder.is_dir():
        raise StorageError(str(folder), expected=f"a folder with {what}", got="no such folder", hint="Check the path.")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def is_picture(path: Path) -> bool:
    """Whether a file's name ends as that of a picture that is read."""
    suffixes = {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}
    return path.suffix.lower() in suffixes


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Key to sort names by, in which numbers count as numbers and case does not count.

    >>> sorted(["b (10)", "b (9)", "A (11)"], key=natural)
    ['A (11)', 'b (9)', 'b (10)']
    """
    parts = _DIGITS.split(name.lower())
    return [(int(part), "") if odd % 2 else (-1, part) for odd, part in enumerate(parts)], name


def nothing_found(folder: Path, files: Sequence[Path], expected: str, hint: str) -> NoReturn:
    """Refuse a folder in which no image was found.

    Raises:
        FileFormatError: Always.
    """
    raise FileFormatError(
        str(folder),
        expected=expected,
        got=f"{len(files)} other files: {few(files, folder)}" if files else "no file",
        hint=hint,
    )


def warn_of_others(folder: Path, others: Iterable[Path], count: int, taken: str) -> None:
    """Log how many files of a folder are left out, and the first of them.

    Args:
        folder: The folder.
        others: What is left out.
        count: Of all files.
        taken: Names of the pictures that are taken, for the message.
    """
    left = sorted(others)
    if left:
        text = "%s: %d of %d files are left out: they are no pictures with names such as %s: %s"
        logger.warning(text, folder, len(left), count, taken, few(left, folder))


def few(paths: Sequence[Path], folder: Path) -> str:
    """The first of some paths, under a folder."""
    names = [str(path.relative_to(folder)) for path in paths[:_NAMED]]
    return ", ".join(names) + (", ..." if len(paths) > _NAMED else "")


def no_mask(image: Path, expected: str) -> FileFormatError:
    """The error of an image without a mask."""
    return FileFormatError(
        str(image),
        expected=expected,
        got="no mask",
        hint="Where there is no lesion, the mask is a picture of the same size that is 0 everywhere.",
    )
