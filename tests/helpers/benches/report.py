"""What the tests of a bench have compared, for the test around the simulation."""

from __future__ import annotations

import json
import os
from pathlib import Path

REPORT_FILE = "report.json"
"""In the folder of the run: values compared, by the name of the test."""


def add_to_report(name: str, compared: int) -> None:
    """Add to the report of the run, in its folder, how many values a test has compared.

    It is replaced as a whole: copies of a simulation, each with another mutant, run side by side in one folder, and
    none may fail because it reads what another one has half written.
    """
    path = Path(REPORT_FILE)
    lines = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    fresh = Path(f"report.{os.getpid()}.json")
    fresh.write_text(json.dumps({**lines, name: compared}), encoding="utf-8")
    fresh.replace(path)
