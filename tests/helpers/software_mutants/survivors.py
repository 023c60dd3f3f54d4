"""Mutants that compute the same, and why."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.software_mutants.mutant import Mutant


@dataclass(frozen=True)
class Survivor:
    """Mutants of one file that nobody can see, named by their text, so that lines may move.

    Attributes:
        file: The file.
        where: The function around them.
        why: Why nobody can see them.
        names: What is done in the place of what, as ``original → mutated``.
    """

    file: str
    where: str
    why: str
    names: tuple[str, ...]

    def is_that(self, mutant: Mutant) -> bool:
        """Return whether a mutant is one of them."""
        name = mutant.key.partition(": ")[2].replace("`", "")
        return (self.file, self.where) == (mutant.file, mutant.where) and name in self.names


def why_it_lives(mutant: Mutant) -> str:
    """Return why nobody can see a mutant, or nothing."""
    return next((each.why for each in SURVIVORS if each.is_that(mutant)), "")


SURVIVORS: tuple[Survivor, ...] = ()
