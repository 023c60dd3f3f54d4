"""``qun_axi_lite_status``: every register exact while AXI4-Lite stalls; what is wrong in it is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from helpers.axi_lite_status import BENCH, REGULAR, TOP, design
from helpers.benches.report import REPORT_FILE
from helpers.faults import Fault, library_with

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim import verilator

COMPARED = {
    "full_speed": 2 * 16,
    "stalls": 6 * 16,
    "writes": 2 * 3 * 16 + 7,
    "frames": 3 * 20 + 3 + 3,
    "reset": 6,
    "overlap": 7,
}

PROMISES = {
    "beat_in_range": ("beat_in && beat_q != CountBits'(Beats)", "beat_in"),
    "write_is_whole": ("      data_q    <= 1'b0;\n      bvalid_q  <= 1'b1;", "      bvalid_q  <= 1'b1;"),
    "read_data_wait": ("end else if (s_axi_rready) begin", "end else begin"),
    "reply_waits": ("end else if (s_axi_bready) begin", "end else begin"),
}
"""Faults of the module, by the assertion that must speak."""

MASTER = {"read_address_waits", "write_address_waits", "write_data_wait"}
"""Assertions of what a master promises."""


def broken(folder: Path, testcase: str, rtl_folder: Path = RTL_FOLDER) -> set[str]:
    """Return the names of the assertions that fail in some tests of the bench."""
    executable = design(folder, rtl_folder).build()
    found = verilator.run_cocotb(executable, BENCH, TOP, folder, seed=1, testcase=testcase, check=False).broken
    return {name for line in found for name in re.findall(r"(\w+): ", line.rpartition(".")[2])}


def simulate(folder: Path, rtl_folder: Path = RTL_FOLDER) -> dict[str, int]:
    """Run the bench and return how much each of its tests has compared."""
    executable = design(folder, rtl_folder).build()
    verilator.run_cocotb(executable, BENCH, TOP, folder, seed=1, testcase=REGULAR)
    found: dict[str, int] = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    return found


def test_registers_are_exact_under_stalls(tmp_path: Path) -> None:
    assert simulate(tmp_path) == COMPARED


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("4'd3: found = Digest[63:32];", "4'd3: found = Digest[31:0];"),
        ("missing ? SlaveError : Okay", "Okay"),
        ("assign s_axi_arready = !rvalid_q;", "assign s_axi_arready = 1'b1;"),
        ("if (address_q && data_q) begin", "if (address_q) begin"),
        ("frames_out_q + 32'(frame_out)", "frames_out_q + 32'(frame_in)"),
        ("32'(frame_in && wrong)", "32'(beat_in && wrong)"),
        ("beat_in && beat_q != CountBits'(Beats)", "beat_in && beat_q != CountBits'(Beats - 1)"),
        ("      errors_q     <= '0;\n", ""),
    ],
)
def test_fault_in_the_registers(right: str, wrong: str, tmp_path: Path) -> None:
    library = library_with(tmp_path / "rtl", Fault("axi_lite_status", "one", TOP, right, wrong))
    with pytest.raises(ToolFailedError):
        simulate(tmp_path / "run", library)


@pytest.mark.parametrize("name", PROMISES)
def test_broken_promise_is_told(name: str, tmp_path: Path) -> None:
    library = library_with(tmp_path / "rtl", Fault("axi_lite_status", name, TOP, *PROMISES[name]))
    assert name in broken(tmp_path / "run", REGULAR, library)


def test_master_that_breaks_the_protocol_is_told(tmp_path: Path) -> None:
    assert broken(tmp_path, "a_master_breaks_the_protocol") == MASTER


def test_every_assertion_is_tried() -> None:
    text = (RTL_FOLDER / f"{TOP}.sv").read_text(encoding="utf-8")
    assert {*PROMISES, *MASTER} == set(re.findall(r"`QUN_ASSERT\w*\((\w+),", text))
