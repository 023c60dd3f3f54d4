"""``qun_smallest_area``: exact values and cycles under stalls and resets."""

from __future__ import annotations

from pathlib import Path

from helpers.op_cases import smallest_area_cases
from helpers.rtl import check_cases


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("smallest_area", smallest_area_cases(), tmp_path)
