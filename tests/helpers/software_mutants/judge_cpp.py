"""Judges mutants of the C++ headers: the C simulations of all ops against golden, with a mutant chosen at run time.

The cases are those of tests/hls/csim. Each is compiled once with all mutants of a header; those that a compiler has to
know are compiled one by one, without optimisation, which changes no bit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from helpers import layers
from helpers.csim_cases import CASES
from helpers.project import ROOT
from helpers.software_mutants import cpp
from helpers.software_mutants.forks import ENDLESS, limit
from helpers.software_mutants.mutant import REFUSED, Mutant, MutantsError, Verdict
from helpers.software_mutants.survivors import why_it_lives

from quantunet import golden
from quantunet.golden.inference import evaluate
from quantunet.hls.csim import project, simulation
from quantunet.hls.csim.lower.names import unique_names
from quantunet.ir import Graph
from quantunet.random_network import random_image, random_pools, random_windows

_CPP = "hls/csim/cpp"
_HARNESS = ("qun_csim.h", "qun_csim_prefix.h", "qun_weights.h")
"""What all programs share: reads codes and weights. The tests of its refusals judge it, no mutants."""

FILES = tuple(f"{_CPP}/{path.name}" for path in sorted((ROOT / _CPP).glob("qun_*.h")) if path.name not in _HARNESS)
"""The headers of which mutants are made."""

WORK = ROOT / "build" / "mutants_software" / "hls"
_FLAGS = ("-std=c++17", "-O0", "-w", "-pthread")
_WALL, _MEMORY = 60, 3 << 29
_SECONDS = 1, 5
"""Of processor time, of a layer and of a network: hundred times what they take."""

_FRAMES, _MOST_CHANNELS = 3, 100
_REFUSED = re.compile(rf"{cpp.ERRORS}:(\d+):")


@dataclass(frozen=True)
class Case:
    """A C simulation with what it has to give.

    Attributes:
        graph: A layer, or a network.
        frames: Its inputs.
        expected: Its output.
    """

    graph: Graph
    frames: tuple[np.ndarray, ...]
    expected: np.ndarray

    @property
    def folder(self) -> Path:
        """The project of the case as it is."""
        return project.layer_folder(WORK, self.graph.name)


def _case(graph: Graph) -> Case:
    if len(graph.nodes) > 1:
        images = [random_image(graph, seed) for seed in range(2)]
        return Case(graph, (np.stack(images),), np.stack([golden.run(graph, image)[graph.output] for image in images]))
    frames = layers.random_frames(graph, _FRAMES, seed=len(graph.name))
    outputs = [evaluate(graph, graph.nodes[0], list(inputs), plain=True) for inputs in zip(*frames, strict=True)]
    return Case(graph, tuple(frames), np.stack(outputs))


@cache
def cases(header: str) -> tuple[Case, ...]:
    """Return the cases of which the C++ calls what a header holds, small ones first."""
    found = []
    for graph in (*CASES, random_pools(), random_windows()):
        if graph.tensor(graph.inputs[0]).shape[2] > _MOST_CHANNELS:
            continue  # many steps, and nothing new
        folder = project.write(graph, project.layer_folder(WORK, graph.name))
        calls = set(
            re.findall(r"qun::(\w+)<", (folder / "firmware" / f"{_top(graph)}.cpp").read_text(encoding="utf-8"))
        )
        includes = [f"qun_{each}.h" for each in calls]
        if header in includes or any(_includes(each, header) for each in includes):
            found.append(_case(graph))
    return tuple(found)


def _includes(header: str, other: str) -> bool:
    return f'#include "{other}"' in (ROOT / _CPP / header).read_text(encoding="utf-8")


def _top(graph: Graph) -> str:
    return unique_names([graph.name])[0]


@dataclass(frozen=True)
class Program:
    """A compiled case.

    Attributes:
        case: The case.
        path: The program.
    """

    case: Case
    path: Path

    def says(self, number: int) -> str:
        """Return how a mutant is seen; nothing where it is not.

        Args:
            number: The mutant's; 0 for none.
        """
        tensor = self.case.graph.tensor(self.case.graph.output)
        with tempfile.TemporaryDirectory() as name:
            files = [Path(name) / f"input{place}" for place in range(len(self.case.frames))]
            for file, values in zip(files, self.case.frames, strict=True):
                file.write_bytes(values.astype("<i8").tobytes())
            output, weights = Path(name) / "output", self.case.folder / "firmware" / "weights"
            command = [self.path, weights, str(len(self.case.frames[0])), *files, output]
            environment = {**os.environ, cpp.VARIABLE: str(number)}
            limits = partial(limit, _SECONDS[len(self.case.graph.nodes) > 1], _MEMORY)
            try:
                done = subprocess.run(
                    command, env=environment, capture_output=True, timeout=_WALL, check=False, preexec_fn=limits
                )
            except subprocess.TimeoutExpired:
                return ENDLESS
            if done.returncode or done.stdout or done.stderr:
                return (
                    f"exit code {done.returncode} {(done.stderr + done.stdout).decode(errors='replace')[:200]}".strip()
                )
            got = np.frombuffer(output.read_bytes(), "<i8")
        if got.size != self.case.expected.size:
            return f"{got.size} values instead of {self.case.expected.size}"
        wrong = int(np.count_nonzero(got.reshape(self.case.expected.shape) != self.case.expected))
        return f"{wrong} of {got.size} values of {tensor.name} differ" if wrong else ""


class CompileError(RuntimeError):
    """A program does not compile.

    Args:
        said: What the compiler said.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said[-3000:])
        found, called = set(), ""
        for line in said.splitlines():
            place = _REFUSED.search(line)
            if "In instantiation of" in line:
                called = ""
            elif "required from" in line and place and not called:
                called = place[1]
            elif "error:" in line:
                found.add(place[1] if place else called)
        self.numbers = frozenset(int(each) for each in found if each)
        """Mutants that the errors name: they stand there, or in what is called there."""


def _gpp(includes: Sequence[Path], source: Path, output: Path, *language: str) -> None:
    command = ["g++", *_FLAGS, *(f"-I{path}" for path in includes), *language, source, "-o", output]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompileError(done.stderr)


@cache
def _common(firmware: Path) -> Path:
    """Compile what all programs include, without the headers of ops, once; and return the folder that holds it."""
    folder = WORK / "common"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = (ROOT / _CPP / simulation.PREFIX).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "nnet_utils/qun_" not in line]
    (folder / "common.h").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "qun_mutants.h").write_text(cpp.HEADER, encoding="utf-8")
    _gpp([folder, *_include(firmware)], folder / "common.h", folder / "common.h.gch", "-x", "c++-header")
    return folder


def _include(firmware: Path) -> list[Path]:
    return [firmware, firmware / "ap_types", firmware / "nnet_utils", ROOT / _CPP]


def build(case: Case, header: str, text: str, folder: Path) -> Program:
    """Compile a case with another text in the place of a header.

    Args:
        case: The case.
        header: The header's name.
        text: The text.
        folder: For the program.

    Raises:
        CompileError: It does not compile.
    """
    original = case.folder / "firmware"
    firmware = folder / "firmware"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, firmware, ignore=shutil.ignore_patterns("weights_*"))
    (firmware / "nnet_utils" / header).write_text(text, encoding="utf-8")
    common = _common(original)
    main = simulation._MAIN.format(prefix="common.h", top=_top(case.graph))
    (folder / "csim.cpp").write_text(main, encoding="utf-8")
    _gpp([common, *_include(firmware)], folder / "csim.cpp", folder / "csim")
    return Program(case, folder / "csim")


@dataclass(frozen=True)
class Judge:
    """Finds mutants of one header.

    Attributes:
        file: The header, under the project's folder.
        text: What it holds.
    """

    file: str
    text: str

    @property
    def _name(self) -> str:
        return Path(self.file).name

    def mutants(self) -> list[Mutant]:
        """Return all mutants of the header."""
        return list(cpp.mutate(self.text, self.file).mutants.values())

    def judge(self, mutants: Sequence[Mutant], *, quick: bool) -> Iterator[tuple[Mutant, Verdict]]:
        """Yield what becomes of each mutant.

        Args:
            mutants: Some mutants of the header.
            quick: Whether those are left out that a compiler has to know.

        Raises:
            MutantsError: The header as it is does not pass, or no case calls it.
        """
        mutated, folder = cpp.mutate(self.text, self.file), WORK / "programs" / Path(self.file).stem
        if not cases(self._name):
            raise MutantsError(self.file, "no case that calls it")
        wanted = {each.number: each for each in mutants if each.number not in mutated.fixed}
        waiting, refused = dict(wanted), set(mutated.mutants) - set(wanted)
        for case in cases(self._name) if wanted else ():
            fresh = refused.copy()
            program = self._all(mutated, case, folder, refused)
            for number in refused - fresh:
                if number in waiting:
                    yield waiting.pop(number), Verdict(REFUSED, "it does not compile")
            if wrong := program.says(0):
                raise MutantsError(self.file, f"{case.graph.name}: {wrong}")
            for number in list(waiting):
                if said := program.says(number):
                    yield waiting.pop(number), Verdict("C simulation", f"{case.graph.name}: {said}")
        for mutant in waiting.values():
            yield mutant, Verdict("", "")
        for mutant in () if quick else mutants:
            if mutant.number in mutated.fixed:
                few = cases(self._name)[: 1 if why_it_lives(mutant) else None]
                yield mutant, self._alone(mutated.alone(mutant.number), few, folder)

    def _all(self, mutated: cpp.Mutated, case: Case, folder: Path, refused: set[int]) -> Program:
        """Compile a case with all mutants but those that do not compile, which are added."""
        while True:
            try:
                return build(case, self._name, mutated.schemata(refused), folder)
            except CompileError as error:
                if not error.numbers - refused:
                    raise MutantsError(self.file, str(error)) from error
                refused |= error.numbers

    def _alone(self, text: str, every: Sequence[Case], folder: Path) -> Verdict:
        for case in every:
            try:
                program = build(case, self._name, text, folder)
            except CompileError:
                return Verdict(REFUSED, "it does not compile")
            if said := program.says(0):
                return Verdict("C simulation", f"{case.graph.name}: {said}")
        return Verdict("", "")
