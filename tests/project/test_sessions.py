"""Sessions of nox: a missing tool is said in one sentence before anything is installed; several run in one go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project import ROOT

NEEDED = {"tests": ("git", "g++"), "cosim": ("g++",), "faults": ("g++",), "keras": ("g++",), "page": ("chromium",)}


@pytest.mark.parametrize(("name", "tool"), [(name, tool) for name, tools in NEEDED.items() for tool in tools])
def test_a_missing_tool_is_named_with_its_install_command(name: str, tool: str, tmp_path: Path) -> None:
    for other in {"git", "g++"} - {tool}:
        found = shutil.which(other)
        assert found
        (tmp_path / other).symlink_to(found)
    nox = [sys.executable, "-m", "nox", "--no-venv", "--nocolor", "-s", name]
    ran = subprocess.run(
        nox, cwd=ROOT, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    output = ran.stdout + ran.stderr
    assert ran.returncode == 1, output
    assert f"{tool} not found on PATH: install with `sudo apt-get install {tool}`" in output
    assert "pip install" not in output


def test_two_sessions_of_one_run_lay_out_the_package_alike(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, noxfile\n"
        "trees = [pathlib.Path(folder) for folder in sys.argv[1:]]\n"
        "for tree in trees: noxfile.link_package(tree)\n"
        "found = [sorted((str(e.relative_to(tree)), str(e.readlink())) for e in tree.rglob('*') if e.is_symlink())"
        " for tree in trees]\n"
        "assert found[0] == found[1] and len(found[0]) > 5, found\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "typecheck"), str(tmp_path / "docs")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
