"""One's own pictures and masks as the arrays of a data set, by golden's rule. No torch here."""

from __future__ import annotations

import logging
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
from quantunet.model.classes import agreed_classes, check_values, differing_classes, spelled_classes
from quantunet.model.grouping import NEAR, NONE, named_groups
from quantunet.model.masks import foreground, read_marked
from quantunet.model.near_duplicates import MICROSCOPY, Fingerprint, fingerprint, near_groups, numbered
from quantunet.model.own_folder import Layout, Pair
from quantunet.model.pictures import at_centres, check_mask_shape
from quantunet.pixel_window import Scale
from quantunet.scan import Scan, Windowing, scan_bytes

logger = logging.getLogger(__name__)

_NAMED = 5

FIT: Fit = "stretch"
"""How pictures of one's own get to a network's size where nobody says it: as those of all other sets."""


class OwnSet(NamedTuple):
    """The arrays of a data set, a row for each picture or plane.

    Attributes:
        layout: What was found, by file.
        images: uint8 ``(n, height, width)``, or in RGB ``(n, height, width, 3)``.
        masks: uint8 ``(n, height, width)`` of 0 and 1; of several classes the index of each pixel's class.
        group: int64 ``(n,)``.
        label: str ``(n,)``.
        name: str ``(n,)``.
        fold: int64 ``(n,)``, or None where nobody says it.
        shape: int32 ``(n, 2)``: height and width of each picture.
        classes: Names of the classes; empty with one foreground.
    """

    layout: Layout
    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    group: NDArray[np.int64]
    label: NDArray[np.str_]
    name: NDArray[np.str_]
    fold: NDArray[np.int64] | None
    shape: NDArray[np.int32]
    classes: tuple[str, ...] = ()


class _Plane(NamedTuple):
    pair: Pair
    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    shape: tuple[int, int]
    fingerprint: Fingerprint
    marked: float | None


def read_own(
    source: Path,
    size: tuple[int, int],
    fit: Fit,
    *,
    groups: str | None = None,
    rgb: bool = False,
    classes: tuple[str, ...] = (),
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
        classes: Names of the classes that masks hold, as :func:`~quantunet.model.classes.parse_classes` reads them;
            those of nnU-Net's ``dataset.json`` where they are left out. Without any, masks have one foreground.
        windowing: What becomes black and white of values that are no bytes; None where nobody can be asked, and only
            what a file says itself counts.
        on_image: Called with the number of files that are read, and of all.

    Raises:
        StorageError: A file cannot be read.
        FileFormatError: The folder is laid out otherwise, or a file is damaged.
        ImageError: A picture or mask is of a kind that is refused, or their sizes differ.
        OptionError: The groups are none, or the classes are others than the folder's.
        DataSplitError: A group stands in two folds.
    """
    layout = own_folder.find(source)
    if layout.foreground is None:
        classes = agreed_classes(layout.classes, classes, str(source))
    elif classes:
        raise differing_classes(str(source), "the one class that its dataset.json names", classes)
    planes: list[_Plane] = []
    for index, pair in enumerate(layout.pairs):
        meaning = _Meaning(layout.foreground, classes)
        planes.extend(_planes(pair, meaning, size, fit, windowing, rgb=rgb))
        on_image(index + 1, len(layout.pairs))
    _warn_of_marks(source, planes)
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
        classes,
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
    if found.classes:
        arrays["classes"] = np.full(len(found.images), spelled_classes(found.classes))
    return arrays if found.fold is None else arrays | {"fold": found.fold.astype(np.int32)}


class _Meaning(NamedTuple):
    """What the values of masks mean: the foreground's value, or classes, or neither: the greater of two."""

    foreground: int | None
    classes: tuple[str, ...]


def _planes(
    pair: Pair, meaning: _Meaning, size: tuple[int, int], fit: Fit, windowing: Windowing | None, *, rgb: bool
) -> Iterator[_Plane]:
    scan = scan_files.read(pair.image)
    pictures = scan_bytes(scan, windowing, str(pair.image))
    masks, marked = _masks(pair, meaning, scan)
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
        yield _Plane(pair, name, image, small, place.picture, fingerprint(gray[:, :, 0]), marked)


def _warn_of_marks(source: Path, planes: list[_Plane]) -> None:
    """Say that masks mark their foreground by different values: they may be classes that nobody has named."""
    found = sorted({plane.marked for plane in planes if plane.marked is not None})
    if len(found) > 1 and found != [1, 255]:
        logger.warning(
            "%s: masks mark their foreground by the values %s, and all of them are taken for one foreground; where "
            "they are classes, name them: --classes background,NAME,NAME",
            source,
            ", ".join(f"{value:g}" for value in found[:_NAMED]) + (", ..." if len(found) > _NAMED else ""),
        )


def _masks(pair: Pair, meaning: _Meaning, scan: Scan) -> tuple[NDArray[np.bool_] | NDArray[np.uint8], float | None]:
    """Read the mask of each plane, and by which value it marks its foreground, where the greater of two does."""
    shape, value = scan.values.shape[:3], meaning.foreground
    is_scan = pair.mask.name.lower().endswith(nifti_files.SUFFIXES) or pair.mask.suffix.lower() in scan_files.DICOM
    if not is_scan and value is None and not meaning.classes:
        mask, marked = read_marked(pair.mask)
        check_mask_shape(mask.shape, pair.mask, pair.image, (shape[1], shape[2]))
        return mask[None], marked
    values = _stored(pair.mask) if is_scan else _indices(pair.mask)
    if values.shape != shape:
        raise ImageError(
            str(pair.mask),
            expected=f"a mask of {'x'.join(map(str, shape))} (planes, height, width), as {pair.image.name} has them",
            got="x".join(map(str, values.shape)),
            hint="A mask is never stretched: make it from this picture.",
        )
    if meaning.classes:
        return check_values(values, meaning.classes, str(pair.mask)), None
    if value is None:
        found = foreground(values, str(pair.mask))
        return found, float(values[found].max()) if found.any() else None
    other = np.setdiff1d(values, [0, value])
    if len(other):
        raise ImageError(
            str(pair.mask), expected=f"the labels 0 and {value}", got=", ".join(f"{each:g}" for each in other[:5])
        )
    return np.asarray(values == value), None


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
