"""One's own pictures and masks as the arrays of a data set, by golden's rule. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantunet import nifti_files, scan_files
from quantunet.errors import DataSplitError, ImageError
from quantunet.golden.pictures import Fit, frame, luma, to_image
from quantunet.images import read_picture
from quantunet.model import own_folder
from quantunet.model.grouping import NEAR, NONE, named_groups
from quantunet.model.masks import foreground
from quantunet.model.near_duplicates import MICROSCOPY, Fingerprint, fingerprint, near_groups, numbered
from quantunet.model.own_folder import Layout, Pair
from quantunet.model.pictures import at_centres, read_mask_of
from quantunet.pixel_window import Scale
from quantunet.scan import Scan, Windowing, scan_bytes

FIT: Fit = "stretch"
"""How pictures of one's own get to a network's size where nobody says it: as those of all other sets."""


class OwnSet(NamedTuple):
    """The arrays of a data set, a row for each picture or plane.

    Attributes:
        layout: What was found, by file.
        images: uint8 ``(n, height, width)``, or in RGB ``(n, height, width, 3)``.
        masks: uint8 ``(n, height, width)`` of 0 and 1.
        group: int64 ``(n,)``.
        label: str ``(n,)``.
        name: str ``(n,)``.
        fold: int64 ``(n,)``, or None where nobody says it.
        shape: int32 ``(n, 2)``: height and width of each picture.
    """

    layout: Layout
    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    group: NDArray[np.int64]
    label: NDArray[np.str_]
    name: NDArray[np.str_]
    fold: NDArray[np.int64] | None
    shape: NDArray[np.int32]


class _Plane(NamedTuple):
    pair: Pair
    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    shape: tuple[int, int]
    fingerprint: Fingerprint


def read_own(
    source: Path,
    size: tuple[int, int],
    fit: Fit,
    *,
    groups: str | None = None,
    rgb: bool = False,
    windowing: Windowing | None = None,
    on_image: Callable[[int, int], None] = lambda done, count: None,
) -> OwnSet:
    """Read pictures and masks of one's own, at one size.

    Args:
        source: See :func:`~quantunet.model.own_folder.find`.
        size: Height and width of the images.
        fit: How they get there.
        groups: ``near``, ``none``, or a regular expression with one group, which is looked for in the names; where it
            is left out, the table's groups, then the files of scans with several planes, then near duplicates.
        rgb: Whether images have three channels, gray ones three equal ones, instead of luma.
        windowing: What becomes black and white of values that are no bytes.
        on_image: Called with the number of files that are read, and of all.

    Raises:
        StorageError: A file cannot be read.
        FileFormatError: The folder is laid out otherwise, or a file is damaged.
        ImageError: A picture or mask is of a kind that is refused, or their sizes differ.
        OptionError: The groups are none.
        DataSplitError: A group stands in two folds.
    """
    layout = own_folder.find(source)
    planes: list[_Plane] = []
    for index, pair in enumerate(layout.pairs):
        planes.extend(_planes(pair, layout.foreground, size, fit, windowing or Windowing(), rgb=rgb))
        on_image(index + 1, len(layout.pairs))
    group = _groups(groups, planes)
    folds = [plane.pair.fold for plane in planes]
    fold = None if folds[0] is None else np.array(folds, np.int64)
    if fold is not None:
        _check_folds(source, group, fold)
    return OwnSet(
        layout,
        np.stack([plane.image for plane in planes]),
        np.stack([plane.mask for plane in planes]),
        group,
        np.array([plane.pair.label for plane in planes]),
        np.array([plane.name for plane in planes]),
        fold,
        np.array([plane.shape for plane in planes], np.int32),
    )


def arrays_of(found: OwnSet, fit: Fit) -> dict[str, NDArray[Any]]:
    """Return the arrays that an ``.npz`` of the set holds.

    Args:
        found: The set.
        fit: How its pictures got to their size.
    """
    arrays: dict[str, NDArray[Any]] = {
        "images": found.images,
        "masks": found.masks,
        "label": found.label,
        "name": found.name,
        "group": found.group.astype(np.int32),
        "orig_shape": found.shape,
        "fit": np.full(len(found.images), fit),
    }
    return arrays if found.fold is None else arrays | {"fold": found.fold.astype(np.int32)}


def _planes(
    pair: Pair, value: int | None, size: tuple[int, int], fit: Fit, windowing: Windowing, *, rgb: bool
) -> Iterator[_Plane]:
    scan = scan_files.read(pair.image)
    pictures = scan_bytes(scan, windowing, str(pair.image))
    masks = _masks(pair, value, scan)
    place = frame((pictures.shape[1], pictures.shape[2]), size, fit)
    for index, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        gray = luma(picture) if picture.shape[2] == 3 else picture
        if rgb:
            image = to_image(np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture, place)
        else:
            image = to_image(gray, place)[:, :, 0]
        small = np.zeros(size, np.uint8)
        filled = at_centres(mask, place.height, place.width)
        small[place.top : place.top + place.height, place.left : place.left + place.width] = filled
        name = pair.name if len(pictures) == 1 else f"{pair.name}:{index}"
        yield _Plane(pair, name, image, small, place.picture, fingerprint(gray[:, :, 0]))


def _masks(pair: Pair, value: int | None, scan: Scan) -> NDArray[np.bool_]:
    """Read the mask of each plane: two values, or where a value is foreground 0 and that one."""
    shape = scan.values.shape[:3]
    is_scan = pair.mask.name.lower().endswith(nifti_files.SUFFIXES) or pair.mask.suffix.lower() in scan_files.DICOM
    if not is_scan and value is None:
        return read_mask_of(pair.mask, pair.image, (shape[1], shape[2]))[None]
    values = _stored(pair.mask) if is_scan else _indices(pair.mask)
    if values.shape != shape:
        raise ImageError(
            str(pair.mask),
            expected=f"a mask of {'x'.join(map(str, shape))} (planes, height, width), as {pair.image.name} has them",
            got="x".join(map(str, values.shape)),
            hint="A mask is never stretched: make it from this picture.",
        )
    if value is None:
        return foreground(values, str(pair.mask))
    other = np.setdiff1d(values, [0, value])
    if len(other):
        raise ImageError(
            str(pair.mask), expected=f"the labels 0 and {value}", got=", ".join(f"{each:g}" for each in other[:5])
        )
    return np.asarray(values == value)


def _stored(path: Path) -> NDArray[Any]:
    scan = scan_files.read(path)
    if scan.scale != Scale():
        raise ImageError(str(path), expected="labels without a scale", got=f"the slope {float(scan.scale.slope):g}")
    return scan.values


def _indices(path: Path) -> NDArray[Any]:
    picture = read_picture(path)
    if picture.mode not in ("1", "L", "P", "I", "I;16"):
        raise ImageError(str(path), expected="a picture of labels: gray, or with a palette", got=f"mode {picture.mode}")
    return np.asarray(picture)[None].astype(np.int64)


def _groups(groups: str | None, planes: list[_Plane]) -> NDArray[np.int64]:
    said = [plane.pair.group for plane in planes]
    several = len({plane.pair.name for plane in planes}) < len(planes)
    if groups is None and said[0] is not None:
        return numbered(np.array(said))
    if groups is None and several:
        return numbered(np.array([plane.pair.name for plane in planes]))
    if groups in (None, NEAR):
        return near_groups([plane.fingerprint for plane in planes], MICROSCOPY)
    if groups == NONE:
        return np.arange(len(planes), dtype=np.int64)
    return named_groups(groups, [plane.pair.name for plane in planes])


def _check_folds(source: Path, group: NDArray[np.int64], fold: NDArray[np.int64]) -> None:
    _, first = np.unique(group, return_index=True)
    parted = np.flatnonzero(fold != fold[first][group])
    if len(parted):
        raise DataSplitError(
            str(source),
            expected="every group in one fold",
            got=f"group {group[parted[0]]} in two",
            hint="Say the groups that the folds were made by, or leave the folds out.",
        )
