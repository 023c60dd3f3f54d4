"""Runs a bench of small modules on all mutants of one of them, which are compiled together."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.benches.tb_mutants import FOUND_FILE, PLAN_FILE
from helpers.mutants.bench import Bench, MutantsError, with_selector
from helpers.mutants.generate import PACKAGE, PACKAGE_TEXT, Mutated, lines_of, mutate
from helpers.mutants.library import Library

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim.verilator import run_cocotb

_RUNNER = "helpers.benches.tb_mutants"
_FLAGS = ("-Wno-lint", "-Wno-style", "-Wno-SELRANGE")
_RETRIES = 12
JOBS = 8
"""Mutants side by side in one simulation; each takes some hundredths of a second."""
_ERROR = r"%Error[^:\n]*: \S*{name}\.sv:(\d+):"


@dataclass(frozen=True)
class Verdict:
    """What a bench said of a mutant: by which scenario it was found and why; empty where it passed."""

    number: int
    scenario: str
    reason: str
    seconds: float


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
    top: str
    work: Path
    bench: Bench


def build_bench(library: Library, module: str, bench: Bench, work: Path, left_out: Collection[str] = ()) -> Built:
    """Build a bench with all mutants of a module but some; what does not compile is left out too.

    Raises:
        MutantsError: It does not compile, and no mutant is the reason.
        ToolMissingError: A tool is not installed.
    """
    refused: set[str] = set()
    for _ in range(_RETRIES):
        mutated = mutate(library, module, {*left_out, *refused})
        copy = write_library(work / "rtl", mutated)
        design = bench.design(copy, work)
        (top,) = (each for each in design.sources if each.stem == design.top)
        top.write_text(with_selector(top.read_text(encoding="utf-8")), encoding="utf-8")
        if copy / f"{PACKAGE}.sv" not in design.sources:
            msg = f"{module} is not in the bench {bench.scenarios}"
            raise MutantsError(msg)
        try:
            folder = replace(design, flags=(*design.flags, *_FLAGS)).build()
        except ToolFailedError as error:
            lines = {int(line) for line in re.findall(_ERROR.format(name=module), error.got)}
            wrong = {each.key for line in lines for each in lines_of(mutated.mutants, line)}
            if not wrong:
                msg = f"{module} in the bench {bench.scenarios}: {error.got[:1500]}"
                raise MutantsError(msg) from error
            refused |= wrong
        else:
            return Built(mutated, frozenset(refused), folder, design.top, work, bench)
    msg = f"{module} in the bench {bench.scenarios}: does not compile even without {len(refused)} mutants"
    raise MutantsError(msg)


def run(built: Built, numbers: Sequence[int]) -> list[Verdict]:
    """Run the bench's scenarios on some mutants, each until one fails.

    Raises:
        MutantsError: It fails without a mutant too, or a verdict is missing.
    """
    (built.work / FOUND_FILE).unlink(missing_ok=True)
    bench = built.bench
    plan = {"bench": bench.scenarios, "tests": bench.tests, "numbers": list(numbers), "jobs": JOBS}
    (built.work / PLAN_FILE).write_text(json.dumps(plan), encoding="utf-8")
    try:
        run_cocotb(built.folder, _RUNNER, built.top, built.work, seed=1)
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
