"""Puts mutants by machine into the SystemVerilog library and shows which bench finds each: ``nox -s mutants``.

Verdicts are kept by the content of what was simulated, so that a run that was broken off goes on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers import matrix_cases, op_cases
from helpers.benches.cases import CASES_FILE, Case
from helpers.mutants import benches, equivalence
from helpers.mutants.benches import BENCHES, MODULES
from helpers.mutants.equivalence import EQUIVALENT, UNKNOWN, VISIBLE
from helpers.mutants.generate import Mutant, Mutated, mutate
from helpers.mutants.library import Library
from helpers.mutants.simulate import Built, Verdict, build_bench, run
from helpers.mutants.survivors import why_it_lives

from quantunet import cache as kept
from quantunet.hls.generate.rtl_project import RTL_FOLDER

FOLDER = Path(__file__).resolve().parents[3] / "build" / "mutants"
_BATCH = 100
_RECIPE = 1  # count up when the way of judging changes
_SCENARIOS = Path(__file__).resolve().parents[1] / "benches"


@dataclass(frozen=True)
class Found:
    """A mutant that a bench found.

    Attributes:
        mutant: The mutant.
        bench: The bench.
        scenario: Its scenario.
        reason: What it said.
    """

    mutant: Mutant
    bench: str
    scenario: str
    reason: str


@dataclass(frozen=True)
class Result:
    """What became of the mutants of one module.

    Attributes:
        module: The module.
        all: How many mutants it has.
        found: Those that a bench found.
        equivalent: Those that passed, and of which it is proven that the cases of the first bench cannot show them.
        explained: Those that passed, and why they are right to.
        alive: All others that passed, with what the prover found: ``visible`` or ``unknown``.
        left_out: Those that do not compile.
    """

    module: str
    all: int
    found: tuple[Found, ...]
    equivalent: tuple[Mutant, ...]
    explained: tuple[tuple[Mutant, str], ...]
    alive: tuple[tuple[Mutant, str], ...]
    left_out: tuple[str, ...]

    @property
    def visible(self) -> int:
        """How many were judged that are not proven equivalent."""
        return len(self.found) + len(self.explained) + len(self.alive)


@cache
def bench_cases(name: str) -> tuple[Case, ...]:
    """Return the cases of a bench."""
    return tuple(BENCHES[name].cases())


def chosen(mutants: Sequence[Mutant], module: str, count: int, seed: int) -> list[Mutant]:
    """Return some mutants, drawn by a seed, in the order of the text; a greater count keeps what a smaller one has."""
    drawn = list(mutants)
    random.Random(f"{seed}:{module}").shuffle(drawn)  # noqa: S311
    return sorted(drawn[:count], key=lambda each: each.number)


def judge(
    library: Library,
    module: str,
    count: int,
    seed: int,
    *,
    quick: bool = False,
    prove: bool = True,
    folder: Path = FOLDER,
) -> Result:
    """Run benches on mutants of a module until one finds each.

    Args:
        library: The library.
        module: The module.
        count: Mutants at most.
        seed: Of the choice.
        quick: Whether the corners are left out, so that more stay alive.
        prove: Whether the prover looks at what passes.
        folder: Where verdicts are kept.

    Raises:
        MutantsError: A bench cannot be built, or fails without a mutant.
        ProofSetupError: The prover cannot be set up.
        ToolMissingError: A tool is not installed.
    """
    every = mutate(library, module).mutants
    alive, found, left_out = chosen(every, module, count, seed), [], set[str]()
    for bench in MODULES[module]:
        if not alive or (quick and found and bench.startswith("corners ")):
            continue
        built = build_bench(
            library, module, BENCHES[bench].op, bench_cases(bench), folder / f"{module}-{bench.replace(' ', '-')}"
        )
        left_out |= built.left_out
        alive = [each for each in alive if each.key not in left_out]
        verdicts = _verdicts(built, bench, [each.number for each in alive], folder)
        by_number = {each.number: each for each in verdicts if each.reason}
        found += [
            Found(each, bench, by_number[each.number].scenario, by_number[each.number].reason)
            for each in alive
            if each.number in by_number
        ]
        alive = [each for each in alive if each.number not in by_number]
    mutated = mutate(library, module, left_out)
    verdicts = _proofs(mutated, MODULES[module][0], alive, folder) if prove and alive else {}
    equivalent = [each for each in alive if verdicts.get(each.number) == EQUIVALENT]
    others = [each for each in alive if each not in equivalent]
    return Result(
        module,
        len(every),
        tuple(found),
        tuple(equivalent),
        tuple((each, why_it_lives(each)) for each in others if why_it_lives(each)),
        tuple((each, verdicts.get(each.number, UNKNOWN)) for each in others if not why_it_lives(each)),
        tuple(sorted(left_out)),
    )


def _proofs(mutated: Mutated, bench: str, alive: Sequence[Mutant], folder: Path) -> dict[int, str]:
    """Return what the prover finds of mutants in all cases of a bench: equivalent where all are."""
    makers = [Path(str(module.__file__)) for module in (benches, op_cases, matrix_cases, equivalence)]
    key = kept.key(mutated.text, bench, tuple(sorted(RTL_FOLDER.glob("*.sv"))), tuple(makers))
    path = folder / "proofs" / f"{mutated.module}.json"
    known = {int(number): verdict for number, verdict in (kept.read_json(path, key) or {}).items()}
    missing = [each.number for each in alive if each.number not in known]
    fresh: dict[int, str] = dict.fromkeys(missing, EQUIVALENT)
    for case in bench_cases(bench):
        asked = [number for number in missing if fresh[number] != VISIBLE]
        for number, proof in zip(asked, equivalence.compare(case, mutated, asked), strict=True):
            if proof.verdict != EQUIVALENT:
                fresh[number] = proof.verdict
    known |= fresh
    kept.write_json(path, key, {str(number): verdict for number, verdict in known.items()})
    return known


def _verdicts(built: Built, bench: str, numbers: Sequence[int], folder: Path) -> list[Verdict]:
    """Return the verdicts of a bench, those that are kept among them."""
    scenarios = tuple(sorted(each for each in _SCENARIOS.glob("*.py") if each.name != "tb_mutants.py"))
    key = kept.key(_RECIPE, built.folder.name, built.work / CASES_FILE, scenarios)
    path = folder / "verdicts" / f"{built.mutated.module}-{bench.replace(' ', '-')}.json"
    known = {int(number): Verdict(*values) for number, values in (kept.read_json(path, key) or {}).items()}
    missing = [number for number in numbers if number not in known]
    for begin in range(0, len(missing), _BATCH):
        for each in run(built, missing[begin : begin + _BATCH]):
            known[each.number] = each
        content = {str(each.number): [each.number, each.scenario, each.reason, each.seconds] for each in known.values()}
        kept.write_json(path, key, content)
    return [known[number] for number in numbers]
