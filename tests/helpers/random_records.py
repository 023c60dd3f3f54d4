"""Put the records of several runs of random files together: ``python -m helpers.random_records RECORD... --out FILE``.

A run's seeds may not be those of another run of the same kind, so that nothing is counted twice.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.random_report import read_record

from quantunet.errors import FileFormatError, QuantUNetError
from quantunet.storage import write_text

FORMAT = "quantunet-random-records-1"

_ABOUT = ("command", "commit", "changed", "date", "kind", "seed", "next_seed", "legs", "seconds")
_COUNTS = ("kinds", "ops", "passed", "compared", "left_out")


def run_of(path: Path) -> dict[str, Any]:
    """Return what is kept of a record.

    Raises:
        FileFormatError: It is no record.
    """
    report, about = read_record(path)
    found = report.document()
    kept = {name: about[name] for name in _ABOUT} | {name: found[name] for name in _COUNTS}
    return kept | {"failures": [f"seed {each.seed}, {each.leg}" for each in report.failures]}


def runs_of(path: Path) -> list[dict[str, Any]]:
    """Return the runs of a file: of one record, or of those that this program has put together before.

    Raises:
        FileFormatError: It is neither.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = None
    if isinstance(document, dict) and document.get("format") == FORMAT:
        return list(document["runs"])
    return [run_of(path)]


def totals(runs: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return the networks that passed each leg of some runs, and the values that were compared in it."""
    networks: collections.Counter[str] = collections.Counter()
    values: collections.Counter[str] = collections.Counter()
    for run in runs:
        networks.update(run["passed"])
        values.update(run["compared"])
    return {leg: {"networks": networks[leg], "values": values[leg]} for leg in networks if networks[leg]}


def check_seeds(runs: Sequence[Mapping[str, Any]]) -> None:
    """See that no seed is in two runs of one kind.

    Raises:
        FileFormatError: One is.
    """
    for index, run in enumerate(runs):
        for other in runs[:index]:
            both = run["kind"] == other["kind"]
            if both and max(run["seed"], other["seed"]) < min(run["next_seed"], other["next_seed"]):
                raise FileFormatError(
                    run["command"], expected="seeds that no other run has", got=f"those of {other['command']}"
                )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m helpers.random_records", description=__doc__.splitlines()[0])
    parser.add_argument(
        "records", type=Path, nargs="+", metavar="RECORD", help="what --record has left, or this program"
    )
    parser.add_argument("--out", type=Path, required=True, help="the JSON file")
    options = parser.parse_args(arguments)
    try:
        runs = [run for path in options.records for run in runs_of(path)]
        check_seeds(runs)
    except QuantUNetError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    document = {"format": FORMAT, "totals": totals(runs), "runs": runs}
    write_text(options.out, json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
