"""What a mutant that computes the same is named by."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.software_mutants.mutant import Mutant


@dataclass(frozen=True)
class Survivor:
    """Mutants of one function that nobody can see, named by their text, so that lines may move.

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
        return (self.file, self.where) == (mutant.file, mutant.where) and named_short(mutant) in self.names


def named_short(mutant: Mutant) -> str:
    """Return what a mutant is called among those of its function."""
    return mutant.key.partition(": ")[2].replace("`", "")
