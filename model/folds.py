"""Whole groups dealt into folds of about equal size. No torch here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import DataSplitError, OptionError

MAX_FOLDS = 1000


def deal(group: NDArray[np.int64], count: int, seed: int, where: str) -> NDArray[np.int64]:
    """Deal whole groups into folds.

    The groups are shuffled, then sorted by their number of images, the largest first; each goes into the fold that has
    the fewest images so far, the first of equals.

    Args:
        group: ``(n,)`` group of each image.
        count: How many folds.
        seed: Of the shuffle.
        where: The data set, for the message.

    Returns:
        int64 ``(n,)``: the fold of each image, from 0.

    Raises:
        OptionError: The number of folds is out of range.
        DataSplitError: There are fewer groups than folds.
    """
    if not 2 <= count <= MAX_FOLDS:
        raise OptionError("--folds", expected=f"2 to {MAX_FOLDS}", got=str(count))
    names, sizes = np.unique(group, return_counts=True)
    if len(names) < count:
        raise DataSplitError(
            where,
            expected=f"at least {count} groups, one for each fold",
            got=str(len(names)),
            hint=f"Ask for at most {len(names)} folds." if len(names) > 1 else "One group cannot be split.",
        )
    shuffled = np.random.default_rng(seed).permutation(len(names))
    filled = np.zeros(count, np.int64)
    fold_of = np.empty(len(names), np.int64)
    for index in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[index] = filled.argmin()
        filled[fold_of[index]] += sizes[index]
    return np.asarray(fold_of[np.searchsorted(names, group)])
