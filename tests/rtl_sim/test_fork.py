"""``qun_fork``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import fork_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "beats given twice": ("qun_fork.sv", "{Outputs{valid}} & ~served_q", "{Outputs{valid}}"),
    "outputs wait for one another": ("qun_fork.sv", "{Outputs{valid}} & ~served_q", "{Outputs{valid && done}}"),
    "served kept in reset": ("qun_fork.sv", "    if (!rst_n) begin\n      served_q <= '0;\n    end\n", ""),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("fork", fork_cases(), tmp_path, more_scenarios=["independent_outputs"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = fork_cases()[0:2]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("fork", cases, tmp_path / "run", rtl_folder=folder)
