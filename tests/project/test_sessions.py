"""A missing tool of the system is said in one sentence, before anything is installed."""

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
