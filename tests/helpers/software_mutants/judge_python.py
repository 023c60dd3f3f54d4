"""Judges mutants of golden: examples, then networks against exact fractions, then the tests of the room.

Each mutant has a process of its own, a fork of this one, which imports the project anew with the mutant in it. What the
networks have to give is computed before, by :mod:`helpers.exact_graph`, which knows nothing of golden.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import exact_graph, random_wide
from helpers.csim_cases import small_layers
from helpers.project import ROOT
from helpers.random_graphs import random_graph
from helpers.software_mutants import python
from helpers.software_mutants.forks import Limits, exchange, forked
from helpers.software_mutants.mutant import Mutant, MutantsError, Verdict
from helpers.software_mutants.survivors import why_it_lives

from quantunet.golden.codes import code_dtype
from quantunet.ir import Graph
from quantunet.random_network import random_image, random_pools, random_windows

_MODULES = ("codes", "cores", "fast", "histogram", "masked", "matrix", "scratch", "table", "taps", "windows")
_OPS = sorted(path.name for path in (ROOT / "golden" / "ops").glob("*.py") if path.name != "__init__.py")

FILES = (
    "src/quantunet/rounding.py",
    *(f"golden/ops/{name}" for name in _OPS),
    *(f"golden/{name}.py" for name in _MODULES),
)
"""What mutants are made of: the rounding, golden's ops, and what they are computed with."""

_NO_OP = ("golden/histogram.py", "golden/masked.py", "golden/taps.py")
"""What no network calls: examples and tests alone judge it."""

_MORE_TESTS = {
    "src/quantunet/rounding.py": ("tests/golden/test_requant.py",),
    "golden/matrix.py": ("tests/golden/test_fast.py",),
    "golden/cores.py": ("tests/golden/test_fast.py",),
    "golden/masked.py": ("tests/golden/test_smallest_area.py", "tests/golden/test_probabilities.py"),
    "golden/taps.py": ("tests/root/test_npz.py",),
}
_NETWORKS = ("test_exact_graph.py",)
"""The test of which :func:`networks` is a part."""

_CASES = Limits(cpu=20, wall=45)
_TESTS = Limits(cpu=60, wall=240)
_EXAMPLE = "an example"
_BATCH = 5
_SMALL_STRIPS = 7, 1
"""Pixels and floats of strips, as in tests/golden/test_fast.py."""

_WIDE, _NARROW = 150, 20
"""Random networks of each kind; the first number is that of tests/golden/test_exact_graph.py."""


_PASSED: set[frozenset[str]] = set()
"""Sets of tests that pass in this process."""


@dataclass(frozen=True)
class Network:
    """A network with what it has to give.

    Attributes:
        ops: Its ops.
        graph: The graph, pickled: a child has classes of its own.
        images: Its inputs, of which there are two.
        expected: All tensors of each image.
        types: The type of the codes of each tensor.
    """

    ops: frozenset[str]
    graph: bytes
    images: tuple[np.ndarray, ...]
    expected: tuple[dict[str, np.ndarray], ...]
    types: dict[str, np.dtype[np.integer]]


def _network(graph: Graph, seed: int) -> Network:
    images = tuple(random_image(graph, each) for each in (seed, seed + 1))
    expected = tuple(exact_graph.run(graph, image) for image in images)
    types = {tensor.name: code_dtype(tensor.qtype) for tensor in graph.tensors}
    return Network(frozenset(node.op for node in graph.nodes), pickle.dumps(graph), images, expected, types)


def networks(wide: int = _WIDE, narrow: int = _NARROW) -> list[Network]:
    """Return the networks of all comparisons, so many random ones of each kind, two of windows, and single layers."""
    graphs = [random_wide.generate(seed) for seed in range(wide)]
    graphs += [random_graph(seed) for seed in range(narrow)]
    graphs += [random_windows(), random_pools(), *small_layers()]
    return [_network(graph, seed) for seed, graph in enumerate(graphs)]


