"""Ways to find ranges of weights beside each other: the same widths, trained from the same float networks.

The usual way is the power of two above the largest weight. A uniform network is compared with the usual one of its
width, which is as large. A learned one ends at widths of its own, so that it is compared at equal packed size: with the
line through the usual networks of its seed or fold, learned and uniform, that have not failed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.science_compare import at_cost, by_seed, difference, paired, working
from benchmarks.science_runs import Part, Run, by_method, by_place, of
from benchmarks.science_text import cell, spread, table, widths_of

_OTHER = re.compile(r"_(range|by|equalise)(_|$)")


def is_usual(run: Run) -> bool:
    """Whether the ranges of a run follow the largest weight, and nothing else is done about them."""
    return not _OTHER.search(run.method)


def methods(runs: Sequence[Run]) -> str:
    """A row for each way and widths, of the places where another way than the usual one was tried."""
    rows: list[list[object]] = []
    for (data, _, preset), here in by_place(runs).items():
        others = {name: group for name, group in by_method(here).items() if not is_usual(group[0])}
        usual = [run for run in here if is_usual(run) and run.bits != "float"]
        curve = working(usual, [run for run in here if run.bits == "float"])
        widths = {_base(group[0]) for group in others.values()}
        for name, group in by_method(run for run in here if run.bits != "float").items():
            if name not in others and name not in widths:
                continue
            minus = [_against(group, usual, curve, part) for part in ("val", "test")] if name in others else [[], []]
            rows.append(
                [
                    data,
                    preset,
                    widths_of(group[0]),
                    len(group),
                    spread(of(group, "mean_bits_layers"), 2),
                    spread((value / 1e3 for value in of(group, "packed_bytes")), 0),
                    *(spread(of(group, f"final_{part}_dice")) for part in ("val", "test")),
                    *(cell(difference(group, found)) for found in minus),
                ]
            )
    head = ("data", "network", "widths", "seeds or folds", "mean bits", "packed kB", "Dice, validation", "Dice, test")
    return table((*head, "minus the usual way, validation", "minus the usual way, test"), rows)


def _base(run: Run) -> str:
    """The name of the same widths with the usual ranges."""
    return _OTHER.split(run.method)[0]


def _against(group: Sequence[Run], usual: Sequence[Run], curve: Sequence[Run], part: Part) -> list[float]:
    if group[0].bits.isdigit():
        return paired(group, [run for run in usual if run.method == _base(group[0])], part)
    found = []
    for run in group:
        points = [(each.values["packed_bytes"], each.dice(part)) for each in curve if each.sample == run.sample]
        dice = at_cost(points, run.values["packed_bytes"])
        if dice is not None:
            found.append((run.sample, run.dice(part) - float(dice)))
    return by_seed(found)
