"""``quantunet evaluate --min --max --lose``: what scores a network must reach, for a model's change in CI."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from quantunet import exit_codes, junit, tables
from quantunet.documents import read_json
from quantunet.errors import FileFormatError, OptionError
from quantunet.storage import write_bytes
from quantunet.suggestions import did_you_mean

JUNIT = "junit.xml"

MIN, MAX, LOSE = "min", "max", "lose"

_SIGNS = {MIN: "≥", MAX: "≤", LOSE: "loses ≤"}
_LOWER_IS_BETTER = frozenset({"false_positive_area", "marked_normals", "lesions_missed", "hd95"})


@dataclass(frozen=True)
class Gate:
    """What a score must reach.

    Attributes:
        kind: :data:`MIN` or :data:`MAX` of the score itself, or :data:`LOSE`: the most by which it may be worse than
            that of the other network.
        score: Its name in ``metrics.json``.
        bound: The number.
    """

    kind: str
    score: str
    bound: float

    def __str__(self) -> str:
        return f"{self.score} {_SIGNS[self.kind]} {self.bound}"


@dataclass(frozen=True)
class Verdict:
    """What became of a gate on a part of the data.

    Attributes:
        part: The part.
        gate: The gate.
        value: The score, or by how much it is worse; None where the part has none.
    """

    part: str
    gate: Gate
    value: float | None

    @property
    def passed(self) -> bool:
        """Whether there is a value, and it keeps the bound."""
        if self.value is None:
            return False
        return self.value >= self.gate.bound if self.gate.kind == MIN else self.value <= self.gate.bound

    @property
    def shown(self) -> str:
        """The value as text."""
        return "no such image" if self.value is None else f"{self.value:.6g}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    texts = {
        MIN: "the least that a score must be, for example dice=0.74; exit code 1 and a junit.xml say what misses",
        MAX: "the most that a score may be, for example marked_normals=0.3 or hd95=20",
        LOSE: "the most by which a score may be worse than that of --against, for example dice=0.005",
    }
    for kind, text in texts.items():
        parser.add_argument(f"--{kind}", type=partial(_gate, kind), nargs="+", metavar="SCORE=NUMBER", help=text)


def _gate(kind: str, text: str) -> Gate:
    name, separator, number = text.partition("=")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not name or not separator or not math.isfinite(bound):
        raise argparse.ArgumentTypeError(f"expected SCORE=NUMBER as in dice=0.74, got {text!r}")
    return Gate(kind, name, bound)


def gates(args: argparse.Namespace, scores: Sequence[str]) -> list[Gate]:
    """Return the gates of a command line.

    Args:
        args: The command line.
        scores: Names of the scores that the network has.

    Raises:
        OptionError: ``--lose`` stands without ``--against``, or there is no such score.
    """
    if args.lose and args.against is None:
        raise OptionError(
            "lose",
            expected="--against, what the scores are compared with",
            got="none",
            hint="Name a network or metrics.",
        )
    found: list[Gate] = [gate for kind in (MIN, MAX, LOSE) for gate in getattr(args, kind) or ()]
    for gate in found:
        if gate.score not in scores:
            expected, meant = f"a score out of {', '.join(scores)}", did_you_mean(gate.score, scores)
            raise OptionError(gate.kind, expected=expected, got=gate.score, hint=meant)
    return found


def earlier(path: Path) -> dict[str, Any] | None:
    """Return the ``metrics.json`` of an earlier run; None where the file is no such one.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no JSON.
    """
    if path.suffix.lower() != ".json" or not path.is_file():
        return None
    found = read_json(path, "the metrics of an earlier run")
    if isinstance(found, dict) and isinstance(found.get("parts"), dict) and "provenance" in found:
        return found
    return None


def put_beside(reports: dict[str, dict[str, Any]], metrics: Mapping[str, Any], path: Path, digest: str) -> None:
    """Put the scores of an earlier run beside those of this one, part by part.

    Args:
        reports: For each part the report of this run; ``against`` is added.
        metrics: What :func:`earlier` has read.
        path: Its file, for messages.
        digest: Digest of this run's data.

    Raises:
        FileFormatError: It is of other data, of another smallest area or lacks a part, or it is damaged.
    """
    try:
        theirs = metrics["provenance"]["sha256"]["data"]
        parts = {name: metrics["parts"][name]["network"] for name in reports if name in metrics["parts"]}
        well = all(isinstance(part, dict) for part in parts.values())
    except (KeyError, TypeError):
        well = False
    if not well:
        raise FileFormatError(
            str(path), expected="the metrics.json that `quantunet evaluate` writes", got="another one"
        )
    if theirs != digest:
        raise FileFormatError(
            str(path),
            expected=f"metrics of the same data ({digest[:12]})",
            got=f"{str(theirs)[:12]}",
            hint="Evaluate both networks on the same file.",
        )
    missing = [name for name in reports if name not in parts]
    if missing:
        raise FileFormatError(
            str(path), expected=f"the parts {', '.join(reports)}", got=", ".join(metrics["parts"]) or "none"
        )
    for name, report in reports.items():
        if parts[name].get("images") != report["network"]["images"]:
            raise FileFormatError(
                str(path),
                expected=f"{report['network']['images']} images in the part {name}",
                got=str(parts[name].get("images")),
                hint="The two networks were trained with other splits; name --part all.",
            )
        report["against"] = {"network": parts[name]}


def judge(found: Sequence[Gate], reports: Mapping[str, Mapping[str, Any]]) -> list[Verdict]:
    """Apply every gate to every part."""
    return [Verdict(part, gate, _value(gate, report)) for part, report in reports.items() for gate in found]


def _value(gate: Gate, report: Mapping[str, Any]) -> float | None:
    mine = report["network"][gate.score]
    if gate.kind != LOSE:
        return None if mine is None else float(mine)
    other = report["against"]["network"].get(gate.score)
    if mine is None or not _is_number(other):
        return None
    worse = mine - other if gate.score in _LOWER_IS_BETTER else other - mine
    return float(worse)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def conclude(
    found: Sequence[Gate], reports: Mapping[str, Mapping[str, Any]], model: str, folder: Path, console: Console
) -> list[dict[str, Any]]:
    """Judge a run: show every gate, and write ``junit.xml`` where there is one.

    Returns:
        The verdicts as JSON values.

    Raises:
        StorageError: The file cannot be written.
    """
    verdicts = judge(found, reports)
    if verdicts:
        shown = Table("part", "gate", "value", "", title="gates")
        for each in verdicts:
            mark = "[green]passed[/]" if each.passed else "[red]missed[/]"
            shown.add_row(each.part, str(each.gate), each.shown, mark)
        tables.show(console, shown)
        cases = [
            junit.Case(f"{each.part}: {each.gate}", None if each.passed else f"expected {each.gate}, got {each.shown}")
            for each in verdicts
        ]
        write_bytes(folder / JUNIT, junit.document("evaluate", model, cases))
    return [{"part": each.part, **vars(each.gate), "value": each.value, "passed": each.passed} for each in verdicts]


def exit_code(verdicts: Sequence[Mapping[str, Any]]) -> int:
    """Return the command's exit code: a gate that is missed is a difference."""
    return exit_codes.SUCCESS if all(each["passed"] for each in verdicts) else exit_codes.DIFFERENCE


def earlier_table(title: str, report: Mapping[str, Any]) -> Table:
    """Return the scores of a part beside those of the earlier run that :func:`put_beside` has put there."""
    mine, others = report["network"], report["against"]["network"]
    shown = Table("score", "now", "earlier", "difference", title=title)
    for name, value in mine.items():
        if _is_number(value) and _is_number(others.get(name)):
            shown.add_row(name.replace("_", " "), f"{value:.4f}", f"{others[name]:.4f}", f"{value - others[name]:+.4f}")
    return shown
