"""What runs on mutants: a design, the cocotb tests that drive it, and how a design gets a port that selects one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.benches.cases import TOP, Case, write_cases
from helpers.mutants.generate import SELECTED
from helpers.rtl import Design, bench_module

_BENCHES = Path(__file__).resolve().parents[1] / "benches"
_IMPORTED = re.compile(r"^from helpers\.benches(?:\.(\w+))? import (\w[\w, ]*|\()", re.MULTILINE)
_CLOCK = re.compile(r"input\s+wire\s+logic\s+clk,")
_MAKES_CASES = "cases"  # what it makes is looked at, and not how


class MutantsError(RuntimeError):
    """A bench with mutants cannot be built, or fails without one."""


@dataclass(frozen=True)
class Bench:
    """Tests of a design.

    Attributes:
        scenarios: The module of the cocotb tests.
        design: Writes what they need into a working folder, the second argument, and returns the design; the first is
            the folder of the library.
        cases: Makes the cases of an op, which a proof can look at; none where the design is another one.
        tests: Regular expression for the names of the tests that run.
    """

    scenarios: str
    design: Callable[[Path, Path], Design]
    cases: Callable[[], Sequence[Case]] = tuple
    tests: str = ".*"


def of_cases(op: str, cases: Callable[[], Sequence[Case]]) -> Bench:
    """Return the bench of some cases of an op."""

    def design(library: Path, work: Path) -> Design:
        return Design(write_cases(cases(), work, rtl_folder=library), TOP)

    return Bench(bench_module(op), design, cases)


def scenario_files(bench: Bench) -> tuple[Path, ...]:
    """Return the files of a bench's tests: their module, and what it takes from others."""
    found: list[str] = []
    waiting = [bench.scenarios.rpartition(".")[-1]]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.append(name)
        text = (_BENCHES / f"{name}.py").read_text(encoding="utf-8")
        for module, names in _IMPORTED.findall(text):
            waiting += [each for each in ([module] if module else names.split(", ")) if each != _MAKES_CASES]
    return tuple(_BENCHES / f"{name}.py" for name in sorted(found))


def with_selector(text: str) -> str:
    """Return a top with a port that selects the mutant, from the first edge of the clock on: that one resets.

    Every line stays at its number.

    Raises:
        MutantsError: It is no module with a clock.
    """
    clock = _CLOCK.search(text)
    body, end, tail = text.rpartition("endmodule")
    if clock is None or not end:
        msg = f"expected a module with a clock, got {text[:200]}"
        raise MutantsError(msg)
    first, rest = body[: clock.end()], body[clock.end() :]
    return f"{first} input wire logic [31:0] mutant,{rest}  always_comb {SELECTED} = int'(mutant);\n{end}{tail}"
