"""``qun_window_conv2d``, and ``qun_window`` in it, against the golden model: any geometry, exact cycles."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from helpers.matrix_cases import case_of, random_windows, saturates, window_conv2d_cases
from helpers.rtl import check_cases


def test_corners(tmp_path: Path) -> None:
    cases = window_conv2d_cases()
    assert {case.instance.module for case in cases} == {"qun_window_conv2d"}
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    check_cases("window_conv2d", cases, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_geometries(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    cases = [case_of(random_windows(rng), rng.randrange(1 << 30)) for _ in range(10)]
    check_cases("window_conv2d", cases, tmp_path)
