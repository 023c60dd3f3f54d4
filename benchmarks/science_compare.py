"""Which runs of ``runs.csv`` are compared with which: seed by seed, and learned widths with uniform ones at equal cost.

Trainings of a seed share split, warm start and order of images, so that their difference is taken before the mean.
The folds of a cross-validation are taken as seeds are.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks import intervals
from benchmarks.intervals import Difference
from benchmarks.science_runs import Part, Run, of

_Score = TypeVar("_Score", float, NDArray[np.float64])

FAILED_SHARE = 0.5
"""A network whose Dice on the validation part is below this share of the float control's, same seed, has failed."""


def paired(left: Iterable[Run], right: Iterable[Run], part: Part = "test") -> list[float]:
    """Differences in Dice, ``left - right``, of the runs that have a seed in common, one for each seed."""
    other = {run.sample: run.dice(part) for run in right}
    return by_seed((run.sample, run.dice(part) - other[run.sample]) for run in left if run.sample in other)


def from_start(runs: Iterable[Run], part: Part = "test") -> list[float]:
    """Differences in Dice from the float network that each run began with, one for each seed."""
    return by_seed((run.sample, run.dice(part) - run.values[f"start_{part}_dice"]) for run in runs)


def by_seed(found: Iterable[tuple[Hashable, float]]) -> list[float]:
    """The mean of each seed, so that several trainings of one seed count once."""
    values: dict[Hashable, list[float]] = {}
    for seed, value in found:
        values.setdefault(seed, []).append(value)
    return [float(np.mean(of_seed)) for of_seed in values.values()]


def working(runs: Iterable[Run], control: Iterable[Run]) -> list[Run]:
    """The runs that have not failed: see :data:`FAILED_SHARE`. Without a control of its seed, none is known to work.

    The validation part decides, also where Dice of the test part are compared.
    """
    dice = {run.sample: run.dice("val") for run in control}
    return [run for run in runs if run.sample in dice and run.dice("val") >= FAILED_SHARE * dice[run.sample]]


def over_uniform(learned: Iterable[Run], uniform: Sequence[Run], cost: str, part: Part = "test") -> list[float]:
    """Dice of learned widths minus that of uniform widths at the same cost, one difference for each seed.

    Between two uniform networks the Dice is interpolated over the logarithm of the cost. A learned network that is
    cheaper or dearer than every uniform one of its seed is left out. Of several learned networks of one seed the mean
    difference counts.

    Args:
        learned: Networks with learned widths.
        uniform: Uniform networks, only those that are :func:`working`: on the line to one that has failed, any
            network seems good.
        cost: Column that says what a network costs.
        part: The part of the data whose Dice is compared.
    """
    differences: list[tuple[Hashable, float]] = []
    for run in learned:
        curve = [(other.values[cost], other.dice(part)) for other in uniform if other.sample == run.sample]
        dice = at_cost(curve, run.values[cost])
        if dice is not None:
            differences.append((run.sample, run.dice(part) - float(dice)))
    return by_seed(differences)


def at_cost(curve: Iterable[tuple[float, _Score]], cost: float) -> _Score | None:
    """What networks of a curve score at a cost: on the line, over the logarithm of the cost, between its neighbours.

    Args:
        curve: Cost and score of each network, in any order; a score may be an array.
        cost: The cost.

    Returns:
        None where there is no network on one of the sides.

    Example:
        >>> at_cost([(400.0, 0.8), (100.0, 0.6)], 200.0)
        0.7
        >>> at_cost([(400.0, 0.8), (100.0, 0.6)], 401.0) is None
        True
    """
    ordered = sorted(curve, key=operator.itemgetter(0))
    for (low, below), (high, above) in itertools.pairwise(ordered):
        if low <= cost <= high:
            share = math.log(cost / low) / math.log(high / low) if high > low else 0.0
            return below + share * (above - below)
    return None


def difference(runs: Sequence[Run], differences: Sequence[float]) -> Difference | None:
    """The mean of differences with its interval, for the split of the runs that they are of; None if there are none."""
    return intervals.over_seeds(differences, runs[0].test_per_train) if differences else None


def unpaired(left: Sequence[Run], right: Sequence[Run], key: str) -> Difference | None:
    """The difference of the means of a column, for runs that do not share their test parts; None without values."""
    found = [of(runs, key) for runs in (left, right)]
    return intervals.of_two_groups(found[0], found[1], left[0].test_per_train) if all(found) else None
