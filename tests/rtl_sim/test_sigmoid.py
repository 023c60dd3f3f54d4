"""``qun_sigmoid``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import sigmoid_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "lanes swapped": ("qun_sigmoid.sv", "(s_axis_tdata[lane*InBits", "(s_axis_tdata[(Lanes-1-lane)*InBits"),
    "table read while it waits": ("qun_sigmoid.sv", "move && s_axis_tvalid", "s_axis_tvalid"),
    "tready always high": ("qun_sigmoid.sv", "assign s_axis_tready = move;", "assign s_axis_tready = 1'b1;"),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("sigmoid", sigmoid_cases(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = sigmoid_cases()[1:3]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("sigmoid", cases, tmp_path / "run", rtl_folder=folder)
