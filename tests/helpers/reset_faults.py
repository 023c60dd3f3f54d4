"""Registers that a reset forgets, one at a time: each assignment of a reset, in every module, dropped.

The mutants are those of :mod:`helpers.mutants` that drop an assignment under ``if (!rst_n)``; the bench is that of
:mod:`helpers.resets`, on the cases that the module's mutants meet. Modules without cases, those of the serial side, of
AXI4-Lite and of the frame check, meet the tests of their own benches that reset.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.mutants.bench import Bench
from helpers.mutants.benches import BENCHES, MODULES
from helpers.mutants.generate import Mutant, mutate
from helpers.mutants.library import Library
from helpers.mutants.simulate import build_bench, run
from helpers.mutants.survivors import why_it_lives
from helpers.reset_cases import BENCH, of_cases

_MOST = 100
"""Places in two frames at which a reset comes."""

_RESETTING = "resets_.*|reset_in_mid_frame|every_channel_is_reset|writes_may_overlap|frames_and_errors_.*"
"""Tests of the benches without cases in which a reset comes in the middle of something."""

_BRANCH = re.compile(r"^( *)if \(!rst_n\) begin\n(.*?)^\1end$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Forgotten:
    """What became of the reset assignments of one module, each dropped in turn.

    Attributes:
        found: How many the bench found.
        explained: Those that passed and may, and why (:mod:`helpers.mutants.survivors`).
        alive: Those that passed.
    """

    found: int
    explained: tuple[tuple[str, str], ...]
    alive: tuple[str, ...]


def reset_lines(text: str) -> frozenset[int]:
    """Return the lines, from 1, that stand under ``if (!rst_n)``."""
    found: set[int] = set()
    for each in _BRANCH.finditer(text):
        begin = text.count("\n", 0, each.start(2)) + 1
        found |= set(range(begin, begin + each[2].count("\n")))
    return frozenset(found)


def dropped(library: Library, module: str) -> list[Mutant]:
    """Return the mutants of a module that drop an assignment of a reset."""
    lines = reset_lines(library.modules[module].text)
    return [each for each in mutate(library, module).mutants if each.kind == "statement dropped" and each.line in lines]


def modules(library: Library) -> Iterator[str]:
    """Yield the modules that reset a register."""
    return (module for module in MODULES if dropped(library, module))


def _bench(name: str) -> Bench:
    """Return the bench of one name, as far as it resets."""
    bench = BENCHES[name]
    if bench.scenarios == BENCH:
        return bench
    if not bench.cases():
        return dataclasses.replace(bench, tests=_RESETTING)
    return Bench(BENCH, lambda library, work: of_cases(bench.cases(), work, most=_MOST, rtl_folder=library))


def judge(library: Library, module: str, folder: Path) -> Forgotten:
    """Drop every assignment of a module's resets, one at a time, and see whether the bench finds it.

    Args:
        library: The library.
        module: One of :func:`modules`.
        folder: Working folder.

    Raises:
        MutantsError: The bench cannot be built, or fails without a fault.
    """
    every, waiting = mutate(library, module).mutants, dropped(library, module)
    found = 0
    for name in MODULES[module]:
        if not waiting or name.startswith("capacity "):
            continue
        numbers = [each.number for each in waiting]
        left_out = {each.key for each in every} - {each.key for each in waiting}
        verdicts = run(build_bench(library, module, _bench(name), folder / name.replace(" ", "_"), left_out), numbers)
        passed = {each.number for each in verdicts if not each.scenario}
        found += len(numbers) - len(passed)
        waiting = [each for each in waiting if each.number in passed]
    reasons = {each: why_it_lives(each) for each in waiting}
    return Forgotten(
        found,
        tuple((each.original, why) for each, why in reasons.items() if why),
        tuple(f"line {each.line}: {each.original}" for each, why in reasons.items() if not why),
    )
