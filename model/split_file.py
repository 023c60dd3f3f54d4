"""Cross-validation as a file: which images are in which fold, of exactly which data. No torch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantunet.documents import Fields, read_json
from quantunet.errors import DataSplitError, OptionError
from quantunet.model.config import MAX_SEED, SplitBy
from quantunet.model.data import Samples
from quantunet.model.data_digest import data_digest
from quantunet.model.folds import deal
from quantunet.storage import write_text

_WHAT = "folds of a data set"


@dataclass(frozen=True, eq=False)
class Folds:
    """Folds of a data set; every image is in one of them.

    Attributes:
        source: Name of the data's file.
        digest: :func:`~quantunet.model.data_digest.data_digest` of the data.
        by: What stays in one fold.
        seed: Of the choice.
        folds: Sorted indices of the images of each fold, int64.
    """

    source: str
    digest: str
    by: SplitBy
    seed: int
    folds: tuple[NDArray[np.int64], ...]


def make_folds(samples: Samples, count: int, *, by: SplitBy, seed: int) -> Folds:
    """Deal whole groups into folds of about equal size, as :func:`~quantunet.model.folds.deal` does it.

    Args:
        samples: The data.
        count: How many folds.
        by: ``group``, or ``image`` to ignore the groups.
        seed: Of the shuffle.

    Raises:
        OptionError: The number of folds or the seed is out of range.
        DataSplitError: There are fewer groups than folds.
    """
    if not 0 <= seed <= MAX_SEED:
        raise OptionError("--seed", expected=f"0 to {MAX_SEED}", got=str(seed))
    group = samples.group if by == "group" else np.arange(len(samples))
    of_image = deal(group, count, seed, samples.source)
    folds = tuple(np.flatnonzero(of_image == fold) for fold in range(count))
    return Folds(samples.source, data_digest(samples), by, seed, folds)


def write_folds(path: Path, folds: Folds) -> None:
    """Write folds as JSON.

    Raises:
        StorageError: The file cannot be written.
    """
    data = {"file": folds.source, "images": sum(map(len, folds.folds)), "sha256": folds.digest}
    head = ",\n ".join(
        f'"{key}": {json.dumps(value)}' for key, value in (("data", data), ("by", folds.by), ("seed", folds.seed))
    )
    rows = ",\n  ".join(json.dumps(fold.tolist()) for fold in folds.folds)
    write_text(path, f'{{\n {head},\n "folds": [\n  {rows}\n ]\n}}\n')


def read_folds(path: Path, samples: Samples) -> Folds:
    """Read folds of a data set.

    Args:
        path: What :func:`write_folds` wrote.
        samples: The data, as :func:`~quantunet.model.data.load_npz` reads them.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no such document.
        DataSplitError: It is about other data, an image is in no fold or in two, or a group is in two of them.
    """
    fields = Fields(read_json(path, _WHAT), str(path))
    data = fields.table("data")
    source, images, digest = data.text("file"), data.whole("images", 1, 1 << 31), data.text("sha256")
    data.finish()
    by: SplitBy = fields.choice("by", ("group", "image"))
    seed = fields.whole("seed", 0, MAX_SEED)
    rows = fields.items("folds")
    fields.finish()
    found = data_digest(samples)
    if digest != found or images != len(samples):
        raise DataSplitError(
            str(path),
            expected=f"folds of {samples.source}, {len(samples)} images, SHA-256 {found}",
            got=f"those of {source}, {images} images, {digest}",
            hint="Split this file again, or name the one that was split.",
        )
    lists = Fields({str(index): row for index, row in enumerate(rows)}, str(path), "folds")
    folds = tuple(np.array(lists.wholes(str(index), 0, images - 1), np.int64) for index in range(len(rows)))
    _check(str(path), folds, samples.group if by == "group" else None, images)
    return Folds(source, digest, by, seed, folds)


def _check(where: str, folds: tuple[NDArray[np.int64], ...], group: NDArray[np.int64] | None, images: int) -> None:
    if len(folds) < 2 or not all(map(len, folds)):
        raise DataSplitError(where, expected="two or more folds, none of them empty", got=str([*map(len, folds)]))
    together = np.concatenate(folds)
    if not np.array_equal(np.sort(together), np.arange(images)):
        raise DataSplitError(
            where, expected=f"each of {images} images in one fold", got=f"{len(together)} places, or an image twice"
        )
    if group is None:
        return
    of_image = np.empty(images, np.int64)
    for index, fold in enumerate(folds):
        of_image[fold] = index
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    parted = np.flatnonzero(of_image != of_image[first][inverse.reshape(-1)])
    if len(parted):
        raise DataSplitError(
            where, expected="every group in one fold", got=f"group {group[parted[0]]} in two", hint="Split it again."
        )
