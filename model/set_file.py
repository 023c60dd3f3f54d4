"""Data sets as ``.npz`` files: made from the folders of public sets, and always in the same bytes. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import FileFormatError, ImageError, OptionError
from quantunet.model import near_duplicates, picture_folder
from quantunet.model.grouping import NEAR, NONE, PATIENT, named_groups, pattern
from quantunet.model.picture_folder import Case, Reduced
from quantunet.model.public_sets import SETS, PublicSet
from quantunet.npz import open_npz
from quantunet.storage import atomic_path

Arrays = dict[str, NDArray[Any]]

SUFFIX = ".npz"
MIN_SIZE, MAX_SIZE = 8, 4096

_STAINED_SPREAD, _DARK_MEDIAN = 4, 100
_NUCLEI = "nuclei"


def make(
    kind: str,
    folder: Path,
    size: int,
    *,
    groups: str | None = None,
    threshold: int | None = None,
    on_image: Callable[[int, int], None] = lambda done, count: None,
) -> Arrays:
    """Read a public set as it is downloaded.

    Args:
        kind: One of :data:`~quantunet.model.public_sets.SETS`.
        folder: Where it was unpacked.
        size: Height and width of the images.
        groups: ``near``, ``patient``, ``none``, or a regular expression with one group, which is looked for in the
            names of the images; patients where they are known, near duplicates elsewhere, if left out.
        threshold: Of gray masks, 0 to 254; masks have two values where it is left out.
        on_image: Called with the number of images that are read, and of all.

    Returns:
        The arrays by name, as ``docs/data.md`` lists them.

    Raises:
        OptionError: An argument is out of range, or asks for patients that nobody knows.
        StorageError: The folder, or a file of it, cannot be read.
        FileFormatError: The folder is laid out otherwise, lacks a file, or one of its files is damaged.
        ImageError: A picture or mask has another size or other values than it should.
    """
    each = SETS[kind]
    if groups is None:
        groups = PATIENT if each.patients else NEAR
    _check_options(kind, each, size, groups, threshold)
    cases = each.find(folder)
    _check_names(folder, cases)
    found = []
    for case in cases:
        part = picture_folder.read_case(case, size * each.patches, threshold=threshold, columns=slice(*each.columns))
        if each.shape is not None and each.shape != part.shape:
            raise ImageError(
                str(case.image),
                expected=f"a picture of {each.shape[1]}x{each.shape[0]} pixels (width x height)",
                got=f"{part.shape[1]}x{part.shape[0]}",
                hint="Take the pictures as they are downloaded.",
            )
        found.append(part)
        on_image(len(found), len(cases))
    group = _groups(groups, each, cases, found).astype(np.int32)
    if each.patches > 1:
        return _patches(cases, found, group, each.patches)
    label = [_cells(part) if kind == _NUCLEI else case.label for case, part in zip(cases, found, strict=True)]
    arrays: Arrays = {
        "images": np.stack([part.image for part in found]),
        "masks": np.stack([part.mask for part in found]),
        "label": np.array(label),
        "name": np.array([case.name for case in cases]),
    }
    shape = np.array([part.shape for part in found], np.int32)
    if each.patients:
        columns = {name: np.array([case.columns[name] for case in cases]) for name in cases[0].columns}
        typed = {
            name: values.astype(np.int32) if values.dtype.kind == "i" else values for name, values in columns.items()
        }
        return arrays | {"group": group} | typed | {"orig_shape": shape}
    dhash = near_duplicates.hash_codes(np.stack([part.fingerprint.bits for part in found]))
    return arrays | {
        "n_masks": np.array([len(case.masks) for case in cases], np.uint16 if kind == _NUCLEI else np.uint8),
        "orig_shape": shape,
        "dhash": dhash,
        "group_exact": near_duplicates.numbered(dhash).astype(np.int32),
        "group": group,
    }


def _check_options(kind: str, each: PublicSet, size: int, groups: str, threshold: int | None) -> None:
    check_size(size)
    if threshold is not None and not 0 <= threshold <= 254:
        raise OptionError("--threshold", expected="0 to 254", got=str(threshold), hint="127 is the usual one.")
    if groups == PATIENT and not each.patients:
        known = ", ".join(name for name, other in SETS.items() if other.patients)
        raise OptionError(
            "--groups",
            expected=f"near, none or a pattern for {kind}",
            got=groups,
            hint=f"Patients are known of {known}.",
        )
    if groups not in (NEAR, PATIENT, NONE):
        pattern(groups)


def _check_names(folder: Path, cases: Sequence[Case]) -> None:
    """Refuse two images of one name: rows of results and of splits are found by it."""
    seen: dict[str, Path] = {}
    for case in cases:
        other = seen.setdefault(case.name.lower(), case.image)
        if other != case.image:
            raise FileFormatError(
                str(folder),
                expected="every name once",
                got=f"{other.relative_to(folder)} and {case.image.relative_to(folder)}",
                hint="Rename one of them, with its masks.",
            )


def _groups(groups: str, each: PublicSet, cases: Sequence[Case], found: Sequence[Reduced]) -> NDArray[np.int64]:
    """Group of each image: the patient's number, or numbered from 0 in the order of the first images."""
    if groups == PATIENT:
        return np.array([case.patient for case in cases], np.int64)
    if groups == NONE:
        return np.arange(len(cases), dtype=np.int64)
    if groups == NEAR:
        return near_duplicates.near_groups([part.fingerprint for part in found], each.rule)
    return named_groups(groups, [case.name for case in cases])


