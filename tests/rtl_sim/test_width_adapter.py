"""``qun_width_adapter``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import width_adapter_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "groups overwritten": ("qun_width_adapter.sv", "!completes || !group_valid_q || emptied", "1'b1"),
    "lanes in the wrong order": ("qun_width_adapter.sv", "{in_data, collected_q}", "{collected_q, in_data}"),
    "count kept in reset": (
        "qun_width_adapter.sv",
        "count_q + 1'b1;\n      end\n      if (!rst_n) begin\n        count_q <= '0;\n      end\n    end\n  end\n\n"
        "  // The group",
        "count_q + 1'b1;\n      end\n    end\n  end\n\n  // The group",
    ),
    "a gap between groups": (
        "qun_width_adapter.sv",
        "!completes || !group_valid_q || emptied",
        "!completes || !group_valid_q",
    ),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("width_adapter", width_adapter_cases(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = width_adapter_cases()[3:5]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("width_adapter", cases, tmp_path / "run", rtl_folder=folder)
