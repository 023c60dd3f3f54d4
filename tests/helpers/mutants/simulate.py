"""Runs a bench of small modules on all mutants of one of them, which are compiled together."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.benches.cases import TOP, Case, write_cases
from helpers.benches.tb_mutants import FOUND_FILE, PLAN_FILE
from helpers.mutants.generate import PACKAGE, PACKAGE_TEXT, SELECTED, Mutated, lines_of, mutate
from helpers.mutants.library import Library
from helpers.rtl import BUILD_ROOT, bench_module

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim.verilator import ASSERTIONS, build, run_cocotb

BENCH = "helpers.benches.tb_mutants"
_FLAGS = (*ASSERTIONS, "-Wno-lint", "-Wno-style", "-Wno-SELRANGE")
_RETRIES = 12
JOBS = 8
"""Mutants side by side in one simulation; each takes some hundredths of a second."""
_ERROR = r"%Error[^:\n]*: \S*{name}\.sv:(\d+):"


class MutantsError(RuntimeError):
    """A bench with mutants cannot be built, or fails without one."""


@dataclass(frozen=True)
class Verdict:
    """What a bench said of a mutant: by which scenario it was found and why; empty where it passed."""

    number: int
    scenario: str
    reason: str
    seconds: float


def with_selector(text: str) -> str:
    """Return a top with a port that selects the mutant, from the first edge of the clock on: that one resets."""
    first, clock, rest = text.partition("input wire logic clk,")
    body, end, tail = rest.rpartition("endmodule")
    if not clock or not end:
        msg = f"expected a module with a clock, got {text[:200]}"
        raise MutantsError(msg)
    port = f"{clock}\n    input wire logic [31:0] mutant,"
    return f"{first}{port}{body}  always_comb {SELECTED} = int'(mutant);\n{end}{tail}"


def write_library(folder: Path, mutated: Mutated) -> Path:
    """Write a copy of the library with all mutants of a module in it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(RTL_FOLDER, folder)
    (folder / f"{mutated.module}.sv").write_text(mutated.text, encoding="ascii")
    (folder / f"{PACKAGE}.sv").write_text(PACKAGE_TEXT, encoding="ascii")
    return folder


@dataclass(frozen=True)
class Built:
    """A simulator with mutants of a module; `refused` are those that do not compile."""

    mutated: Mutated
    refused: frozenset[str]
    folder: Path
    work: Path
    bench: str


def build_bench(
    library: Library, module: str, op: str, cases: Sequence[Case], work: Path, left_out: Collection[str] = ()
) -> Built:
    """Build a bench with all mutants of a module but some; what does not compile is left out too.

    Raises:
        MutantsError: It does not compile, and no mutant is the reason.
        ToolMissingError: A tool is not installed.
    """
    refused: set[str] = set()
    for _ in range(_RETRIES):
        mutated = mutate(library, module, {*left_out, *refused})
        copy = write_library(work / "rtl", mutated)
        sources = write_cases(cases, work, rtl_folder=copy)
        sources[-1].write_text(with_selector(sources[-1].read_text(encoding="utf-8")), encoding="utf-8")
        if copy / f"{PACKAGE}.sv" not in sources:
            msg = f"{module} is not in the bench of {op}"
            raise MutantsError(msg)
        try:
            folder = build(sources, TOP, {}, BUILD_ROOT, flags=_FLAGS, quick=True)
        except ToolFailedError as error:
            lines = {int(line) for line in re.findall(_ERROR.format(name=module), error.got)}
            wrong = {each.key for line in lines for each in lines_of(mutated.mutants, line)}
            if not wrong:
                msg = f"{module} in the bench of {op}: {error.got[:1500]}"
                raise MutantsError(msg) from error
            refused |= wrong
        else:
            return Built(mutated, frozenset(refused), folder, work, bench_module(op))
    msg = f"{module} in the bench of {op}: does not compile even without {len(refused)} mutants"
    raise MutantsError(msg)


def run(built: Built, numbers: Sequence[int]) -> list[Verdict]:
    """Run the bench's scenarios on some mutants, each until one fails.

    Raises:
        MutantsError: It fails without a mutant too, or a verdict is missing.
    """
    (built.work / FOUND_FILE).unlink(missing_ok=True)
    plan = {"bench": built.bench, "numbers": list(numbers), "jobs": JOBS}
    (built.work / PLAN_FILE).write_text(json.dumps(plan), encoding="utf-8")
    try:
        run_cocotb(built.folder, BENCH, TOP, built.work, seed=1)
    except ToolFailedError as error:
        msg = f"{built.mutated.module}: {error}"
        raise MutantsError(msg) from error
    lines = (built.work / FOUND_FILE).read_text(encoding="utf-8").splitlines()
    by_number = {each.number: each for each in (Verdict(**json.loads(line)) for line in lines)}
    found = [by_number[number] for number in numbers if number in by_number]
    if len(lines) != len(numbers) + 1 or len(found) != len(numbers):
        msg = f"{built.mutated.module}: expected verdicts of {len(numbers)} mutants, got {len(found)}"
        raise MutantsError(msg)
    return found
