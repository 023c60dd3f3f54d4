"""What a mutant of Python or C++ is."""

from __future__ import annotations

from dataclasses import dataclass

SHORT = 90
"""Characters up to which what is around a small thing is shown."""


@dataclass(frozen=True)
class Mutant:
    """A file with one thing changed.

    Attributes:
        file: The file, under the project's folder.
        number: Its number among all mutants of the file, from 1 on.
        line: Where it stands.
        kind: What is done.
        original: What stands there, on one line.
        mutated: What stands there instead.
        where: The function or class around it.
        nth: How many of the same name stand before it in that function.
    """

    file: str
    number: int
    line: int
    kind: str
    original: str
    mutated: str
    where: str
    nth: int

    @property
    def key(self) -> str:
        """Its name without lines: they move where something else changes."""
        more = f" #{self.nth + 1}" if self.nth else ""
        return f"{self.where}, {self.kind}: `{self.original}` → `{self.mutated}`{more}"


def flat(text: str, most: int = 120) -> str:
    """Return code on one line, the middle of a long one left out."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most // 2]} … {line[-(most // 2) :]}"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        stage: What found it; empty where nothing did.
        reason: What that said; where nothing did, why nobody can see the mutant, or nothing.
    """

    stage: str
    reason: str


REFUSED = "refused"
"""The stage of a mutant that does not compile: it is left out."""


class MutantsError(RuntimeError):
    """Mutants of a file cannot be judged.

    Args:
        file: The file.
        why: What is wrong with it as it is.
    """

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file}: expected that it passes as it is, got {why}")
