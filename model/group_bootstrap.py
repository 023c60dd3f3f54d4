"""Intervals over patients: the bootstrap that draws whole groups of images, for a mean and for a difference of means.

Images of one patient resemble each other, so that drawing images would make an interval too narrow. With the groups
g = 1 … G, the sum S_g and the number n_g of the values in each, one resample draws G groups with replacement, the group
g m_g times, and has the mean

    Σ m_g · S_g  /  Σ m_g · n_g

The interval reaches from the quantile 2.5 % to the quantile 97.5 % of the means of 10,000 resamples (percentile
interval). For two networks that were scored on the same images, the values are the differences image by image. NumPy
alone, with a fixed seed: the same scores have the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ShapeError

RESAMPLES = 10_000
SEED = 0
LEVEL = 0.95
"""Of every interval."""

_AT_ONCE = 1 << 20
"""Groups that are drawn before their means are taken: a few MiB."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class MeanDifference:
    """The difference of the mean scores of two networks on the same images.

    Attributes:
        first: Mean of the first network.
        second: Mean of the second one.
        difference: ``first - second``.
        low: Lower end of its 95 % interval over groups; nan where there are fewer than two groups.
        high: Upper end, likewise.
        images: Images that have the score.
        groups: Groups that they are of.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    images: int
    groups: int

    def document(self) -> dict[str, float | int | list[float | None] | None]:
        """Return the values for a report's JSON; nan as null."""
        ends = [_plain(end) for end in (self.low, self.high)]
        means = {key: _plain(getattr(self, key)) for key in ("first", "second", "difference")}
        return {**means, "interval": ends, "images": self.images, "groups": self.groups}


def bootstrap_interval(
    values: Values, group: NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """Return the 95 % interval of a mean, by drawing whole groups with replacement.

    Args:
        values: ``(n,)`` float64.
        group: ``(n,)`` group of each value.
        resamples: How often the groups are drawn.
        seed: Of the draws.

    Returns:
        The quantiles 2.5 % and 97.5 %; nan where there are fewer than two groups.

    Example:
        >>> bootstrap_interval(np.array([0.0, 0.0, 1.0, 1.0]), np.array([1, 1, 2, 2]))
        (0.0, 1.0)
    """
    names, member = np.unique(group, return_inverse=True)
    if len(names) < 2:
        return math.nan, math.nan
    sums, counts = np.bincount(member, values), np.bincount(member)
    rng, means = np.random.default_rng(seed), np.empty(resamples)
    step = max(1, _AT_ONCE // len(names))
    for first in range(0, resamples, step):
        drawn = rng.integers(len(names), size=(min(step, resamples - first), len(names)))
        means[first : first + step] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_difference(first: Values, second: Values, group: NDArray[np.int64]) -> MeanDifference:
    """Compare two networks by a score of the same images.

    Args:
        first: ``(n,)`` the first network's score of each image; nan where the image has none, for both alike.
        second: ``(n,)`` the second network's.
        group: ``(n,)`` group of each image.

    Raises:
        ShapeError: The three have different lengths, or an image has a score from one network alone.

    Example:
        >>> found = mean_difference(np.array([0.9, 0.7, np.nan]), np.array([0.8, 0.7, np.nan]), np.array([1, 2, 3]))
        >>> round(found.difference, 3), round(found.low, 3), round(found.high, 3), found.images, found.groups
        (0.05, 0.0, 0.1, 2, 2)
    """
    shapes = {values.shape for values in (first, second, group)}
    known = ~np.isnan(first) if len(shapes) == 1 else np.zeros(0, np.bool_)
    if len(shapes) > 1 or (known != ~np.isnan(second)).any():
        raise ShapeError(
            "scores of two networks",
            expected="a score from both for the same images, and a group for each",
            got=", ".join(str(values.shape) for values in (first, second, group)),
            hint="Score both networks against the same reference masks.",
        )
    if not known.any():
        return MeanDifference(math.nan, math.nan, math.nan, math.nan, math.nan, 0, 0)
    left, right, groups = first[known], second[known], group[known]
    low, high = bootstrap_interval(left - right, groups)
    means = float(left.mean()), float(right.mean())
    return MeanDifference(*means, float((left - right).mean()), low, high, int(known.sum()), len(np.unique(groups)))


def compare(
    first: Mapping[str, Values], second: Mapping[str, Values], group: NDArray[np.int64]
) -> dict[str, MeanDifference]:
    """Compare two networks by each of their scores; see :func:`mean_difference`."""
    return {name: mean_difference(values, second[name], group) for name, values in first.items()}


def _plain(value: Any) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
