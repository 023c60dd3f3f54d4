"""The modules of a board's serial side, each alone, cycle by cycle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.benches.report import REPORT_FILE
from helpers.faults import Fault, library_with
from helpers.serial_parts import PARTS, Part

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim import verilator


def simulate(part: Part, folder: Path, rtl_folder: Path = RTL_FOLDER) -> dict[str, int]:
    """Run all tests of a part's bench, and return how many values each has compared."""
    result = verilator.run_cocotb(part.design(folder, rtl_folder).build(), part.scenarios, part.module, folder, seed=1)
    found: dict[str, int] = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    assert len(found) == len(result.tests) and all(found.values()), found
    return found


@pytest.mark.parametrize("name", PARTS)
def test_every_part(name: str, tmp_path: Path) -> None:
    assert sum(simulate(PARTS[name], tmp_path).values()) > 100


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("uart_rx 125 6", "phase_t'(PeriodCycles / 2)", "phase_t'(PeriodCycles / 2 + 1)"),
        ("uart_tx 125 6", "phase_q <= '0;", ""),
        ("byte_beats 3 13 6", "m_axis_tlast ? '0 : ", ""),
        ("value_bytes 1 13 1", "Rest{Signed && ", "Rest{!Signed && "),
        ("mask_bytes 4 1 -3 0", "value >= Least", "value > Least"),
        ("serial_deframer 11", "|| bytes_q == CountBits'(MostBytes)", ""),
        ("serial_deframer 11", "begun_q && !silence", "begun_q"),
        ("serial_framer", "escaped_q <= escape;", "escaped_q <= 1'b0;"),
        ("block_buffer 12 5", "|| (open_q && block_q == expected_q", "|| (block_q == expected_q"),
        ("picture_feeder 14 6", "m_data = drop_q ? '0 : s_data", "m_data = s_data"),
        ("serial_reply 9 1 65528 72057594037927936", "if (error && !error_q)", "if (error)"),
    ],
)
def test_a_fault_in_each(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    part = PARTS[name]
    library = library_with(tmp_path / "rtl", Fault("part", "one", part.module, right, wrong))
    with pytest.raises(ToolFailedError):
        simulate(part, tmp_path / "run", library)
