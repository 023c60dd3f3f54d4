"""Stand-ins for nextpnr and ecppack that count their runs."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parent / "recorded"

NEXTPNR = """#!{python}
import json, sys
from pathlib import Path
words = sys.argv[1:]
if words == ["--version"]:
    sys.exit(print("nextpnr-ecp5 -- Next Generation Place and Route (Version {version})", file=sys.stderr))
option = lambda name: words[words.index(name) + 1]
seed, asked = int(option("--seed")), float(option("--freq"))
with Path({runs!r}).open("a") as runs:
    runs.write(f"place {{seed}}\\n")
assert Path(option("--json")).is_file() and Path(option("--lpf")).is_file()
assert not any(word.startswith("/") for word in words), "an absolute path"
print("Info:               DP16KD:     {bram}/    208   100%")
if {fails!r}:
    sys.exit(print({fails!r}) or 255)
report = json.loads(Path({report!r}).read_text())
report["fmax"] = {{"$glbnet$clk$TRELLIS_IO_IN": {{"achieved": 60 + [0, 5, 9, 7][seed], "constraint": asked}}}}
Path(option("--report")).write_text(json.dumps(report))
Path(option("--textcfg")).write_text(f"seed {{seed}}")
"""

ECPPACK = """#!{python}
import sys
from pathlib import Path
with Path({runs!r}).open("a") as runs:
    runs.write("pack\\n")
config, bit = sys.argv[-2:]
Path(bit).write_bytes(Path(config).read_bytes())
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that puts the stand-ins on PATH and returns the file that counts their runs."""
    folder, runs = tmp_path / "bin", tmp_path / "runs"

    def put(version: str = "1.0", bram: int = 200, fails: str = "") -> Path:
        folder.mkdir(exist_ok=True)
        values = {
            "python": sys.executable,
            "runs": str(runs),
            "report": str(RECORDED / "nextpnr.json"),
            "version": version,
            "bram": bram,
            "fails": fails,
        }
        for name, text in (("nextpnr-ecp5", NEXTPNR), ("ecppack", ECPPACK)):
            path = folder / name
            path.write_text(text.format(**values))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return runs

    return put
