"""Reader of an unpacked BUSI folder: a picture and its masks by their names. No torch here."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantunet.errors import FileFormatError, ImageError, StorageError
from quantunet.images import FORMATS, picture_bytes, read_picture
from quantunet.model.masks import read_mask

logger = logging.getLogger(__name__)

_IMAGE = re.compile(r"(?P<label>benign|malignant|normal)[ _-]?(\(\d+\)|\d+)", re.IGNORECASE)
_MASK = re.compile(r"(?P<stem>.+?)[ _-]mask([ _-]?\(?\d+\)?)?", re.IGNORECASE)
_NAMED = 4


class Folder(NamedTuple):
    """What a folder holds, as :class:`~quantunet.model.data.Samples` has it."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    group: NDArray[np.int64]
    label: NDArray[np.str_]
    name: NDArray[np.str_]


def read_busi_folder(folder: Path, size: int) -> Folder:
    """Read the unpacked BUSI set: ``benign (1).png`` with ``benign (1)_mask.png``, ``benign (1)_mask_1.png``, ...

    The pictures may lie in ``folder`` or in any of its sub-folders, such as ``benign``, ``malignant`` and ``normal``,
    in each format of :data:`~quantunet.images.FORMATS`; upper and lower case are alike. Colour becomes gray by ITU-R
    601 luma. Several masks of one image are OR-merged. What else lies there is counted and named in a warning.

    The set names no patients: images whose difference hash (64 bits) is within 6 bits of each other are joined into one
    group, as are chains of such images.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, an image without a mask, two of one name, or a damaged file.
        ImageError: Image and mask differ in size, a picture has more than 8 bits, or a mask more than two values.
    """
    found = _find(folder)
    images, masks, labels, hashes, names = [], [], [], [], []
    for path, label, mask_paths in found:
        gray = _gray(path)
        mask = np.zeros((gray.height, gray.width), np.bool_)
        for each in mask_paths:
            mask |= _mask(each, path, gray.size)
        images.append(np.asarray(gray.resize((size, size), Image.Resampling.BOX)))
        resized = Image.fromarray(mask).convert("L").resize((size, size), Image.Resampling.NEAREST)
        masks.append((np.asarray(resized) > 127).astype(np.uint8))
        labels.append(label)
        hashes.append(_difference_hash(gray))
        names.append(path.name)
    group = _near_duplicates(np.stack(hashes), 6)
    return Folder(np.stack(images), np.stack(masks), group, np.array(labels), np.array(names))


def _find(folder: Path) -> list[tuple[Path, str, list[Path]]]:
    """Every image with its label and its masks, in the order of the paths."""
    if not folder.is_dir():
        raise StorageError(str(folder), expected="a folder with the BUSI images", got="no such folder")
    suffixes = {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    images: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    masks: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    other = []
    for path in files:
        stem = path.stem.lower()
        mask = _MASK.fullmatch(stem)
        if path.suffix.lower() not in suffixes:
            other.append(path)
        elif _IMAGE.fullmatch(stem):
            images[path.parent, stem].append(path)
        elif mask and _IMAGE.fullmatch(mask["stem"]):
            masks[path.parent, mask["stem"]].append(path)
        else:
            other.append(path)
    other += [path for key, paths in masks.items() if key not in images for path in paths]
    if not images:
        raise FileFormatError(
            str(folder),
            expected="pictures such as 'benign (1).png' with 'benign (1)_mask.png'",
            got=f"{len(files)} other files: {_few(sorted(other), folder)}" if files else "no file",
            hint="Name the unpacked BUSI folder, or give other pictures such names.",
        )
    if other:
        logger.warning(
            "%s: %d of %d files are left out: they are no pictures with names such as 'benign (1).png' and "
            "'benign (1)_mask.png': %s",
            folder,
            len(other),
            len(files),
            _few(sorted(other), folder),
        )
    found = []
    for key, paths in images.items():
        if len(paths) > 1:
            raise FileFormatError(
                str(paths[0]), expected="one picture of this name", got=paths[1].name, hint="Move one of them away."
            )
        if key not in masks:
            raise FileFormatError(
                str(paths[0]),
                expected=f"'{paths[0].stem}_mask{paths[0].suffix}' beside it",
                got="no mask",
                hint="Where there is no lesion, the mask is a picture of the same size that is 0 everywhere.",
            )
        match = _IMAGE.fullmatch(key[1])
        assert match
        found.append((paths[0], match["label"], masks[key]))
    return found


def _few(paths: list[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) for path in paths[:_NAMED]]
    return ", ".join(names) + (", ..." if len(paths) > _NAMED else "")


def _gray(path: Path) -> Image.Image:
    """A picture in gray; colour by ITU-R 601 luma."""
    picture = read_picture(path)
    try:
        return Image.fromarray(picture_bytes(picture, 1, str(path))[:, :, 0])
    except ImageError:
        if picture.mode not in ("RGB", "RGBA", "P", "PA"):
            raise
    return Image.fromarray(picture_bytes(picture, 3, str(path))).convert("L")


def _mask(path: Path, image: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    mask = read_mask(path)
    got = mask.shape[::-1]
    if got != size:
        turned = " Width and height are swapped: one of the two files is turned." if got == size[::-1] else ""
        raise ImageError(
            str(path),
            expected=f"a mask of {size[0]}x{size[1]} pixels (width x height), as {image.name} has them",
            got=f"{got[0]}x{got[1]}",
            hint=f"A mask is never stretched: make it from this picture.{turned}",
        )
    return mask


def _difference_hash(gray: Image.Image) -> NDArray[np.bool_]:
    small = np.asarray(gray.resize((9, 8), Image.Resampling.BOX)).astype(np.int64)
    return (small[:, 1:] > small[:, :-1]).reshape(64)


def _near_duplicates(hashes: NDArray[np.bool_], distance: int) -> NDArray[np.int64]:
    group = np.arange(len(hashes), dtype=np.int64)
    for index, code in enumerate(hashes):
        near = np.flatnonzero((hashes[: index + 1] != code).sum(axis=1) <= distance)
        joined = np.isin(group, group[near])
        group[joined] = group[near].min()
    return group
