"""Reader of an unpacked BUSI folder: a picture and its masks by their names. No torch here."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import FileFormatError
from quantunet.model import picture_folder
from quantunet.model.near_duplicates import ULTRASOUND, near_groups
from quantunet.model.picture_folder import Case

_IMAGE = re.compile(r"(?P<label>benign|malignant|normal)[ _-]?(\(\d+\)|\d+)", re.IGNORECASE)
_MASK = re.compile(r"(?P<stem>.+?)[ _-]mask([ _-]?\(?\d+\)?)?", re.IGNORECASE)


class Folder(NamedTuple):
    """What a folder holds, as :class:`~quantunet.model.data.Samples` has it."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    group: NDArray[np.int64]
    label: NDArray[np.str_]
    name: NDArray[np.str_]


def read_busi_folder(folder: Path, size: int) -> Folder:
    """Read the unpacked BUSI set; see :func:`find_busi`. Several masks of one image are OR-merged.

    The set names no patients: near duplicates are joined into groups, as ``quantunet data busi`` does it.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, an image without a mask, two of one name, or a damaged file.
        ImageError: Image and mask differ in size, a picture has more than 8 bits, or a mask more than two values.
    """
    cases = find_busi(folder)
    found = [picture_folder.read_case(case, size) for case in cases]
    return Folder(
        np.stack([each.image for each in found]),
        np.stack([each.mask for each in found]),
        near_groups([each.fingerprint for each in found], ULTRASOUND),
        np.array([case.label for case in cases]),
        np.array([case.image.name for case in cases]),
    )


def find_busi(folder: Path) -> list[Case]:
    """Find ``benign (1).png`` with ``benign (1)_mask.png``, ``benign (1)_mask_1.png``, ...

    The pictures may lie in ``folder`` or in any of its sub-folders, such as ``benign``, ``malignant`` and ``normal``,
    in each format of :data:`~quantunet.images.FORMATS`; upper and lower case are alike. What else lies there is counted
    and named in a warning.

    Returns:
        Every image with its label and its masks, in the natural order of the names: 9 before 10.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, an image without a mask, or two of one name.
    """
    files = picture_folder.files_of(folder, "the BUSI images")
    images: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    masks: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    other = []
    for path in files:
        stem = path.stem.lower()
        mask = _MASK.fullmatch(stem)
        if not picture_folder.is_picture(path):
            other.append(path)
        elif _IMAGE.fullmatch(stem):
            images[path.parent, stem].append(path)
        elif mask and _IMAGE.fullmatch(mask["stem"]):
            masks[path.parent, mask["stem"]].append(path)
        else:
            other.append(path)
    other += [path for key, paths in masks.items() if key not in images for path in paths]
    if not images:
        picture_folder.nothing_found(
            folder,
            sorted(other),
            "pictures such as 'benign (1).png' with 'benign (1)_mask.png'",
            "Name the unpacked BUSI folder, or give other pictures such names.",
        )
    picture_folder.warn_of_others(folder, other, len(files), "'benign (1).png' and 'benign (1)_mask.png'")
    found = []
    for key, paths in images.items():
        if len(paths) > 1:
            raise FileFormatError(
                str(paths[0]), expected="one picture of this name", got=paths[1].name, hint="Move one of them away."
            )
        if key not in masks:
            raise picture_folder.no_mask(paths[0], f"'{paths[0].stem}_mask{paths[0].suffix}' beside it")
        match = _IMAGE.fullmatch(key[1])
        assert match
        found.append(Case(paths[0].stem, paths[0], tuple(masks[key]), label=match["label"]))
    return sorted(found, key=lambda case: (picture_folder.natural(case.name), case.image))
