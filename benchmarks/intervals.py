"""Differences with their intervals, where seeds share the images of one data set.

Each seed draws its split from the same images, so that most training images of one seed are training images of the
next, and the differences of two seeds are not independent. Student's interval, which takes them for that, is too
narrow. Here the variance of a mean over n seeds is not s² / n but s² · (1 / n + n_test / n_train): the corrected
resampled t interval (Nadeau and Bengio, Inference for the generalization error, Machine Learning 52, 2003).

Two values have one degree of freedom, and their interval says next to nothing: they are shown as a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
"""Of every interval."""

FEWEST = 3
"""Values that an interval is made of at least."""


@dataclass(frozen=True)
class Difference:
    """The mean of differences, and how far they reach.

    Attributes:
        mean: Their mean.
        low: Lower end: of the interval; of two differences the smaller one; of one, itself.
        high: Upper end, likewise.
        count: How many there are; of two groups, the size of the smaller one.
    """

    mean: float
    low: float
    high: float
    count: int

    @property
    def is_interval(self) -> bool:
        """Whether the ends are those of an interval, and not differences themselves."""
        return self.count >= FEWEST

    @property
    def excludes_zero(self) -> bool:
        """Whether it is an interval, and zero is not in it."""
        return self.is_interval and not self.low <= 0 <= self.high

    def minus_independent(self, other: Difference) -> Difference:
        """This difference minus one of other samples, which has an interval too.

        Half widths add as standard deviations do, each end on its own side (Zou and Donner, Construction of confidence
        limits about effect measures, Statistics in Medicine 27, 2008). It counts as many as the smaller of the two.

        >>> str(Difference(-0.03, -0.07, 0.01, 9).minus_independent(Difference(-0.01, -0.04, 0.02, 5)))
        '-0.020 (-0.070 to +0.030)'
        """
        mean = self.mean - other.mean
        low = mean - float(np.hypot(self.mean - self.low, other.high - other.mean))
        high = mean + float(np.hypot(self.high - self.mean, other.mean - other.low))
        return Difference(mean, low, high, min(self.count, other.count))

    def __str__(self) -> str:
        """The mean alone, with its range, or with its interval.

        >>> str(Difference(0.02, 0.02, 0.02, 1)), str(Difference(0.02, 0.01, 0.03, 2))
        ('+0.020', '+0.020 [range +0.010 to +0.030]')
        >>> str(Difference(0.02, -0.01, 0.05, 3))
        '+0.020 (-0.010 to +0.050)'
        """
        if self.count == 1:
            return f"{self.mean:+.3f}"
        ends = f"{self.low:+.3f} to {self.high:+.3f}"
        return f"{self.mean:+.3f} ({ends})" if self.is_interval else f"{self.mean:+.3f} [range {ends}]"


def over_seeds(differences: Sequence[float], test_per_train: float) -> Difference:
    """The mean of differences over seeds that share a data set.

    The interval is ``mean ± t · s · sqrt(1 / n + n_test / n_train)``, with the quantile t of n - 1 degrees of freedom.

    Args:
        differences: One for each seed, at least one.
        test_per_train: n_test / n_train: images that a difference was measured on, over those that were trained on.

    Example:
        >>> str(over_seeds([0.01, 0.02, 0.03], 0.15 / 0.7))
        '+0.020 (-0.012 to +0.052)'
        >>> str(over_seeds([0.01, 0.02, 0.03], 0))
        '+0.020 (-0.005 to +0.045)'
    """
    values = np.asarray(differences, dtype=np.float64)
    count = len(values)
    if count < FEWEST:
        return Difference(float(values.mean()), float(values.min()), float(values.max()), count)
    variance = float(values.var(ddof=1)) * (1 / count + test_per_train)
    return _student(float(values.mean()), variance, count - 1, count)


def of_two_groups(left: Sequence[float], right: Sequence[float], test_per_train: float) -> Difference:
    """The difference of two means over seeds, where the seeds of both do not belong together in pairs.

    Welch's interval, the variance of each mean corrected as in :func:`over_seeds`. With less than three values in a
    group it is the range of all differences of one value on the left and one on the right.

    Args:
        left: At least one value.
        right: Likewise.
        test_per_train: n_test / n_train.

    Example:
        >>> str(of_two_groups([0.75, 0.77, 0.79], [0.7, 0.72, 0.74], 0))
        '+0.050 (+0.005 to +0.095)'
        >>> str(of_two_groups([0.75, 0.77], [0.7, 0.72, 0.74], 0))
        '+0.040 [range +0.010 to +0.070]'
    """
    groups = [np.asarray(values, dtype=np.float64) for values in (left, right)]
    mean, count = float(groups[0].mean() - groups[1].mean()), min(len(values) for values in groups)
    if count < FEWEST:
        each = groups[0][:, None] - groups[1]
        return Difference(mean, float(each.min()), float(each.max()), count)
    parts = [float(values.var(ddof=1)) * (1 / len(values) + test_per_train) for values in groups]
    below = sum(part**2 / (len(values) - 1) for part, values in zip(parts, groups, strict=True))
    freedom = sum(parts) ** 2 / below if below else 2 * count - 2
    return _student(mean, sum(parts), freedom, count)


def _student(mean: float, variance: float, freedom: float, count: int) -> Difference:
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * float(np.sqrt(variance))
    return Difference(mean, mean - half, mean + half, count)
