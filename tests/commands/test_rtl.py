"""``quantunet rtl`` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.qonnx_files import SmallUnet

from quantunet.cli import main
from quantunet.commands.rtl import BOARD
from quantunet.constraints.board import load_board


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return SmallUnet().write(tmp_path / "small.onnx")


def test_it_writes_what_it_lists(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "made" / "ip"
    assert main(["rtl", str(model), "--out", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith(str(folder))
    counted = {words[1]: int(words[0]) for words in (line.split() for line in lines[1:-1])}
    assert all((folder / name).is_file() for name in counted)
    assert {"README.md", "files.f", "component.xml", "vivado/synth.tcl", "bench/picture.mem"} <= set(counted)
    assert sum(counted.values()) == sum(path.is_file() for path in folder.rglob("*")) > 40
    assert f"set part {load_board(BOARD).part}" in (folder / "vivado" / "synth.tcl").read_text(encoding="utf-8")
    assert "create_clock -name clk -period 16.667 " in (folder / "vivado" / "clock.xdc").read_text(encoding="utf-8")


def test_options_reach_the_files(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ip"
    command = ["rtl", str(model), "--out", str(folder), "--freq", "125", "--part", "xczu3eg-sbva484-1-e", "--verilog"]
    assert main(command) == 0
    assert len(list((folder / "verilog").glob("*.v"))) == 1
    assert "set part xczu3eg-sbva484-1-e" in (folder / "vivado" / "synth.tcl").read_text(encoding="utf-8")
    assert "-period 8.000 " in (folder / "vivado" / "clock.xdc").read_text(encoding="utf-8")
    assert main(command) == 2
    folding = json.loads((folder / "folding.json").read_text(encoding="utf-8"))
    assert folding
    assert main([*command, "--force"]) == 0
    assert main(["rtl", str(model), "--out", str(folder), "--board", "arty_z7_20", "--force"]) == 0
    assert "set part xc7z020clg400-1" in (folder / "vivado" / "synth.tcl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--freq", "0"], "--freq: expected a clock in MHz, greater than 0, got 0.0"),
        (["--freq", "inf"], "greater than 0, got inf"),
        (["--freq", "nan"], "greater than 0, got nan"),
        (["--part", "a b; exec"], "--part: expected the name of a part"),
        (["--board", "arty_z7"], "Did you mean 'arty_z7_20'?"),
        (["--board", "ulx3s_85f"], "--board: expected a board of the family xc7, as the part is for Vivado's script"),
        (["--folding", "none.json"], "none.json"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    options: list[str], said: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rtl", str(model), "--out", str(tmp_path / "ip"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "ip").exists()


def test_unknown_network_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rtl", "nothing.onnx", "--out", str(tmp_path / "ip")]) == 2
    assert "nothing.onnx" in capsys.readouterr().err
    assert not (tmp_path / "ip").exists()
