"""The program for HGQ2 in docs/hls4ml.md is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.hgq


def test_the_page_runs_as_written(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "hls4ml.md").read_text(encoding="utf-8")
    programs = [each for each in re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S) if "from hgq" in each]
    assert len(programs) == 1
    subprocess.run([sys.executable, "-c", programs[0]], cwd=tmp_path, check=True)
