"""What the promise of exactness rests on, in one place: ``nox -s trust``, or ``python -m helpers.trust`` in ``tests``.

Each part is a session of its own that leaves a file: proofs, mutants, coverage, random networks, resets, faults
written by hand. Here they are run, one after the other or some of them alone, and what they found goes to
``docs/trust.json`` with the commit, the command and the time; a part that is not run keeps what it said before.
``docs/trust.md`` is made of that file and of ``docs/found.toml``, the list of what was ever found.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.project import ROOT
from helpers.trust_page import page

from quantunet.provenance import checkout
from quantunet.storage import write_text

RECORD = ROOT / "docs" / "trust.json"
PAGE = ROOT / "docs" / "trust.md"
FOLDER = ROOT / "build" / "trust"

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One kind of evidence.

    Attributes:
        arguments: Of ``python -m``, without the file.
        option: That names the file.
        condensed: Makes what is kept of the file.
        session: The nox session, as the page names it.
    """

    arguments: tuple[str, ...]
    option: str
    condensed: Callable[[Any], Document]
    session: str


def _as_it_is(document: Any) -> Document:
    return dict(document)


def _mutants(document: Any) -> Document:
    modules = {}
    for each in document:
        modules[each["module"]] = {
            "mutants": each["all"],
            "judged": sum(len(each[kind]) for kind in ("found", "equivalent", "explained", "alive")),
            "found": len(each["found"]),
            "by": dict(Counter(found["bench"] for found in each["found"])),
            "equivalent": len(each["equivalent"]),
            "explained": [[named_mutant(mutant), why] for mutant, why in each["explained"]],
            "alive": [named_mutant(mutant) for mutant, _ in each["alive"]],
        }
    return {"modules": modules}


def named_mutant(mutant: Mapping[str, Any]) -> str:
    """Return what the record calls a mutant."""
    return f"line {mutant['line']}, {mutant['kind']}: `{mutant['original']}` → `{mutant['mutated']}`"


def _networks(document: Any) -> Document:
    """Counts of one session, or of the sum of several (:mod:`helpers.random_records`)."""
    runs = document.get("runs", [document])
    passed: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for each in runs:
        passed.update(each["passed"])
        compared.update(each["compared"])
    return {"passed": passed, "compared": compared, "failures": [one for each in runs for one in each["failures"]]}


PARTS: dict[str, Part] = {
    "proofs": Part(("helpers.prove_all",), "--out", _as_it_is, "proofs"),
    "mutants": Part(("helpers.mutants",), "--out", _mutants, "mutants"),
    "software": Part(("helpers.software_mutants",), "--out", _as_it_is, "mutants_software"),
    "coverage": Part(("helpers.coverage",), "--out", _as_it_is, "coverage"),
    "networks": Part(("helpers.random_session",), "--record", _networks, "random_files"),
    "resets": Part(("helpers.resets",), "--out", _as_it_is, "resets"),
    "faults": Part(("helpers.fault_benches",), "--out", _as_it_is, "faults"),
}
"""What there is, in the page's order."""


_TAKE = "take a part's file instead of running it; modules that it lacks keep what they had"


def run(name: str, options: Sequence[str]) -> tuple[int, Document]:
    """Run a part and return its exit code and its entry of the record; a part that leaves no file has none.

    Raises:
        FileNotFoundError: It has left none.
    """
    part, file = PARTS[name], FOLDER / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    began = time.monotonic()
    command = [sys.executable, "-m", *part.arguments, *options, part.option, str(file)]
    code = subprocess.run(command, cwd=ROOT / "tests", check=False).returncode
    return code, entry(name, json.loads(file.read_text(encoding="utf-8")), options, time.monotonic() - began)


def entry(name: str, document: Any, options: Sequence[str], seconds: float) -> Document:
    """Return what the record says of a part."""
    found = checkout()
    commit = "unknown" if found is None else found[0][:12] + ("+" if found[1] else "")
    command = f"nox -s {PARTS[name].session}" + (f" -- {' '.join(options)}" if options else "")
    about = {"command": command, "commit": commit, "date": datetime.date.today().isoformat(), "wall": round(seconds)}
    return about | dict(PARTS[name].condensed(document))


def joined(before: Document, now: Document) -> Document:
    """Return what is taken of a file; modules that it lacks keep what they had, because others alone were asked for."""
    if "modules" not in now:
        return now
    return {**now, "modules": {**before.get("modules", {}), **now["modules"]}}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s trust --", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"out of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--quick", action="store_true", help="a small share of the proofs and of the mutants")
    parser.add_argument("--page", action="store_true", help="run nothing: make the page of the record")
    parser.add_argument("--take", nargs=2, metavar=("PART", "FILE"), help=_TAKE)
    parser.add_argument("--options", default="", help="that the part was run with, for --take")
    parser.add_argument("--wall", type=float, default=0, help="seconds that it took, for --take")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run parts, write the record and the page; the exit code is the worst of the parts'."""
    options = _parser().parse_args(arguments)
    unknown = sorted({*options.parts, *(options.take or [])[:1]} - set(PARTS))
    if unknown:
        sys.stderr.write(f"nox -s trust: expected parts out of {', '.join(PARTS)}, got {', '.join(unknown)}\n")
        return 2
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    codes = [0]
    if options.take:
        name, file = options.take
        document = json.loads(Path(file).read_text(encoding="utf-8"))
        record[name] = joined(record.get(name, {}), entry(name, document, options.options.split(), options.wall))
    elif not options.page:
        for name in options.parts or PARTS:
            quick = ("--quick",) if options.quick and name in ("proofs", "mutants") else ()
            code, record[name] = run(name, quick)
            codes.append(code)
            write_text(RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    write_text(RECORD, text)
    write_text(PAGE, page(json.loads(text)))  # in the order of the file, whatever that of the run was
    sys.stdout.write(f"{PAGE}\n")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
