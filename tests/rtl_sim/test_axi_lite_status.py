"""``qun_axi_lite_status``: every register exact while AXI4-Lite stalls; what is wrong in it is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.faults import Fault, library_with
from helpers.rtl import BUILD_ROOT

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources
from quantunet.rtl_sim import verilator

TOP = "qun_axi_lite_status"
DIGEST = 0x0123456789ABCDEF
COMPARED = {"full_speed": 2 * 16, "stalls": 6 * 16, "writes": 2 * 3 * 16 + 7, "frames": 2 * 20 + 3 + 1 + 3}


def simulate(folder: Path, rtl_folder: Path = RTL_FOLDER) -> dict[str, int]:
    """Run the bench and return how much each of its tests has compared."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps({"digest": DIGEST}), encoding="utf-8")
    sources = library_sources({TOP}, rtl_folder)
    flags = (*verilator.ASSERTIONS, f"-GDigest=64'h{DIGEST:x}")  # wider than a parameter that is a plain number
    executable = verilator.build(sources, TOP, {}, BUILD_ROOT, flags=flags, quick=True)
    verilator.run_cocotb(executable, "helpers.benches.tb_axi_lite_status", TOP, folder, seed=1)
    found: dict[str, int] = json.loads((folder / "compared.json").read_text(encoding="utf-8"))
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
    ],
)
def test_fault_in_the_registers(right: str, wrong: str, tmp_path: Path) -> None:
    library = library_with(tmp_path / "rtl", Fault("axi_lite_status", "one", TOP, right, wrong))
    with pytest.raises(ToolFailedError):
        simulate(tmp_path / "run", library)
