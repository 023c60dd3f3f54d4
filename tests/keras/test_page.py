"""What docs/hls4ml.md shows is run as it stands there: first its Python, then its commands, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.keras


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of one language."""
    text = (Path(__file__).parents[2] / "docs" / "hls4ml.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_the_page_runs_as_written(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    programs = [[sys.executable, "-c", program] for program in blocks("python") if "from hgq" not in program]
    commands = [["sh", "-c", line] for block in blocks("console") for line in block.splitlines() if line]
    assert len(programs) >= 1
    assert len(commands) >= 3
    said = []
    for command in [*programs, *commands]:
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{command[-1]}\n{ran.stdout}\n{ran.stderr}"
        said.append(ran.stdout)
    assert any("PASSED" in text for text in said)
    assert (tmp_path / "my_project" / "graph.json").is_file()
