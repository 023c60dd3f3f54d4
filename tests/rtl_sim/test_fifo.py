"""``qun_fifo``: exact values and cycles under stalls and resets, and faults that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.op_cases import fifo_cases
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

FAULTS = {
    "one beat too many": ("qun_fifo.sv", "level_d != limit", "level_q != limit"),
    "one beat too few": ("qun_fifo.sv", "level_d != limit", "level_d < limit - 1'b1"),
    "prefetch overrun": ("qun_fifo.sv", "claimed_q != 3'd4", "1'b1"),
    "prefetch too short": ("qun_fifo.sv", "claimed_q != 3'd4", "claimed_q != 3'd3"),
    "wraps at a power of two": (
        "qun_fifo.sv",
        "read_addr_q <= (read_addr_q == AddrBits'(LastAddr)) ? '0 : read_addr_q + 1'b1;",
        "read_addr_q <= read_addr_q + 1'b1;",
    ),
    "frame end a beat early": ("qun_fifo.sv", "BeatBits'(FrameBeats - 1)", "BeatBits'(FrameBeats - 2)"),
    "second part of a word lost": ("qun_ram.sv", "{rest_q, word_q}", "{Rest'(0), word_q}"),
}


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("fifo", fifo_cases(), tmp_path, more_scenarios=["exact_capacity", "exact_level"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = fifo_cases()[1:5] if FAULTS[fault][0] == "qun_fifo.sv" else fifo_cases()[-1:]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("fifo", cases, tmp_path / "run", rtl_folder=folder)
