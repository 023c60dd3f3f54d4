"""What a mutant that may live is named by, and the kinds that live in many modules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from helpers.mutants.generate import Mutant

from quantunet.hls.generate.rtl_project import RTL_FOLDER

_SET_BACK = "it is set back where it is equal, so that it is never greater"
_IF = 9
"""The column of the condition of an ``if`` in a process."""


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
        count: How many mutants of the module are named so.
        column: In which it stands, where the module has others of that name that are seen; 0 for any.
    """

    module: str
    statement: str
    kind: str
    original: str
    mutated: str
    why: str
    count: int = 1
    column: int = 0

    def is_that(self, mutant: Mutant) -> bool:
        """Return whether a mutant is this one."""
        named = (self.module, self.kind, self.original, self.mutated)
        return named == (mutant.module, mutant.kind, mutant.original, mutant.mutated) and (
            self.statement in mutant.statement and self.column in (0, mutant.column)
        )


_ZERO = re.compile(r"(.+) (==|!=) ('0|1'b0)")
_LAST = re.compile(r"(\w+_q) (==|!=) \w+'\((.+)\)")


def of_every_module(mutant: Mutant) -> str:
    """Return why nobody sees a mutant whatever its module is, or nothing.

    ``'0`` and ``1'b0`` are unsigned, and so is what is compared with them. Of a counter the module's own assertion has
    to say that it ends where it is compared: all benches run with it.
    """
    if mutant.kind != "operator":
        return ""
    zero = _ZERO.fullmatch(mutant.original)
    if zero and mutant.mutated == f"{zero[1]} {'<=' if zero[2] == '==' else '>'} {zero[3]}":
        return "an unsigned number is at most zero where it is zero, and greater where it is not"
    last = _LAST.fullmatch(mutant.original)
    if last and mutant.mutated == mutant.original.replace(last[2], ">=" if last[2] == "==" else "<", 1):
        count = last[3].removesuffix(" - 1")
        bound = f"32'({last[1]}) {'<' if count != last[3] else '<='} {count}"
        if re.search(rf"{re.escape(bound)}\b", _text(mutant.module)):
            return f"it never exceeds what it is compared with: the module asserts {bound}"
    return ""


@cache
def _text(module: str) -> str:
    return " ".join((RTL_FOLDER / f"{module}.sv").read_text(encoding="ascii").split())


def counters(module: str, *compared: str) -> tuple[Survivor, ...]:
    """Return the survivors of counters that are set back where they are equal to their last value."""
    return tuple(
        Survivor(module, each.split()[0], "operator", each, each.replace(" == ", " >= "), _SET_BACK)
        for each in compared
    )


def accumulating(module: str, bias: int, last: int, stages: Mapping[str, str]) -> tuple[Survivor, ...]:
    """Return the survivors of a pipeline that multiplies, accumulates and rounds.

    Args:
        module: The module.
        bias: The stage in which biases are read.
        last: The stage whose last tap makes a result.
        stages: Conditions of stages that may always be taken, and why.
    """
    read = (f"valid_q[{bias}]", f"control_q[{bias}].first")
    result = (f"valid_q[{last}]", f"control_q[{last}].last")
    both, made = " && ".join(read), " && ".join(result)
    unread = "a bias is looked at with a first tap, a cycle behind its own read, and no other one is read between"
    behind = "a result is pushed in the cycle behind its last tap; what follows in its register goes nowhere"
    return (
        Survivor(module, both, "stuck at one", both, f"~(({both}) ^ ({both}))", unread),
        Survivor(module, both, "operator", both, " || ".join(read), unread),
        Survivor(module, both, "operand dropped", both, f"1'b1 && {read[1]}", unread),
        Survivor(module, both, "operand dropped", both, f"{read[0]} && 1'b1", unread),
        Survivor(module, made, "condition always", made, "1'b1", behind, column=_IF),
        Survivor(module, made, "operator", made, " || ".join(result), behind, column=_IF),
        Survivor(module, made, "operand dropped", made, f"1'b1 && {result[1]}", behind, column=_IF),
        Survivor(module, made, "operand dropped", made, f"{result[0]} && 1'b1", behind, column=_IF),
        *(Survivor(module, f"if ({name})", "condition always", name, "1'b1", why) for name, why in stages.items()),
    )