def _cells(part: Reduced) -> str:
    """Kind of a microscope's picture, from its colours: the authors of the set do not say."""
    if part.spread > _STAINED_SPREAD:
        return "stained"
    return "fluorescence" if part.median < _DARK_MEDIAN else "brightfield"


def _patches(cases: Sequence[Case], found: Sequence[Reduced], group: NDArray[np.int32], count: int) -> Arrays:
    """Cut each image into ``count`` rows and columns of patches, row by row."""

    def cut(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        whole = np.stack(images)
        side = whole.shape[1] // count
        return whole.reshape(-1, count, side, count, side).swapaxes(2, 3).reshape(-1, side, side)

    places = [f"_r{row}_c{column}" for row in range(count) for column in range(count)]
    return {
        "images": cut([part.image for part in found]),
        "masks": cut([part.mask for part in found]),
        "masks_observer2": cut([part.second for part in found if part.second is not None]),
        "label": np.array([case.label for case in cases for _ in places]),
        "name": np.array([case.name + place for case in cases for place in places]),
        "group": group.repeat(count * count),
    }


def check_size(size: int) -> None:
    """Refuse images that are too small or too large.

    Raises:
        OptionError: They are.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise OptionError("--size", expected=f"{MIN_SIZE} to {MAX_SIZE} pixels", got=str(size))


def check_out(path: Path) -> None:
    """Refuse a name that no command would take for a data set.

    Raises:
        OptionError: It does not end in ``.npz``.
    """
    if path.suffix != SUFFIX:
        raise OptionError(str(path), expected=f"a name that ends in {SUFFIX}", got=path.suffix or "no ending")


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as ``.npz``: the same arrays are the same bytes on every machine.

    They are not compressed, because what is compressed depends on the version of zlib. NumPy gives every entry the date
    1980-01-01; numbers are written with the least significant byte first.

    Args:
        path: The file; it is written whole or not at all.
        arrays: By name.

    Raises:
        OptionError: The name does not end in ``.npz``.
        StorageError: The file cannot be written.
    """
    check_out(path)
    ordered = {name: values.astype(values.dtype.newbyteorder("<"), order="C") for name, values in arrays.items()}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        cast(Any, np.savez)(file, **ordered)  # its type takes an array's name for one of its options


def read(path: Path) -> Arrays:
    """Read every array of a data set, each with a row for each image.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no ``.npz``, is damaged, or lacks ``images``.
        ImageError: An array has another number of rows than ``images``.
    """
    with open_npz(path) as archive:
        count = (archive.header("images").shape or (0,))[0]
        for name in archive.names:
            shape = archive.header(name).shape
            if shape[:1] != (count,):
                raise ImageError(f"{path}:{name}", expected=f"a row for each of {count} images", got=str(shape))
        return {name: archive.read(name) for name in archive.names}
