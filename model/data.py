"""Images with masks, from four sources; and, from :mod:`quantunet.model.splits`, their splits.

Sources: an ``.npz`` (``images``, ``masks``, ``group``), an unpacked BUSI folder, a folder or table of one's own, and
generated phantoms. No torch here.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import FileFormatError, ImageError, OptionError, ShapeError
from quantunet.golden.pictures import FITS, Fit
from quantunet.model import arrays, own_folder, own_set, phantoms
from quantunet.model.busi_folder import read_busi_folder
from quantunet.model.classes import SEPARATOR, agreed_classes, parse_classes
from quantunet.model.content import warn_of_content
from quantunet.model.samples import Samples as Samples
from quantunet.model.samples import check_channels
from quantunet.model.shape import Size, sides
from quantunet.model.splits import Split as Split
from quantunet.model.splits import check_split as check_split
from quantunet.model.splits import folds_of as folds_of
from quantunet.model.splits import split_as as split_as
from quantunet.model.splits import split_by_group as split_by_group
from quantunet.model.splits import split_samples as split_samples
from quantunet.npz import Npz, open_npz

logger = logging.getLogger(__name__)

ENVIRONMENT = "QUANTUNET_DATA"
BUSI_FILE = "busi_128.npz"
JOINED = "+"
"""Between the names of data sets that are taken as one."""


def load_npz(path: Path, classes: tuple[str, ...] = ()) -> Samples:
    """Read an ``.npz`` with ``images``, ``masks``, ``group``, and what else there is of :class:`Samples`.

    In RGB, ``images`` are uint8 ``(n, height, width, 3)``.

    Each array is checked on its own. ``images`` are uint8 ``(n, height, width)``. Masks of the same shape are of any
    type: the greater of two values is the foreground. ``group`` holds numbers or strings, ``label`` likewise, ``fold``
    whole numbers. Where an array ``classes`` names them for each image alike, with commas between, or the caller does,
    masks hold the indices of classes.

    Args:
        path: The file.
        classes: Names of the classes; those of the file where they are left out.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no such file, is damaged, too large, or lacks an array.
        ImageError: An array has a wrong shape, type or value.
        OptionError: The file names other classes.
    """
    with open_npz(path) as archive:
        missing = [name for name in ("images", "masks", "group") if name not in archive.names]
        if missing:
            raise FileFormatError(
                str(path),
                expected="the arrays images, masks and group",
                got=f"no {', '.join(missing)}",
                hint="Where nothing is known of groups, save group=numpy.arange(len(images)): every image is its own."
                if missing == ["group"]
                else "Save them by these names: numpy.savez_compressed('FILE.npz', images=..., masks=..., group=...).",
            )
        images = arrays.images(archive)
        if "classes" in archive.names:
            classes = agreed_classes(_own_classes(archive, len(images)), classes, str(path))
        second = "masks_observer2" in archive.names
        return Samples(
            path.name,
            images,
            arrays.masks(archive, "masks", images.shape[:3], classes),
            arrays.group(archive, len(images)),
            arrays.label(archive, len(images)) if "label" in archive.names else np.full(len(images), ""),
            arrays.masks(archive, "masks_observer2", images.shape[:3], classes) if second else None,
            name=arrays.label(archive, len(images), "name") if "name" in archive.names else None,
            fold=arrays.fold(archive, len(images)) if "fold" in archive.names else None,
            fit=_one_fit(archive, len(images)) if "fit" in archive.names else None,
            classes=classes,
        )


def _own_classes(archive: Npz, count: int) -> tuple[str, ...]:
    """Read the classes that a file names: the same for all images."""
    where, found = f"{archive.path}:classes", np.unique(arrays.label(archive, count, "classes")).tolist()
    if len(found) != 1:
        raise ImageError(where, expected="the same names for all images", got=", ".join(map(repr, found[:4])))
    return parse_classes(str(found[0]), where)


def _one_fit(archive: Npz, count: int) -> Fit:
    """Read how pictures got to their size: the same for all of them."""
    found = np.unique(arrays.label(archive, count, "fit")).tolist()
    for fit in FITS:
        if found == [fit]:
            return fit
    expected = f"one of {', '.join(FITS)} for all images"
    raise ImageError(f"{archive.path}:fit", expected=expected, got=", ".join(map(repr, found[:4])))


def load_busi_folder(folder: Path, size: int) -> Samples:
    """Read the unpacked BUSI set; see :mod:`quantunet.model.busi_folder`.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, an image without a mask, two of one name, or a damaged file.
        ImageError: Image and mask differ in size, a picture has more than 8 bits, or a mask more than two values.
    """
    found = read_busi_folder(folder, size)
    return Samples(folder.name, found.images, found.masks, found.group, found.label, name=found.name, fit="stretch")


def load_own(
    source: Path,
    size: Size,
    fit: Fit | None,
    groups: str | None,
    *,
    rgb: bool = False,
    classes: tuple[str, ...] = (),
) -> Samples:
    """Read a folder or table of one's own; see :mod:`quantunet.model.own_set`.

    Raises:
        QuantUNetError: It cannot be read, or holds something that is refused.
    """
    fit = fit or own_set.FIT
    found = own_set.read_own(source, sides(size), fit, groups=groups, rgb=rgb, classes=classes)
    name = source.resolve().name
    logger.info("%s: %s, %d files", name, found.layout.kind, len(found.layout.pairs))
    return Samples(
        name,
        found.images,
        found.masks,
        found.group,
        found.label,
        name=found.name,
        fold=found.fold,
        fit=fit,
        classes=found.classes,
    )


def load_phantoms(count: int, size: int, seed: int) -> Samples:
    """Generate ``count`` phantoms; each is a group of its own."""
    images, masks = phantoms.generate(count, size, seed)
    label = np.where(masks.any(axis=(1, 2)), "lesion", "normal")
    return Samples(f"phantoms(count={count}, seed={seed})", images, masks, np.arange(count), label)


def find_data(name: str = BUSI_FILE) -> Path | None:
    """The data file in the folder that ``QUANTUNET_DATA`` names, else in ``../shared/data``, else None."""
    named = os.environ.get(ENVIRONMENT)
    folders = [Path(named)] if named else [Path("../shared/data")]
    return next((path for folder in folders if (path := folder / name).exists()), None)


def load(
    source: str | None,
    size: Size,
    *,
    phantom_count: int = 512,
    seed: int = 0,
    fit: Fit | None = None,
    groups: str | None = None,
    rgb: bool = False,
    classes: tuple[str, ...] = (),
) -> Samples:
    """Load a data set of images of one size.

    Args:
        source: An ``.npz`` file (a bare name is also looked for where ``find_data`` looks), an unpacked BUSI folder,
            a folder or table of one's own, ``phantoms``, or None for BUSI where ``find_data`` finds it (phantoms where
            it does not). Several with ``+`` between them are taken together.
        size: Height and width that the network takes, or one number for both; larger images of an ``.npz`` are reduced
            by a whole factor.
        phantom_count: How many phantoms to generate where phantoms are used.
        seed: Seed of the phantoms.
        fit: How pictures of one's own get to their size; ``stretch`` where it is left out.
        rgb: Whether the network takes RGB instead of gray.
        groups: What groups are in a folder or table of one's own; see :func:`~quantunet.model.own_set.read_own`.
        classes: Names of the classes that masks of one's own, or of an ``.npz``, hold; those that the data say
            themselves where they are left out. Without any, masks have one foreground.

    Raises:
        QuantUNetError: The source cannot be read, or has images of a size that does not fit.
    """
    if source is not None and JOINED in source and not Path(source).exists() and find_data(source) is None:
        parts = [
            load(part, size, phantom_count=phantom_count, seed=seed, fit=fit, groups=groups, rgb=rgb, classes=classes)
            for part in source.split(JOINED)
        ]
        return together(parts)
    if source == "phantoms":
        path = None
    elif source is None:
        path = find_data()
    else:
        path = Path(source)
        if not path.exists() and path.name == source:
            path = find_data(source) or path
    is_own = path is not None and own_folder.is_own(path)
    if not is_own:
        _check_not_said(source, fit, groups)
    if path is None or (path.is_dir() and not is_own):
        side = _one_side(source or "phantoms", size, classes)
        samples = load_phantoms(phantom_count, side, seed) if path is None else load_busi_folder(path, side)
    elif is_own:
        samples = load_own(path, size, fit, groups, rgb=rgb, classes=classes)
    else:
        samples = reduce(load_npz(path, classes), size)
    check_channels(samples, rgb=rgb)
    warn_of_content(samples.source, samples.images, samples.masks, samples.label, samples.name)
    return samples


def _one_side(source: str, size: Size, classes: tuple[str, ...]) -> int:
    """Return the side of the images of sources that have squares and one foreground alone.

    Raises:
        ShapeError: Other images are wanted.
        OptionError: Classes are named.
    """
    height, width = sides(size)
    hint = "Take a folder, a table or an .npz of your own."
    if height != width:
        raise ShapeError(
            f"{source}, --size", expected="a square, for this source", got=f"{height} x {width}", hint=hint
        )
    if classes:
        raise OptionError(
            f"{source}, --classes",
            expected="no classes: its masks have one foreground",
            got=SEPARATOR.join(classes),
            hint=hint,
        )
    return height


def _check_not_said(source: str | None, fit: Fit | None, groups: str | None) -> None:
    """Refuse what is said of pictures where the source has made its images already."""
    for option, value in (("--fit", fit), ("--groups", groups)):
        if value is not None:
            raise OptionError(
                option,
                expected="a folder or table of your own as data, of which it is said",
                got=f"{value} for {source or 'the default data'}",
                hint="Leave it out: an .npz holds images and groups, and BUSI has a way of its own.",
            )


def together(parts: Sequence[Samples]) -> Samples:
    """Take several data sets as one: images in that order, no group in two of them.

    Folds and second observers are left out, and names where one set has none: they are not those of all.

    Args:
        parts: Data sets of images of one size.

    Raises:
        ImageError: A data set is named twice, or two have different classes.
    """
    sources = [part.source for part in parts]
    source = JOINED.join(sources)
    if len(set(sources)) < len(sources):
        raise ImageError(source, expected="different data sets", got="one of them twice")
    if len({part.classes for part in parts}) > 1:
        told = " and ".join(SEPARATOR.join(part.classes) or "one foreground" for part in parts)
        raise ImageError(source, expected="the same classes in all of them", got=told)
    groups, first = [], 0
    for part in parts:
        numbers = np.unique(part.group, return_inverse=True)[1].astype(np.int64)
        groups.append(numbers + first)
        first += int(numbers.max()) + 1
    return Samples(
        source,
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.masks for part in parts]),
        np.concatenate(groups),
        np.concatenate([part.label for part in parts]),
        name=np.concatenate([part.name for part in parts if part.name is not None])
        if all(part.name is not None for part in parts)
        else None,
        fit=parts[0].fit if len({part.fit for part in parts}) == 1 else None,
        classes=parts[0].classes,
    )


def reduce(samples: Samples, size: Size) -> Samples:
    """Reduce images by a whole factor: the mean of each block, and the mask's pixel at the block's centre.

    Raises:
        ImageError: The images' height and width are not the same multiple of those of ``size``.
    """
    height, width = samples.images.shape[1:3]
    rows, columns = sides(size)
    factor = height // rows
    if (factor * rows, factor * columns) != (height, width) or not factor:
        raise ImageError(
            samples.source,
            expected=f"images of {rows} x {columns}, or of a multiple of it",
            got=f"{height} x {width}",
            hint="Choose a preset of that size, or --size, or phantoms.",
        )
    if factor == 1:
        return samples
    blocks = samples.images.reshape(len(samples), rows, factor, columns, factor, *samples.images.shape[3:])
    images = np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
    centre = (slice(None), slice(factor // 2, None, factor), slice(factor // 2, None, factor))
    second = None if samples.masks_observer2 is None else samples.masks_observer2[centre]
    return dataclasses.replace(samples, images=images, masks=samples.masks[centre], masks_observer2=second)


def part_counts(samples: Samples, indices: NDArray[np.int64]) -> dict[str, int]:
    """Images, groups and images with a lesion in a part, as a model card holds them."""
    return {
        "images": len(indices),
        "groups": len(np.unique(samples.group[indices])),
        "lesion_images": int(samples.masks[indices].any(axis=(1, 2)).sum()),
    }
