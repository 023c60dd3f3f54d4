"""Splits of a data set that keep a group on one side: at random, or by folds. No torch here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import DataSplitError
from quantunet.model.config import SplitBy
from quantunet.model.folds import deal
from quantunet.model.samples import Samples


@dataclass(frozen=True, eq=False)
class Split:
    """Indices into a data set.

    Attributes:
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


class SplitRule(Protocol):
    """What says how data are split: the configuration of a training, or the card that it has left."""

    @property
    def split_by(self) -> SplitBy:
        """What stays in one part."""
        ...

    @property
    def val_fraction(self) -> float:
        """Share of the groups, or images, in the validation part."""
        ...

    @property
    def test_fraction(self) -> float:
        """Share of them in the test part, where no fold is."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the choice."""
        ...

    @property
    def fold(self) -> int | None:
        """The fold that is the test part, if one is."""
        ...

    @property
    def folds(self) -> int | None:
        """How many folds are dealt, if the data do not say them."""
        ...


def split_as(rule: SplitRule, samples: Samples) -> Split:
    """Split as a training is told to, or was: :func:`split_samples`.

    Raises:
        DataSplitError: A part would be empty, there is no such fold, or a group stands in two of them.
    """
    return split_samples(
        samples,
        split_by=rule.split_by,
        val_fraction=rule.val_fraction,
        test_fraction=rule.test_fraction,
        seed=rule.seed,
        fold=rule.fold,
        folds=rule.folds,
    )


def split_samples(
    samples: Samples,
    *,
    split_by: SplitBy,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    fold: int | None = None,
    folds: int | None = None,
) -> Split:
    """Split by group; or, to show what near duplicates leak, by image; with a fold for the test or at random.

    Args:
        samples: The data.
        split_by: What stays in one part.
        val_fraction: Share of the groups, or images, in the validation part.
        test_fraction: Share of the groups, or images, in the test part, where no fold is.
        seed: Seed of the choice.
        fold: The fold that is the test part; None for one that is drawn. The validation part is then drawn from the
            groups of the other folds.
        folds: How many folds are dealt where the data do not say the fold of each image.

    Raises:
        DataSplitError: A part would be empty, there is no such fold, or a group stands in two of them.
    """
    group = samples.group if split_by == "group" else np.arange(len(samples))
    if fold is not None:
        if folds is not None:
            samples = dataclasses.replace(samples, fold=folds_of(samples, group, folds, seed))
        return _split_by_fold(samples, group, fold, val_fraction, seed)
    return split_by_group(group, val_fraction=val_fraction, test_fraction=test_fraction, seed=seed)


def folds_of(samples: Samples, group: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each image: what the data say, or dealt by group.

    Raises:
        DataSplitError: The data say another number of folds, or have too few groups.
        OptionError: The number is out of range.
    """
    if samples.fold is None:
        return deal(group, folds, seed, samples.source)
    own = np.unique(samples.fold)
    if len(own) != folds:
        raise DataSplitError(
            samples.source,
            expected=f"{len(own)} folds, those that the data say",
            got=str(folds),
            hint=f"Ask for --folds {len(own)}.",
        )
    return samples.fold


def _split_by_fold(samples: Samples, group: NDArray[np.int64], fold: int, val_fraction: float, seed: int) -> Split:
    folds = [] if samples.fold is None else np.unique(samples.fold).tolist()
    if samples.fold is None or fold not in folds:
        raise DataSplitError(
            samples.source,
            expected=f"a fold out of {', '.join(map(str, folds))}" if folds else "an array fold, of whole numbers",
            got=str(fold) if folds else "none",
            hint="Choose another --fold." if folds else "Leave --fold out: the test part is then drawn by group.",
        )
    names = np.unique(group[samples.fold != fold])
    chosen = np.random.default_rng(seed).permutation(names)[: round(len(names) * val_fraction)]
    test = samples.fold == fold
    val = np.isin(group, chosen) & ~test
    split = Split(np.flatnonzero(~test & ~val), np.flatnonzero(val), np.flatnonzero(test))
    check_split(split, group)
    return split


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
