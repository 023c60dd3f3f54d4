"""How runs and numbers are spelled in the tables of docs/science.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.intervals import FEWEST, LEVEL, Difference
from benchmarks.science_runs import Run

NOTHING = "–"
"""A cell for which there is no run."""


def spread(values: Iterable[float], digits: int = 3) -> str:
    """Mean and standard deviation as text.

    >>> spread([0.7, 0.72, 0.74])
    '0.720 ± 0.020'
    >>> spread([0.7])
    '0.700'
    """
    found = list(values)
    if not found:
        return NOTHING
    mean = f"{np.mean(found):.{digits}f}"
    return f"{mean} ± {np.std(found, ddof=1):.{digits}f}" if len(found) > 1 else mean


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown.

    >>> print(table(("a", "b"), [(1, 2)]), end="")
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)]) + "\n"


def widths_of(run: Run) -> str:
    """What a row calls the widths of a run, and what else its name tells: options of the loss that are not usual."""
    if run.method == "start":
        return "float warm start"
    if run.bits == "float":
        head, text = "float", "float control"
    elif run.bits == "learned":
        head, text = f"lambda{run.factor:g}_{run.weighting}", f"learned, λ {run.factor:g}, by {run.weighting}"
    else:
        descent = run.values.get("descent_epochs", 0)
        head = f"uniform{run.bits}" + (f"_descent{descent:g}" if descent else "")
        text = f"uniform {run.bits}" + (f", from 8 in {descent:g} epochs" if descent else "")
    return ", ".join([text, *_options(run.method.removeprefix(head))])


_OPTIONS = (
    (r"_distil0", "not distilled"),
    (r"_range_least_error", "ranges of least error"),
    (r"_range_learned_rangelr([\d.]+)", r"learned ranges (rate \1)"),
    (r"_range_channels_rangelr([\d.]+)", r"a learned range for each channel (rate \1)"),
    (r"_by_step", "by steps"),
    (r"_equalise", "channels balanced"),
    (r"_lesion([\d.]+)", r"lesion term \1"),
    (r"_target([\d.]+)", r"to \1 bits"),
)
"""What the name of a training says of its options, and what a table says."""


def _options(text: str) -> list[str]:
    """What a row calls the options at the end of a training's name.

    >>> _options("_target3_range_learned_rangelr0.01_by_step"), _options("_new_one")
    (['to 3 bits', 'learned ranges (rate 0.01)', 'by steps'], ['new_one'])
    """
    found = []
    while text:
        for pattern, words in _OPTIONS:
            if match := re.match(pattern, text):
                found.append(match.expand(words))
                text = text[match.end() :]
                break
        else:
            return [*found, text.removeprefix("_")]
    return found


def cell(found: Difference | None) -> str:
    """A difference, or that there is none."""
    return NOTHING if found is None else str(found)


def how_many(every: Sequence[Difference]) -> str:
    """How many intervals a table prints, and how many of them chance alone would let exclude zero.

    >>> found = [Difference(0.1, 0.05, 0.15, 3), Difference(0.1, -0.1, 0.3, 3), Difference(0.1, 0.1, 0.1, 1)]
    >>> print(how_many(found), end="")
    The table prints 3 differences: 2 with an interval, of which 1 excludes zero, 0 with a range (n = 2) and 1 single
    values. Nothing is corrected for their number: of 2 intervals, 0.1 exclude zero where nothing differs.
    """
    made = [each for each in every if each.is_interval]
    outside = sum(each.excludes_zero for each in made)
    ranges = sum(1 < each.count < FEWEST for each in every)
    single = len(every) - len(made) - ranges
    return (
        f"The table prints {len(every)} differences: {len(made)} with an interval, of which {outside} "
        f"exclude{'s' * (outside == 1)} zero, {ranges} with a range (n = 2) and {single} single\n"
        f"values. Nothing is corrected for their number: of {len(made)} intervals, {(1 - LEVEL) * len(made):.1f} "
        "exclude zero where nothing differs.\n"
    )
