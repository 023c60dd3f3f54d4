"""The command line of ``nox -s mutants_software``: mutants of golden and of the C++ headers.

Mutants of Python are single nodes of the syntax tree, mutants of C++ stand all in one program, which chooses one at run
time. What nothing finds is explained in ``survivors.py`` or fails the session.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: children are forks, which have one thread

from helpers.project import ROOT
from helpers.software_mutants import judge_cpp, judge_python
from helpers.software_mutants.campaign import FOLDER, Judge, Result, digest, named, run
from helpers.software_mutants.mutant import MutantsError

from quantunet.errors import QuantUNetError
from quantunet.storage import write_text

FILES = (*judge_python.FILES, *judge_cpp.FILES)
"""All files of which mutants are made."""


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def judges(files: Sequence[str], *, ask: bool = True) -> Iterator[Judge]:
    """Yield the judge of each file; networks are computed only where anything is asked."""
    python = [each for each in files if each in judge_python.FILES]
    every = judge_python.networks() if python and ask else []
    for file in files:
        text = (ROOT / file).read_text(encoding="utf-8")
        yield judge_python.Judge(file, text, every) if file in python else judge_cpp.Judge(file, text)


def stale(record: dict[str, Any], read: Callable[[str], str]) -> list[str]:
    """Return the files of which the record says nothing, or that were others when it was written.

    Args:
        record: The part of ``docs/trust.json``.
        read: Returns a file's text.
    """
    known = {file: each["digest"] for file, each in record["files"].items()}
    return [file for file in FILES if known.get(file) != digest(read(file))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s mutants_software --", description=__doc__.partition("\n")[0])
    parser.add_argument("--file", action="append", choices=FILES, metavar="FILE", help="only this file; repeatable")
    parser.add_argument(
        "--stale", action="store_true", help="only files that docs/trust.json has not as they are; the others stay"
    )
    parser.add_argument("--quick", action="store_true", help="leave out what takes longest")
    parser.add_argument("--known", action="store_true", help="judge nothing: tell what earlier runs have found")
    parser.add_argument("--out", type=Path, default=FOLDER / "mutants.json", help="the result (default: %(default)s)")
    return parser


def row(result: Result) -> str:
    """Return a row of the table."""
    found = sum(result.found.values())
    counts = (found, len(result.explained), len(result.alive), result.refused, result.left)
    by = ", ".join(f"{stage} {count}" for stage, count in result.found.items())
    return f"| `{result.file}` | {' | '.join(map(str, counts))} | {by} |"


def _recorded() -> dict[str, Any]:
    """Return what docs/trust.json has of the files that are still as they were."""
    record = json.loads((ROOT / "docs" / "trust.json").read_text(encoding="utf-8")).get("software", {"files": {}})
    changed = stale(record, lambda file: (ROOT / file).read_text(encoding="utf-8"))
    return {file: each for file, each in record["files"].items() if file in FILES and file not in changed}


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants of the chosen files; the exit code is 1 where one lives that nobody has explained."""
    options = _parser().parse_args(arguments)
    begin, results, failed = time.monotonic(), list[Result](), list[str]()
    known = _recorded() if options.stale else {}
    files = [file for file in options.file or FILES if file not in known]
    tell("| file | found | explained | alive | refused | not judged | found by |\n|---|---|---|---|---|---|---|")
    for judge in judges(files, ask=not options.known):
        try:
            results.append(run(judge, quick=options.quick, ask=not options.known, tell=tell))
        except (MutantsError, QuantUNetError) as error:
            failed.append(judge.file)
            tell(f"{judge.file}: not judged: {error}")
            continue
        tell(row(results[-1]))
    judged = known | {one.file: one.document for one in results}
    document = {"files": {file: judged[file] for file in FILES if file in judged}}
    write_text(options.out, json.dumps(document, indent=1) + "\n")
    found = sum(sum(each.found.values()) for each in results)
    explained, alive = (sum(len(getattr(each, kind)) for each in results) for kind in ("explained", "alive"))
    for each in results:
        for mutant in each.alive:
            tell(f"alive: {each.file}, {named(mutant)}")
    seconds = time.monotonic() - begin
    tell(f"\n{len(results)} files, {found} found, {explained} explained, {alive} alive; {seconds:.0f} s in all")
    return int(bool(failed or alive or (files and not found)))


if __name__ == "__main__":
    sys.exit(main())
