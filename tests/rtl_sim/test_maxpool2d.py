"""``qun_maxpool2d``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import maxpool2d_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "signs ignored": ("qun_maxpool2d.sv", "{Signed, {(Bits - 1) {1'b0}}}", "'0"),
    "lanes swapped": ("qun_maxpool2d.sv", "lane_b = b[lane*Bits+:Bits]", "lane_b = b[(Lanes-1-lane)*Bits+:Bits]"),
    "rows never meet": ("qun_maxpool2d.sv", "below_r_q <= below_q;", "below_r_q <= above_q;"),
    "tready always high": ("qun_maxpool2d.sv", "assign s_axis_tready = move;", "assign s_axis_tready = 1'b1;"),
    "row parity kept in reset": ("qun_maxpool2d.sv", "      odd_row_q <= 1'b0;\n", ""),
    "a cycle more": (
        "qun_maxpool2d.sv",
        "row_valid_q <= {row_valid_q[0], pair_valid_q[2] && pair_odd_row_q[2]};",
        "row_valid_q <= {row_valid_q[0], pair_valid_q[1] && pair_odd_row_q[1]};",
    ),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("maxpool2d", maxpool2d_cases(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = maxpool2d_cases()[1:3]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("maxpool2d", cases, tmp_path / "run", rtl_folder=folder)
