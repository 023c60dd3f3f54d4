"""``qun_reset_sync``: a reset that follows a level after four cycles, and holds until the clock has run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.faults import Fault, library_with
from helpers.reset_sync import BENCH, TOP, design

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim import verilator


def simulate(folder: Path, rtl_folder: Path = RTL_FOLDER) -> int:
    verilator.run_cocotb(design(rtl_folder).build(), BENCH, TOP, folder, seed=1)
    compared: int = json.loads((folder / "compared.json").read_text(encoding="utf-8"))
    return compared


def test_reset_follows_its_level(tmp_path: Path) -> None:
    assert simulate(tmp_path) == 400


def test_reset_a_cycle_too_early_is_found(tmp_path: Path) -> None:
    library = library_with(tmp_path / "rtl", Fault("reset_sync", "early", TOP, "= level_q[3]", "= level_q[2]"))
    with pytest.raises(ToolFailedError):
        simulate(tmp_path / "run", library)
