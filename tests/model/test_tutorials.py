"""The tutorials run as notebooks, cell by cell, in an empty folder, and end where they say."""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.project import ROOT
from PIL import Image

pytest.importorskip("mkdocs", reason="the group docs is for Python 3.11 and newer")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

TUTORIALS = ROOT / "docs" / "tutorials"
SECONDS = 600
"""Limit of one cell, on a busy machine."""

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the kernel's own packages
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def run(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a tutorial as the notebook that the site has; returns what each of its cells printed."""
    notebook = nbformat.reads(runpy.run_path(str(ROOT / "docs" / "site_hooks.py"))["notebook"](text), as_version=4)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    client = nbclient.NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells and all(cell.execution_count for cell in cells)
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


def tutorial(name: str) -> str:
    """Return a tutorial."""
    return (TUTORIALS / f"{name}.md").read_text(encoding="utf-8")


def test_these_are_all() -> None:
    assert sorted(path.stem for path in TUTORIALS.iterdir()) == ["prove_it", "put_it_on_a_board", "train_your_own"]


def test_train_your_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run(tutorial("train_your_own"), tmp_path, monkeypatch)
    scores = json.loads((tmp_path / "runs" / "scores" / "metrics.json").read_text())["parts"]["test"]["network"]
    assert scores["images"] > 10 and scores["dice"] > 0.6
    assert f"Dice {scores['dice']:.3f} on {scores['images']} images\n" in printed
    for index in range(3):
        with Image.open(tmp_path / "masks" / "masks" / f"case00{index}.png") as mask:
            assert mask.size == (96, 72) and set(np.unique(np.asarray(mask))) == {0, 255}


def test_prove_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run(tutorial("prove_it"), tmp_path, monkeypatch)
    assert any("PASSED" in text for text in printed)
    assert any("passed: True" in text for text in printed)
    (said,) = [text for text in printed if "exit code 1" in text]
    assert "enc1_conv0" in said


def test_put_it_on_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tutorial("put_it_on_a_board"), tmp_path, monkeypatch)
    assert json.loads((tmp_path / "synthesis" / "report.json").read_text())["passed"] is True
    assert (tmp_path / "tiny_ip" / "files.f").is_file()
    assert (tmp_path / "tiny_ip" / "folding.json").read_text()


def test_a_cell_that_fails_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="returned non-zero|CalledProcessError"):
        run("# X\n\n```bash\nquantunet infer tiny none.png --out mask.png\n```\n", tmp_path, monkeypatch)
