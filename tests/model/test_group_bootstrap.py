"""The bootstrap over groups: a case by hand, its coverage, and that two networks are compared image by image."""

import itertools
import math

import numpy as np
import pytest

from quantunet.errors import ShapeError
from quantunet.model.group_bootstrap import bootstrap_interval, compare, mean_difference


def test_the_interval_draws_whole_groups():
    values = np.array([0.0] * 10 + [1.0] * 10)
    assert bootstrap_interval(values, np.repeat([4, 7], 10)) == (0.0, 1.0)
    low, high = bootstrap_interval(values, np.arange(20))
    assert 0.2 < low < 0.4
    assert 0.6 < high < 0.8
    assert (low, high) == bootstrap_interval(values, np.arange(20))
    assert all(map(math.isnan, bootstrap_interval(values, np.zeros(20, np.int64))))


def test_a_large_group_weighs_by_its_images():
    low, high = bootstrap_interval(np.array([0.0, 0.0, 0.0, 1.0]), np.array([0, 0, 0, 1]))
    assert (low, high) == (0.0, 1.0)


def test_the_interval_is_that_of_all_resamples_by_hand():
    """Four groups have 256 resamples, all alike probable: their quantiles are known."""
    values = np.array([0.0, 0.1, 0.5, 0.2, 0.9, 0.7, 0.8])
    group = np.array([3, 5, 5, 8, 9, 9, 9])
    parts = [values[group == name] for name in (3, 5, 8, 9)]
    means = [np.mean(np.concatenate(drawn)) for drawn in itertools.product(parts, repeat=4)]
    assert len(means) == 256
    found = mean_difference(values, np.zeros(7), group)
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        below, up_to = np.mean([mean < end - 1e-9 for mean in means]), np.mean([mean <= end + 1e-9 for mean in means])
        assert below - 0.006 <= share <= up_to + 0.006, "10,000 resamples know a share to about 0.002"
    assert (found.difference, found.images, found.groups) == (pytest.approx(values.mean()), 7, 4)
    shuffled = np.array([6, 2, 0, 4, 1, 5, 3])
    again = mean_difference(values[shuffled], np.zeros(7), group[shuffled])
    assert (again.low, again.high) == pytest.approx((found.low, found.high))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """200 sets of 60 patients with 1 to 5 images, whose differences have a part in common."""
    rng, truth = np.random.default_rng(1), 0.02
    covered, by_image = 0, 0
    for _ in range(200):
        group = np.repeat(np.arange(60), rng.integers(1, 6, 60))
        second = rng.uniform(0, 1, len(group))
        first = second + truth + rng.normal(0, 0.1, 60)[group] + rng.normal(0, 0.03, len(group))
        found = mean_difference(first, second, group)
        covered += found.low <= truth <= found.high
        low, high = bootstrap_interval(first - second, np.arange(len(group)), resamples=500)
        by_image += low <= truth <= high
    assert 0.89 <= covered / 200 <= 0.99
    assert by_image / 200 < 0.85, "images alone are too sure of themselves"


def test_images_without_a_score_are_left_out_of_both():
    first, second = np.array([0.5, np.nan, 0.7]), np.array([0.4, np.nan, 0.8])
    found = compare({"dice": first}, {"dice": second}, np.array([1, 2, 3]))["dice"]
    assert (found.first, found.second, found.images, found.groups) == (pytest.approx(0.6), pytest.approx(0.6), 2, 2)
    assert found.document()["interval"] == [pytest.approx(-0.1), pytest.approx(0.1)]
    nothing = mean_difference(np.full(2, np.nan), np.full(2, np.nan), np.array([1, 2]))
    assert nothing.document() == {
        "first": None, "second": None, "difference": None, "interval": [None, None], "images": 0, "groups": 0,
    }  # fmt: skip


@pytest.mark.parametrize("second", [np.array([0.4, 0.5]), np.array([0.4, 0.5, 0.6, 0.7]), np.array([0.4, 0.5, 0.6])])
def test_scores_of_other_images_are_refused(second):
    with pytest.raises(ShapeError, match="scores of two networks"):
        mean_difference(np.array([0.5, np.nan, 0.7]), second, np.array([1, 2, 3]))