def module_of(file: str) -> str:
    """Return the module that a file is."""
    return "quantunet." + file.removeprefix("src/quantunet/").removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Judge:
    """Finds mutants of one file.

    Attributes:
        file: The file, under the project's folder.
        text: What it holds.
        every: The networks of :func:`networks`.
    """

    file: str
    text: str
    every: Sequence[Network]

    def mutants(self) -> list[Mutant]:
        """Return all mutants of the file."""
        return python.mutants(self.text, self.file)

    def judge(self, mutants: Sequence[Mutant], *, quick: bool) -> Iterator[tuple[Mutant, Verdict]]:
        """Yield what becomes of each mutant; one with a reason to live meets the networks alone.

        Args:
            mutants: Some mutants of the file.
            quick: Whether the tests are left out; what would meet them is not judged then.

        Raises:
            MutantsError: The file as it is does not pass.
        """
        if wrong := self.compared(0):
            raise MutantsError(self.file, wrong)
        waiting = []
        for each in mutants:
            if said := self.compared(each.number):
                yield each, Verdict("examples" if said == _EXAMPLE else "networks", said)
            elif why_it_lives(each):
                yield each, Verdict("", "")
            else:
                waiting.append(each)
        for each in () if quick else waiting:
            self._pass()
            said = self.tested(each.number)
            yield each, Verdict("tests" if said else "", said)

    def compared(self, number: int) -> str:
        """Return which example or network finds a mutant, and what it said; nothing where none does.

        Args:
            number: The mutant's; 0 for the file as it is.
        """
        return forked(lambda: self._compared(number), _CASES)

    def tested(self, number: int) -> str:
        """Return which test finds a mutant; nothing where none does."""
        groups = (forked(lambda tests=tests: self._tested(number, tests), _TESTS) for tests in self.tests())
        return next((said for said in groups if said), "")

    def _pass(self) -> None:
        """Run the tests without a mutant, once in a process for each set of tests."""
        tests = frozenset(each for tests in self.tests() for each in tests)
        if tests not in _PASSED:
            if wrong := self.tested(0):
                raise MutantsError(self.file, wrong)
            _PASSED.add(tests)

    def _exchange(self, number: int) -> str:
        tree = python.mutated(self.text, number) if number else ast.parse(self.text)
        name = module_of(self.file)
        exchange(name, str(ROOT / self.file), compile(tree, str(ROOT / self.file), "exec"))
        return name

    def _compared(self, number: int) -> str:
        module: Any = importlib.import_module(self._exchange(number))
        told = io.StringIO()
        with redirect_stdout(told), redirect_stderr(told):
            if doctest.testmod(module).failed:
                return _EXAMPLE
        op = Path(self.file).stem
        for network in sorted(
            () if self.file in _NO_OP else self.every, key=lambda each: op not in each.ops
        ):  # the op's own ones first
            if difference := different(network):
                return difference
        return ""

    def _tested(self, number: int, tests: Sequence[str]) -> str:
        self._exchange(number)
        sys.path[:0] = [str(ROOT / "tests")]
        failed = _Failed()
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
        code = pytest.main([*options, *tests], plugins=[failed])
        return failed.name or ("" if code == pytest.ExitCode.OK else f"pytest {int(code)}")

    def tests(self) -> tuple[list[str], ...]:
        """Return the test files that judge what the networks do not find: the file's own, then the others."""
        room = ROOT / "tests" / "golden"
        own = [room / f"test_{Path(self.file).stem}.py", *(ROOT / each for each in _MORE_TESTS.get(self.file, ()))]
        own = [each for each in own if each.is_file()]
        others = [each for each in sorted(room.glob("test_*.py")) if each not in own and each.name not in _NETWORKS]
        return tuple([str(each) for each in group] for group in (own, others) if group)


def different(network: Network) -> str:
    """Return what golden of this process computes otherwise, nothing where all is the same."""
    golden = importlib.import_module("quantunet.golden")
    names = ("cores", "fast", "matrix")
    cores, fast, matrix = (importlib.import_module(f"quantunet.golden.{name}") for name in names)
    usual = matrix._STRIP_PIXELS, matrix._STRIP_FLOATS
    graph = pickle.loads(network.graph)  # noqa: S301 made above
    wide = dict.fromkeys(network.types, np.dtype(np.int64))
    taps = golden.run(graph, network.images[0], plain=True)
    if wrong := _first_wrong(taps, network.expected[0], wide):
        return f"{graph.name}, plain: {wrong}"
    batch = {graph.input: network.images[0][None].astype(network.types[graph.input])}
    taps = {name: values[0] for name, values in fast.evaluate(graph, graph.nodes, batch).items()}
    if wrong := _first_wrong(taps, network.expected[0], network.types):
        return f"{graph.name}, fast: {wrong}"
    names = [tensor.name for tensor in graph.tensors]
    cores.WORKERS = 1 + len(names) % 4
    places = [each % len(network.images) for each in range(_BATCH)]
    for size in ("usual", "small"):
        kept = golden.run_batch(graph, [network.images[place] for place in places], names)
        for index, place in enumerate(places):
            taps = {name: values[index] for name, values in kept.items()}
            if wrong := _first_wrong(taps, network.expected[place], wide):
                return f"{graph.name}, image {index} of a batch in {size} strips: {wrong}"
        matrix._STRIP_PIXELS, matrix._STRIP_FLOATS = _SMALL_STRIPS
    matrix._STRIP_PIXELS, matrix._STRIP_FLOATS = usual
    return ""


def _first_wrong(
    taps: Mapping[str, Any], expected: Mapping[str, np.ndarray], types: Mapping[str, np.dtype[np.integer]]
) -> str:
    for name, values in expected.items():
        got = np.asarray(taps[name])
        if got.dtype != types[name] or got.shape != values.shape or (got != values).any():
            return name
    return ""


class _Failed:
    """Keeps the name of the first test that fails."""

    name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid
