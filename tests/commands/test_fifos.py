"""``quantunet fifos`` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.qonnx_files import SmallUnet

from quantunet.cli import main
from quantunet.provenance import file_digest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return SmallUnet().write(tmp_path / "small.onnx")


def _report(folder: Path) -> dict[str, object]:
    (path,) = folder.glob("*/fifos/report.json")
    report: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return report


def test_table_and_report(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fifos", str(model), "--build", str(tmp_path / "build")]) == 0
    report = _report(tmp_path / "build")
    rows = report["fifos"]
    assert isinstance(rows, list)
    assert rows
    output = capsys.readouterr().out
    for row in rows:
        assert row["name"] in output
        assert row["least"] <= row["full_speed"] <= row["depth"]
    assert report["simulation"] is None
    made = report["provenance"]
    assert isinstance(made, dict)
    assert made["sha256"]["model"] == file_digest(model)
    assert made["sha256"]["rtl"] is None
    assert main(["fifos", str(model), "--build", str(tmp_path / "build"), "--folding", "none.json"]) == 2
    assert not list((tmp_path / "build").glob("*/fifos/report.json"))


def test_unknown_network_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fifos", "nothing.onnx"]) == 2
    assert "nothing.onnx" in capsys.readouterr().err


@pytest.mark.slow
def test_one_less_is_simulated_as_predicted(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fifos", str(model), "--one-less", "--build", str(tmp_path / "build")]) == 0
    simulation = _report(tmp_path / "build")["simulation"]
    assert isinstance(simulation, dict)
    assert simulation["first_output"] == simulation["predicted_first_output"] > 0
    locked = [trial for trial in simulation["trials"] if trial["deadlock"]]
    assert locked
    assert all(trial["stuck"] for trial in locked)
    assert "deadlock" in capsys.readouterr().out
