"""Mutants that no bench finds and no proof shows to be invisible, and why each is right to live."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.mutants.generate import Mutant


@dataclass(frozen=True)
class Survivor:
    """A mutant that stays, named by its text, so that other lines may change.

    Attributes:
        module: The module.
        statement: A part of the statement in which it stands.
        kind: What is done.
        original: What stands there.
        mutated: What stands there instead.
        why: Why nobody sees it.
    """

    module: str
    statement: str
    kind: str
    original: str
    mutated: str
    why: str

    def is_that(self, mutant: Mutant) -> bool:
        """Return whether a mutant is this one."""
        named = (self.module, self.kind, self.original, self.mutated)
        return named == (mutant.module, mutant.kind, mutant.original, mutant.mutated) and (
            self.statement in mutant.statement
        )


SURVIVORS: tuple[Survivor, ...] = (
    Survivor(
        "qun_fifo", "read = stored_q", "operator", "claimed_q != 3'd4", "claimed_q < 3'd4",
        "claimed_q never exceeds 4: prefetch_has_place of docs/proofs.md is proven, which the comparison of two copies "
        "does not find by itself in its time",
    ),
)  # fmt: skip


def why_it_lives(mutant: Mutant) -> str:
    """Return the reason why a mutant lives, or nothing."""
    return next((each.why for each in SURVIVORS if each.is_that(mutant)), "")
