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
        count: How many mutants of the module are named so.
    """

    module: str
    statement: str
    kind: str
    original: str
    mutated: str
    why: str
    count: int = 1

    def is_that(self, mutant: Mutant) -> bool:
        """Return whether a mutant is this one."""
        named = (self.module, self.kind, self.original, self.mutated)
        return named == (mutant.module, mutant.kind, mutant.original, mutant.mutated) and (
            self.statement in mutant.statement
        )


_NO_BEAT = "without a beat the result goes nowhere: the register slice behind it takes data with tvalid alone"
_COUNTER = "the counter never exceeds its last value, which an assertion says and a proof of docs/proofs.md shows"

SURVIVORS: tuple[Survivor, ...] = (
    Survivor(
        "qun_fifo", "read = stored_q", "operator", "claimed_q != 3'd4", "claimed_q < 3'd4",
        "claimed_q never exceeds 4: prefetch_has_place of docs/proofs.md is proven, which the comparison of two copies "
        "does not find by itself in its time",
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "second branch always",
        "(gain == 1) ? scaled : (gain == -1) ? -scaled : scaled * 64'(gain)",
        "(gain == -1) ? -scaled : scaled * 64'(gain)",
        "a gain of 1 multiplies by 1: the branch saves a multiplier, and changes no value",
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "constant", "1", "0",
        "no gain is 0, and one of 1 or -1 falls through to the multiplication, with the same value", 2,
    ),
    Survivor(
        "qun_add", "scaled * 64'(gain)", "unary operator", "-1", "1",
        "a gain of -1 falls through to the multiplication, with the same value",
    ),
    *(Survivor(module, "both", "condition always", "both", "1'b1", _NO_BEAT)
      for module in ("qun_add", "qun_maximum", "qun_multiply")),
    Survivor("qun_requant", "s_axis_tvalid", "condition always", "s_axis_tvalid", "1'b1", _NO_BEAT),
    Survivor("qun_maxpool2d", "row_valid_q[1]", "condition always", "row_valid_q[1]", "1'b1", _NO_BEAT),
    Survivor(
        "qun_maximum", "result", "operator", "(first ^ Flip) < (second ^ Flip)", "(first ^ Flip) <= (second ^ Flip)",
        "of two equal values either is the greater one",
    ),
    Survivor(
        "qun_argmax", "nodes_q", "operator", "(2*n)%Leaves", "(2*n)+Leaves",
        "Leaves is a power of two: in an index into as many nodes or leaves the sum is the remainder", 2,
    ),
    Survivor(
        "qun_argmax", "best", "operator", "group_q == '0", "group_q <= '0",
        "an unsigned number is at most zero where it is zero",
    ),
    Survivor(
        "qun_concat", "group_q", "operator", "group_q == GroupBits'(Groups - 1)", "group_q >= GroupBits'(Groups - 1)",
        _COUNTER,
    ),
    Survivor(
        "qun_credit_fifo", "credit_q", "operator", "credits_q != (AddrBits + 1)'(1)",
        "credits_q > (AddrBits + 1)'(1)",
        "it stands where a credit is taken, and then there is one: credit_where_a_place_is_free is proven with it",
    ),
    Survivor(
        "qun_rectangle", "row_end", "operator", "beat_q == BeatBits'(RowBeats - 1)",
        "beat_q >= BeatBits'(RowBeats - 1)", _COUNTER,
    ),
    Survivor(
        "qun_rectangle", "inside_last", "operator", "row_q == RowBits'(LastRow)", "row_q >= RowBits'(LastRow)",
        "rows below the rectangle do not matter: a crop looks at the flag where it keeps a beat, a padding never",
    ),
    *(Survivor("qun_rectangle", "inside_q", "operator", f"{name} == 0", f"{name} <= 0", "unsigned constants", 2)
      for name in ("FirstRow", "FirstBeat")),
    Survivor(
        "qun_row_repeat", "y_last", "operator", "y_q == YBits'(Height - 1)", "y_q >= YBits'(Height - 1)", _COUNTER,
    ),
)  # fmt: skip


def why_it_lives(mutant: Mutant) -> str:
    """Return the reason why a mutant lives, or nothing."""
    return next((each.why for each in SURVIVORS if each.is_that(mutant)), "")
