"""Images with masks, from three sources, and splits that keep a group on one side.

Sources: an ``.npz`` (``images``, ``masks``, ``group``), an unpacked BUSI folder, and generated phantoms. No torch here.
"""

from __future__ import annotations

import dataclasses
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from quantunet.errors import DataSplitError, FileFormatError, ImageError, StorageError
from quantunet.model import phantoms
from quantunet.model.config import SplitBy

ENVIRONMENT = "QUANTUNET_DATA"
BUSI_FILE = "busi_128.npz"
_BUSI_IMAGE = re.compile(r"^(?P<stem>(?P<label>benign|malignant|normal) \(\d+\))\.png$")


@dataclass(frozen=True, eq=False)
class Samples:
    """A data set in memory.

    Args:
        source: Where it came from, for logs and the model card.
        images: ``(n, height, width)`` uint8.
        masks: ``(n, height, width)`` uint8, 0 or 1.
        group: ``(n,)`` int64; images of one group stay on one side of a split.
        label: ``(n,)`` str; empty strings where the source has none.
        masks_observer2: Masks of a second observer, as ``masks``; None where the source has none.
    """

    source: str
    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    group: NDArray[np.int64]
    label: NDArray[np.str_]
    masks_observer2: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.ndim != 3 or self.masks.shape != self.images.shape or not n:
            raise ImageError(
                self.source,
                expected="images and masks of one shape (n, height, width), n >= 1",
                got=f"{self.images.shape} and {self.masks.shape}",
            )
        if self.images.dtype != np.uint8 or self.masks.dtype != np.uint8 or self.masks.max() > 1:
            raise ImageError(
                self.source,
                expected="uint8 images, and uint8 masks of 0 and 1",
                got=f"{self.images.dtype} and {self.masks.dtype} up to {self.masks.max()}",
                hint="Scale images to 0..255 and divide masks by their maximum.",
            )
        second = self.masks_observer2
        if second is not None and (second.shape != self.masks.shape or second.dtype != np.uint8 or second.max() > 1):
            raise ImageError(
                self.source,
                expected=f"masks_observer2 as uint8 of 0 and 1, {self.masks.shape}",
                got=f"{second.dtype} up to {second.max()}, {second.shape}",
            )
        if self.group.shape != (n,) or self.label.shape != (n,):
            raise ImageError(
                self.source, expected=f"{n} groups and labels", got=f"{self.group.shape} and {self.label.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Split:
    """Indices into a data set.

    Args:
        train: Sorted indices to learn from.
        val: Sorted indices that select the best epoch.
        test: Sorted indices that are only reported on.
    """

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    def parts(self) -> dict[str, NDArray[np.int64]]:
        """The parts by name."""
        return {"train": self.train, "val": self.val, "test": self.test}


def load_npz(path: Path) -> Samples:
    """Read an ``.npz`` with ``images``, ``masks``, ``group`` and, where present, ``label`` and ``masks_observer2``.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no such file, is truncated, or lacks a key.
        ImageError: Shapes or value ranges are wrong.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = {"images", "masks", "group"} - set(archive.files)
            if missing:
                raise FileFormatError(
                    str(path),
                    expected="the arrays images, masks and group",
                    got=f"no {', '.join(sorted(missing))}",
                )
            images = archive["images"]
            label = archive["label"].astype(np.str_) if "label" in archive.files else np.full(len(images), "")
            second = archive["masks_observer2"] if "masks_observer2" in archive.files else None
            return Samples(path.name, images, archive["masks"], archive["group"].astype(np.int64), label, second)
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    except (ValueError, zipfile.BadZipFile, EOFError, AttributeError, TypeError) as error:
        raise FileFormatError(
            str(path), expected="a complete .npz file", got=str(error), hint="Download or copy the file again."
        ) from error


def _read_gray(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("L")  # ITU-R 601 luma
    except (UnidentifiedImageError, SyntaxError, EOFError) as error:
        raise FileFormatError(str(path), expected="a PNG image", got=str(error)) from error
    except OSError as error:
        raise FileFormatError(str(path), expected="a complete PNG image", got=str(error)) from error


def _busi_mask(folder: Path, stem: str, size: int) -> NDArray[np.uint8] | None:
    files = [p for p in (folder / f"{stem}_mask.png", *sorted(folder.glob(f"{stem}_mask_*.png"))) if p.exists()]
    if not files:
        return None
    first, *rest = [np.asarray(_read_gray(path)) > 127 for path in files]
    for path, other in zip(files[1:], rest, strict=True):
        if other.shape != first.shape:
            raise ImageError(str(path), expected=f"a mask of {first.shape}", got=str(other.shape))
        first = first | other
    resized = Image.fromarray(first).convert("L").resize((size, size), Image.Resampling.NEAREST)
    return (np.asarray(resized) > 127).astype(np.uint8)


def load_busi_folder(folder: Path, size: int) -> Samples:
    """Read the unpacked BUSI set: ``benign (1).png`` with ``benign (1)_mask.png``, ``benign (1)_mask_1.png``, ...

    The images may lie in ``folder`` or in its sub-folders ``benign``, ``malignant`` and ``normal``. Several masks of
    one image are OR-merged. The set names no patients: images whose difference hash (64 bits) is within 6 bits of each
    other are joined into one group, as are chains of such images.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, an image without a mask, or a damaged file.
        ImageError: The masks of one image differ in size.
    """
    if not folder.is_dir():
        raise StorageError(str(folder), expected="a folder with the BUSI images", got="no such folder")
    found = sorted((p, m) for p in folder.rglob("*.png") if (m := _BUSI_IMAGE.match(p.name)))
    if not found:
        raise FileFormatError(
            str(folder), expected="files such as 'benign (1).png'", got="none", hint="Name the unpacked BUSI folder."
        )
    images, masks, labels, hashes = [], [], [], []
    for path, match in found:
        mask = _busi_mask(path.parent, match["stem"], size)
        if mask is None:
            raise FileFormatError(str(path), expected=f"'{match['stem']}_mask.png' beside it", got="no mask")
        gray = _read_gray(path)
        images.append(np.asarray(gray.resize((size, size), Image.Resampling.BOX)))
        masks.append(mask)
        labels.append(match["label"])
        hashes.append(_difference_hash(gray))
    return Samples(
        folder.name, np.stack(images), np.stack(masks), _near_duplicates(np.stack(hashes), 6), np.array(labels)
    )


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


def load(source: str | None, size: int, *, phantom_count: int = 512, seed: int = 0) -> Samples:
    """Load a data set of images of ``size`` by ``size`` pixels.

    Args:
        source: An ``.npz`` file (a bare name is also looked for where ``find_data`` looks), an unpacked BUSI folder,
            ``phantoms``, or None for BUSI where ``find_data`` finds it (phantoms where it does not).
        size: Height and width that the network takes; larger images are reduced by a whole factor.
        phantom_count: How many phantoms to generate where phantoms are used.
        seed: Seed of the phantoms.

    Raises:
        QuantUNetError: The source cannot be read, or has images of a size that does not fit.
    """
    if source == "phantoms":
        path = None
    elif source is None:
        path = find_data()
    else:
        path = Path(source)
        if not path.exists() and path.name == source:
            path = find_data(source) or path
    if path is None:
        return load_phantoms(phantom_count, size, seed)
    return load_busi_folder(path, size) if path.is_dir() else reduce(load_npz(path), size)


def reduce(samples: Samples, size: int) -> Samples:
    """Reduce images by a whole factor: the mean of each block, and the mask's pixel at the block's centre.

    Raises:
        ImageError: The images are not square, or not a multiple of ``size``.
    """
    height, width = samples.images.shape[1:]
    factor = height // size
    if height != width or factor * size != height or not factor:
        raise ImageError(
            samples.source,
            expected=f"images of {size} x {size}, or of a multiple of it",
            got=f"{height} x {width}",
            hint="Choose a preset of that size, or phantoms.",
        )
    if factor == 1:
        return samples
    blocks = samples.images.reshape(len(samples), size, factor, size, factor)
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


def split_by_group(group: NDArray[np.int64], *, val_fraction: float, test_fraction: float, seed: int) -> Split:
    """Split whole groups at random.

    Args:
        group: ``(n,)`` group of each image.
        val_fraction: Share of the groups in the validation part.
        test_fraction: Share of the groups in the test part.
        seed: Seed of the choice.

    Raises:
        DataSplitError: A part would be empty.
    """
    names = np.unique(group)
    order = np.random.default_rng(seed).permutation(names)
    n_val, n_test = round(len(names) * val_fraction), round(len(names) * test_fraction)
    test, val, train = np.split(order, [n_test, n_test + n_val])
    split = Split(*(np.flatnonzero(np.isin(group, part)) for part in (train, val, test)))
    check_split(split, group)
    return split


def split_samples(
    samples: Samples, *, split_by: SplitBy, val_fraction: float, test_fraction: float, seed: int
) -> Split:
    """Split by group; or, to show what near duplicates leak, by image.

    Args:
        samples: The data.
        split_by: What stays in one part.
        val_fraction: Share of the groups, or images, in the validation part.
        test_fraction: Share of the groups, or images, in the test part.
        seed: Seed of the choice.

    Raises:
        DataSplitError: A part would be empty.
    """
    group = samples.group if split_by == "group" else np.arange(len(samples))
    return split_by_group(group, val_fraction=val_fraction, test_fraction=test_fraction, seed=seed)


def check_split(split: Split, group: NDArray[np.int64]) -> None:
    """Refuse a split that leaks, misses a part or names an image that is not there.

    Raises:
        DataSplitError: A group stands in two parts, an image stands in a part twice, an index is out of range, or a
            part is empty.
    """
    parts = split.parts()
    for name, indices in parts.items():
        if not len(indices):
            raise DataSplitError(f"{name} part", expected="at least one image", got="none", hint="Use more images.")
        if indices.min() < 0 or indices.max() >= len(group) or len(np.unique(indices)) != len(indices):
            raise DataSplitError(
                f"{name} part", expected=f"different indices in 0..{len(group) - 1}", got="a repeated or foreign index"
            )
    names: Sequence[str] = list(parts)
    for i, left in enumerate(names):
        for right in names[i + 1 :]:
            both = np.intersect1d(group[parts[left]], group[parts[right]])
            if len(both):
                raise DataSplitError(
                    f"{left} and {right} parts",
                    expected="every group on one side",
                    got=f"{len(both)} shared groups, the first {both[0]}",
                    hint="Split by group (split_by_group), not by image.",
                )
