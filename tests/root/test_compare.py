"""The comparator: it counts, names the first difference, and fails where there is nothing to compare."""

from __future__ import annotations

import numpy as np
import pytest

from quantunet.compare import Comparison, Difference, compare, compare_stream
from quantunet.errors import ShapeError

FRAMES = np.arange(24).reshape(2, 2, 2, 3)


@pytest.mark.parametrize("expected", [FRAMES, FRAMES[0]], ids=["frames", "one image"])
def test_every_single_difference_is_counted_and_named(expected: np.ndarray) -> None:
    assert compare("y", expected, expected.copy()) == Comparison("y", expected.size, 0, None)
    named = set()
    for place in np.ndindex(expected.shape):
        got = expected.copy()
        got[place] += 1
        *frame, y, x, channel = place
        right = int(expected[place])
        first = Difference(*(frame or [0]), y, x, channel, right, right + 1)
        assert compare("y", expected, got) == Comparison("y", expected.size, 1, first)
        named.add(str(first))
    assert len(named) == expected.size
    assert "y=1 x=0 channel=2: expected 8, got 9" in named


def test_the_first_of_several_differences_is_named() -> None:
    got = FRAMES.copy()
    got[1, 0, 1, 2], got[1, 1], got[0, 1, 1, 0] = -1, -1, -1
    assert compare("y", FRAMES, got) == Comparison("y", 24, 8, Difference(0, 1, 1, 0, 9, -1))


def test_a_stream_that_ends_early_lacks_the_rest() -> None:
    expected = FRAMES[:1]
    assert compare_stream("y", expected, np.arange(12)) == Comparison("y", 12, 0, None)
    assert compare_stream("y", expected, np.arange(7)) == Comparison("y", 12, 5, Difference(0, 1, 0, 1, 7, None))
    wrong = np.arange(7)
    wrong[4] = 0
    assert compare_stream("y", expected, wrong) == Comparison("y", 12, 6, Difference(0, 0, 1, 1, 4, 0))
    assert compare_stream("y", expected, np.arange(0)) == Comparison("y", 12, 12, Difference(0, 0, 0, 0, 0, None))
    with pytest.raises(ShapeError, match="at most 12 values"):
        compare_stream("y", expected, np.arange(13))


def test_types_do_not_wrap() -> None:
    """Codes in small types, signed against unsigned, and masks are compared by value."""
    assert compare("y", np.array([[[255]]]), np.array([[[-1]]], np.int8)).first == Difference(0, 0, 0, 0, 255, -1)
    assert compare("y", np.array([[[255]]]), np.array([[[255]]], np.uint8)).passed
    assert compare("mask", np.array([[[True]]]), np.array([[[False]]])).first == Difference(0, 0, 0, 0, 1, 0)


def test_comparison_of_nothing_has_failed() -> None:
    empty = np.zeros((0, 3, 3), dtype=np.int64)
    assert compare("x", empty, empty) == Comparison("x", 0, 0, None)
    assert not compare("x", empty, empty).passed


@pytest.mark.parametrize("shape", [(1, 3, 4), (1, 4, 3, 1), (12,)], ids=str)
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="shape"):
        compare("x", np.zeros((1, 4, 3), np.int64), np.zeros(shape, np.int64))
