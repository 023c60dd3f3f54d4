"""``qun_window_conv2d``, and ``qun_window`` in it, against the golden model: any geometry, exact cycles."""

from __future__ import annotations

from pathlib import Path

from helpers.matrix_cases import WINDOW_CONV2D, case_of, saturates
from helpers.rtl import check_cases


def test_corners(tmp_path: Path) -> None:
    cases = [case_of(layer, seed) for seed, layer in enumerate(WINDOW_CONV2D)]
    assert {case.instance.module for case in cases} == {"qun_window_conv2d"}
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    check_cases("window_conv2d", cases, tmp_path)
