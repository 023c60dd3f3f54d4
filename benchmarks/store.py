"""Results on disk: kept by content, so that an interrupted run goes on where it was, and written whole at the end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.rows import Row
from quantunet.storage import write_text

FORMAT = "quantunet-benchmarks-1"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one benchmark.

    Attributes:
        part: Its name.
        title: Its headline.
        network: The network that it measured; empty for none.
        rows: Its figures; none if it failed.
        seconds: How long it took.
        kept: Whether the figures are those of an earlier run of the same inputs.
        failure: Why there are no figures; empty if there are.
    """

    part: str
    title: str
    network: str
    rows: tuple[Row, ...]
    seconds: float
    kept: bool = False
    failure: str = ""


def kept_file(folder: Path, part: str, network: str, digest: str) -> Path:
    """Return where the figures of a benchmark are kept."""
    return folder / "kept" / f"{'-'.join(filter(None, (part, network, digest)))}.json"


def keep(path: Path, outcome: Outcome) -> None:
    """Keep the figures of a benchmark for the next run.

    Raises:
        StorageError: The file cannot be written.
    """
    write_text(path, json.dumps({"format": FORMAT, **dataclasses.asdict(outcome)}, indent=1) + "\n")


def find(path: Path) -> Outcome | None:
    """Return the figures that were kept; ``None`` if there are none or the file is damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            return None
        rows = tuple(Row(**row) for row in document.pop("rows"))
        return Outcome(**{**document, "rows": rows, "kept": True})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(folder: Path, machine: Machine, outcomes: Sequence[Outcome], when: str) -> Path:
    """Write all results as ``results.json``.

    Raises:
        StorageError: The file cannot be written.
    """
    document = {
        "format": FORMAT,
        "when": when,
        "machine": dataclasses.asdict(machine),
        "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes],
    }
    path = folder / "results.json"
    write_text(path, json.dumps(document, indent=1) + "\n")
    return path
