"""``qun_requant``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import requant_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "ties always up": (
        "qun_requant_pkg.sv",
        "(below != 0 || (quotient & 64'sd1) != 0)",
        "(below != 0 || 1'b1)",
    ),
    "sign not extended": ("qun_requant.sv", "InSigned && raw[InBits-1]", "1'b0"),
    "lanes swapped": ("qun_requant.sv", "raw = s_axis_tdata[lane*InBits", "raw = s_axis_tdata[(Lanes-1-lane)*InBits"),
    "skid ignored": ("qun_register_slice.sv", "assign s_ready = !skid_valid_q;", "assign s_ready = 1'b1;"),
    "data not held": ("qun_register_slice.sv", "if (m_ready || !out_valid_q) begin", "if (1'b1) begin"),
    "tlast lost": ("qun_requant.sv", ".s_data ({s_axis_tlast, result})", ".s_data ({1'b0, result})"),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("requant", requant_cases(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = requant_cases()[0:4]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("requant", cases, tmp_path / "run", rtl_folder=folder)
