"""``qun_window_conv2d``, and ``qun_window`` in it, against the golden model: any geometry, exact cycles."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.matrix_cases import case_of, random_windows, saturates, window_conv2d_cases
from helpers.rtl import check_cases

TELLING = (1, 2, 3, 5, 6, 8, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22)
"""Places of the cases that go through every run of the tests; a build takes three seconds a case."""


@pytest.mark.parametrize("places", [TELLING, pytest.param(range(24), marks=pytest.mark.slow)], ids=["telling", "all"])
def test_corners(places: Sequence[int], tmp_path: Path) -> None:
    every = window_conv2d_cases()
    cases = [every[place] for place in places]
    assert {case.instance.module for case in cases} == {"qun_window_conv2d"}
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    assert len(every) == 24
    check_cases("window_conv2d", cases, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_geometries(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    cases = [case_of(random_windows(rng), rng.randrange(1 << 30)) for _ in range(10)]
    check_cases("window_conv2d", cases, tmp_path)
