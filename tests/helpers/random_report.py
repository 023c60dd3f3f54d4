"""What many random files have shown, as counts that can be added up, written and read again."""

from __future__ import annotations

import collections
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantunet.errors import FileFormatError
from quantunet.storage import write_text

GOLDEN = "golden"
FORMAT = "quantunet-random-files-1"

_COUNTS = ("kinds", "reasons", "levels", "ops", "passed", "compared", "left_out")


@dataclass(frozen=True)
class Failure:
    """Something that is wrong.

    Attributes:
        seed: The file's.
        leg: Where it shows.
        text: What is wrong, and with which file.
    """

    seed: int
    leg: str
    text: str

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.leg}: {self.text}"


@dataclass
class Report:
    """Counts over many files.

    Attributes:
        kinds: Files by verdict.
        reasons: Refused files by the class of the refusal.
        levels: Files by level and verdict.
        ops: Networks that have an op, by its stem.
        passed: Networks that passed a leg.
        compared: Values compared in a leg.
        left_out: Networks that a leg cannot take, or that are too large for it.
        failures: What is wrong.
    """

    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    reasons: collections.Counter[str] = field(default_factory=collections.Counter)
    levels: collections.Counter[str] = field(default_factory=collections.Counter)
    ops: collections.Counter[str] = field(default_factory=collections.Counter)
    passed: collections.Counter[str] = field(default_factory=collections.Counter)
    compared: collections.Counter[str] = field(default_factory=collections.Counter)
    left_out: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[Failure] = field(default_factory=list)

    def add_file(self, level: str, kind: str, reason: str, compared: int, ops: Collection[str]) -> None:
        """Count one file: what it was built from, what became of it, and the ops of its network."""
        self.kinds[kind] += 1
        self.levels[f"{level}, {kind}"] += 1
        self.compared[GOLDEN] += compared
        self.passed[GOLDEN] += kind == "exact"
        self.ops.update(ops)
        if "refused" in kind:
            self.reasons[reason.split(":")[0]] += 1

    def add_leg(self, leg: str, compared: int, left_out: str = "", problems: int = 0) -> None:
        """Count one network in one leg."""
        self.compared[leg] += compared
        self.passed[leg] += bool(compared) and not problems
        if left_out:
            self.left_out[f"{leg}: {left_out}"] += 1

    def fail(self, seed: int, leg: str, text: str) -> None:
        """Note what is wrong."""
        self.failures.append(Failure(seed, leg, text))

    def merge(self, other: Report) -> None:
        """Add what another report has counted."""
        for name in _COUNTS:
            getattr(self, name).update(getattr(other, name))
        self.failures += other.failures

    @property
    def files(self) -> int:
        """How many files were taken."""
        return sum(self.kinds.values())

    def summary(self, legs: Sequence[str]) -> str:
        """Return all counts as lines for people."""
        lines = [f"  {kind}: {number}" for kind, number in self.kinds.most_common()]
        lines += ["networks and values by leg:"]
        lines += [f"  {leg}: {self.passed[leg]} passed, {self.compared[leg]} values compared" for leg in legs]
        lines += [f"  {what}: {number} left out" for what, number in sorted(self.left_out.items())]
        lines += ["networks by op:", "  " + ", ".join(f"{op} {number}" for op, number in self.ops.most_common())]
        lines += ["refused by:", *(f"  {reason}: {number}" for reason, number in self.reasons.most_common())]
        lines += ["by level:", *(f"  {level}: {number}" for level, number in sorted(self.levels.items()))]
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """Return all counts as plain values."""
        counts = {name: dict(sorted(getattr(self, name).items())) for name in _COUNTS}
        return counts | {"failures": [vars(failure) for failure in self.failures]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Report:
        """Return the report of a document that :meth:`document` made."""
        counts = {name: collections.Counter(document[name]) for name in _COUNTS}
        return cls(**counts, failures=[Failure(**each) for each in document["failures"]])


def write_record(path: Path, report: Report, about: Mapping[str, Any]) -> None:
    """Write a report as JSON, with what else there is to say of its run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"format": FORMAT, **about, **report.document()}, indent=1) + "\n")


def read_record(path: Path) -> tuple[Report, dict[str, Any]]:
    """Return the report of a record, and the rest of it.

    Raises:
        FileFormatError: It is no record.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        known = document["format"]
        report = Report.of(document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        known, what = "", str(error)
    else:
        what = str(known)
    if known != FORMAT:
        raise FileFormatError(str(path), expected=f"a record in the format {FORMAT}", got=what)
    return report, document
