"""The neighbours' recorded figures."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from benchmarks import rerun_neighbours
from benchmarks.neighbours import MACS, RECORDED, recorded

from quantunet.errors import ToolMissingError


def _figures() -> list[dict[str, Any]]:
    figures: list[dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))["figures"]
    return figures


def test_recorded_figures_say_what_when_and_where() -> None:
    rows = recorded()
    assert len(rows) == len(_figures()) >= 4
    for row in rows:
        assert "recorded 2026-11" in row.note
        assert row.value > 0
    assert {row.subject for row in rows} >= {"L8: nngen 1.3.4", "L8: finn-plus 1.6.1", "L16: finn-plus 1.6.1"}


def test_area_time_is_over_the_multiplications_of_a_frame() -> None:
    assert MACS == {"l8": 147_456, "l16": 2_359_296}
    (row,) = [row for row in recorded() if row.subject.startswith("L16")]
    (figure,) = [one for one in _figures() if one["workload"] == "l16"]
    assert row.value == figure["luteq"] * figure["cycles"] / 2_359_296


def test_measuring_anew_says_which_tool_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError, match="apt-get install iverilog"):
        rerun_neighbours.environment("nngen", tmp_path / "venv")
    assert not (tmp_path / "venv").exists()


def test_the_settings_are_those_of_the_recorded_figures() -> None:
    figures = {(one["tool"], one["workload"], one["configuration"]) for one in _figures()}
    assert {(one.tool, one.workload, one.configuration) for one in rerun_neighbours.SETTINGS} == figures
    versions = {(one["tool"], one["version"]) for one in _figures()}
    assert versions == {("nngen", rerun_neighbours.NNGEN), ("finn-plus", rerun_neighbours.FINN)}
