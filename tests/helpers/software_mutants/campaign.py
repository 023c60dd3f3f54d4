"""Judges the mutants of files and keeps the verdicts: ``nox -s mutants_software``.

A verdict holds as long as its file stays as it is; one that nothing found is asked for again when a test has changed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from helpers.project import ROOT
from helpers.software_mutants.mutant import REFUSED, Mutant, Verdict
from helpers.software_mutants.survivors import why_it_lives

from quantunet import cache

FOLDER = ROOT / "build" / "mutants_software"
_RECIPE = 1  # count up when mutants are made or judged otherwise
_SAVE_SECONDS = 20


class Judge(Protocol):
    """Finds mutants of one file: :class:`helpers.software_mutants.judge_python.Judge`, and that of C++."""

    file: str
    text: str

    def mutants(self) -> list[Mutant]:
        """Return all mutants of the file."""

    def judge(self, mutants: Sequence[Mutant], *, quick: bool) -> Iterator[tuple[Mutant, Verdict]]:
        """Yield what becomes of each of some mutants, without what takes longest where it has to be quick."""


@dataclass(frozen=True)
class Result:
    """What became of the mutants of one file.

    Attributes:
        file: The file.
        digest: Of its text.
        found: What found how many.
        refused: How many do not compile.
        explained: Those that live, and why nobody can see them.
        alive: All others that live.
        left: How many were not judged, as those that take longest are not where it has to be quick.
    """

    file: str
    digest: str
    found: Mapping[str, int]
    refused: int
    explained: tuple[tuple[Mutant, str], ...]
    alive: tuple[Mutant, ...]
    left: int

    @property
    def document(self) -> dict[str, Any]:
        """What the record says of it."""
        return {
            "digest": self.digest,
            "found": sum(self.found.values()),
            "by": dict(self.found),
            "refused": self.refused,
            "explained": [[named(each), why] for each, why in self.explained],
            "alive": [named(each) for each in self.alive],
            "left": self.left,
        }


def named(mutant: Mutant) -> str:
    """Return what the record calls a mutant."""
    return f"line {mutant.line}, {mutant.key}"


def digest(text: str) -> str:
    """Return what tells one content of a file from another."""
    return cache.key(text)[:16]


def run(
    judge: Judge,
    folder: Path = FOLDER,
    *,
    quick: bool = False,
    ask: bool = True,
    tell: Callable[[str], object] = lambda _: None,
) -> Result:
    """Judge all mutants of a file of which nothing is known.

    Args:
        judge: Of the file.
        folder: Where verdicts are kept.
        quick: Whether what takes longest is left out; what would meet it is not judged.
        ask: Whether anything is judged; what is known is told without.
        tell: Gets a line for each mutant that lives.

    Raises:
        MutantsError: The file as it is does not pass.
    """
    mutants = judge.mutants()
    path = folder / f"{judge.file.replace('/', '-')}.json"
    key, tests = cache.key(_RECIPE, judge.text, [each.key for each in mutants]), _tests_key()
    kept = cache.read_json(path, key) or {"tests": tests, "known": {}}
    known = {name: Verdict(*verdict) for name, verdict in kept["known"].items()}
    if kept["tests"] != tests and ask:
        known = {name: verdict for name, verdict in known.items() if verdict.stage}

    def save() -> None:
        plain = {name: (verdict.stage, verdict.reason) for name, verdict in known.items()}
        cache.write_json(path, key, {"tests": tests, "known": plain})

    if not ask:
        return _result(judge, mutants, known)
    # What had a reason met less; where it has none any more, it meets the rest.
    for mutant in mutants:
        verdict = known.get(mutant.key)
        if verdict and not verdict.stage and verdict.reason and not why_it_lives(mutant):
            known.pop(mutant.key)
    missing, saved = [each for each in mutants if each.key not in known], time.monotonic()
    for mutant, verdict in judge.judge(missing, quick=quick) if missing else ():
        known[mutant.key] = verdict if verdict.stage else Verdict("", why_it_lives(mutant))
        if not known[mutant.key].stage and not known[mutant.key].reason:
            tell(f"    alive: {judge.file}, {named(mutant)}")
        if time.monotonic() - saved > _SAVE_SECONDS:
            save()
            saved = time.monotonic()
    save()
    return _result(judge, mutants, known)


def _result(judge: Judge, mutants: Sequence[Mutant], known: Mapping[str, Verdict]) -> Result:
    judged = [each for each in mutants if each.key in known]
    living = [each for each in judged if not known[each.key].stage]
    by = Counter(known[each.key].stage for each in judged if known[each.key].stage)
    refused = by.pop(REFUSED, 0)
    return Result(
        judge.file,
        digest(judge.text),
        by,
        refused,
        tuple((each, why_it_lives(each)) for each in living if why_it_lives(each)),
        tuple(each for each in living if not why_it_lives(each)),
        len(mutants) - len(judged),
    )


def _tests_key() -> str:
    tests = ROOT / "tests"
    return cache.key(cache.files(tests, "golden/*.py", "root/*.py", "helpers/*.py", "hls/csim/*.py"))
