"""``qun_concat``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import concat_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "up leg first": (
        "qun_concat.sv",
        "assign up = group_q >= GroupBits'(SkipGroups);",
        "assign up = group_q < GroupBits'(Groups - SkipGroups);",
    ),
    "position kept in reset": ("qun_concat.sv", "    if (!rst_n) begin\n      group_q <= '0;\n    end\n", ""),
    "both legs taken": (
        "qun_concat.sv",
        "assign s_axis_skip_tready = ready && !up;",
        "assign s_axis_skip_tready = ready;",
    ),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("concat", concat_cases(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = concat_cases()[1:3]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("concat", cases, tmp_path / "run", rtl_folder=folder)
