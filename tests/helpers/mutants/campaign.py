"""Puts mutants by machine into the SystemVerilog library and shows which bench finds each: ``nox -s mutants``.

Verdicts are kept by the content of what was simulated, so that a run that was broken off goes on where it was.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.benches.cases import Case
from helpers.mutants import equivalence
from helpers.mutants.bench import scenario_files
from helpers.mutants.benches import BENCHES, MODULES, is_small
from helpers.mutants.equivalence import EQUIVALENT, UNKNOWN
from helpers.mutants.generate import Mutant, Mutated, mutate
from helpers.mutants.library import Library
from helpers.mutants.simulate import build_bench, run
from helpers.mutants.survivors import why_it_lives

from quantunet import cache as kept
from quantunet.hls.generate.rtl_project import RTL_FOLDER

FOLDER = Path(__file__).resolve().parents[3] / "build" / "mutants"
_BATCH = 200
_RECIPE = 2  # count up when the way of judging changes


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
        equivalent: Those that passed, and of which it is proven that no input shows them in the cases that ran.
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
    """Return the cases of a bench; none where it is not that of an op."""
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
    *,
    seed: int,
    quick: bool = False,
    prove: bool = True,
    folder: Path = FOLDER,
) -> Result:
    """Run benches on mutants of a module until one finds each; what has a reason to live meets the small ones alone.

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
    alive, found, refused, ran = chosen(every, module, count, seed), [], set[str](), list[str]()
    for bench in MODULES[module]:
        if not alive or (quick and found and not is_small(bench)):
            continue
        ran.append(bench)
        kind = _Kept.of(module, bench, folder)
        tried = [each for each in alive if is_small(bench) or not why_it_lives(each)]
        kind.judge(library, every, [each for each in tried if each.key not in kind.known])
        refused |= kind.refused
        caught = {each.key for each in tried if each.key not in refused and kind.known[each.key][1]}
        found += [Found(each, bench, *kind.known[each.key]) for each in alive if each.key in caught]
        alive = [each for each in alive if each.key not in caught | refused]
    provable = prove and all(bench_cases(each) for each in ran)
    proofs = dict.fromkeys((each.key for each in alive), EQUIVALENT if provable else UNKNOWN)
    for bench in (each for each in ran if provable and f"corners {each}" not in ran):
        asked = [each for each in alive if proofs[each.key] == EQUIVALENT]
        proofs |= _proofs(mutate(library, module, refused), bench, asked, folder)
    equivalent = [each for each in alive if proofs[each.key] == EQUIVALENT]
    others = [each for each in alive if each not in equivalent]
    return Result(
        module,
        len(every),
        tuple(found),
        tuple(equivalent),
        tuple((each, why_it_lives(each)) for each in others if why_it_lives(each)),
        tuple((each, proofs[each.key]) for each in others if not why_it_lives(each)),
        tuple(sorted(refused)),
    )


@dataclass
class _Kept:
    """Verdicts of one bench on one module, which are kept in a file.

    Attributes:
        module: The module.
        bench: The bench.
        path: The file.
        key: Of all that was simulated, the mutants apart.
        known: Scenario and reason by the key of a mutant; empty where it passed.
        refused: Keys of mutants that do not compile.
    """

    module: str
    bench: str
    path: Path
    key: str
    known: dict[str, tuple[str, str]]
    refused: set[str]

    @classmethod
    def of(cls, module: str, bench: str, folder: Path) -> _Kept:
        """Return what is kept, if anything is."""
        path = folder / "verdicts" / f"{_name(module, bench)}.json"
        key = _bench_key(bench)
        content = kept.read_json(path, key) or {"known": {}, "refused": []}
        known = {each: (scenario, reason) for each, (scenario, reason) in content["known"].items()}
        return cls(module, bench, path, key, known, set(content["refused"]))

    def judge(self, library: Library, every: Sequence[Mutant], missing: Sequence[Mutant]) -> None:
        """Run the bench on mutants of which nothing is known; no others are built."""
        missing = [each for each in missing if each.key not in self.refused]
        for begin in range(0, len(missing), _BATCH):
            wanted = {each.key: each.number for each in missing[begin : begin + _BATCH]}
            left_out = {each.key for each in every} - set(wanted)
            work = self.path.parents[1] / _name(self.module, self.bench)
            built = build_bench(library, self.module, BENCHES[self.bench], work, left_out | self.refused)
            self.refused |= {each for each in wanted if each in built.refused}
            numbers = {number: each for each, number in wanted.items() if each not in self.refused}
            for verdict in run(built, list(numbers)):
                self.known[numbers[verdict.number]] = (verdict.scenario, verdict.reason)
            kept.write_json(self.path, self.key, {"known": self.known, "refused": sorted(self.refused)})


def _name(module: str, bench: str) -> str:
    return f"{module}-{bench.replace(' ', '-')}"


@cache
def _bench_key(name: str) -> str:
    """Return the key of everything that a bench consists of: hardware, memories, frames and scenarios."""
    bench = BENCHES[name]
    with tempfile.TemporaryDirectory() as folder:
        design = bench.design(RTL_FOLDER, Path(folder))
        written = {path.name: path for path in Path(folder).iterdir()}
        return kept.key(_RECIPE, design, written, bench.tests, scenario_files(bench))


def _proofs(mutated: Mutated, bench: str, alive: Sequence[Mutant], folder: Path) -> dict[str, str]:
    """Return what the prover finds of mutants in all cases of a bench: equivalent where all are."""
    key = kept.key(_bench_key(bench), Path(equivalence.__file__))
    path = folder / "proofs" / f"{_name(mutated.module, bench)}.json"
    known: dict[str, str] = kept.read_json(path, key) or {}
    missing = [each for each in alive if each.key not in known]
    fresh = {each.key: EQUIVALENT for each in missing}
    for case in bench_cases(bench):
        asked = [each for each in missing if fresh[each.key] == EQUIVALENT]
        for each, proof in zip(asked, equivalence.compare(case, mutated, [one.number for one in asked]), strict=True):
            fresh[each.key] = proof.verdict
    known |= fresh
    kept.write_json(path, key, known)
    return {each.key: known[each.key] for each in alive}
