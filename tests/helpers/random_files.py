"""Random files, and what the product makes of them: ``nox -s random_files``.

``nox -s random_files -- --seconds 3600 --seed 7 --legs golden,schedule,csim,rtl`` takes files 7, 8, 9, … for an hour.
A file is a function of its seed alone, so that ``--seed N --count 1`` gives the one that failed again, and the seed
that the end names goes on where a run was stopped. Even seeds are spellings of U-Nets (:mod:`helpers.random_qonnx`),
odd ones networks of every op and scale (:mod:`helpers.random_ops`). The legs:

- ``golden``: what is taken equals the file's exact rational arithmetic, and only what has no such meaning is refused.
- ``schedule``, ``csim``, ``rtl``: see :mod:`helpers.random_hardware`; in a random folding, for files that are taken.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import logging
import math
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from helpers import random_hardware, random_ops, random_qonnx
from helpers.onnx_compare import laid, output_values, step
from helpers.qonnx_exact import Exact, Executor, NoExactMeaningError
from helpers.random_qonnx import RandomFile

from quantunet.errors import QuantUNetError
from quantunet.golden.inference import run as golden_run
from quantunet.ir import Array, Graph
from quantunet.pixel_codes import picture_codes, with_pixel_scale
from quantunet.qonnx_import import load

GOLDEN = "golden"
LEGS = (GOLDEN, *random_hardware.LEGS)
KINDS = (random_qonnx.generate, random_ops.generate)
_EVERY = 10
"""Seconds between two lines of progress."""


def generate(seed: int) -> RandomFile:
    """The file of a seed."""
    number, kind = divmod(seed, len(KINDS))
    return dataclasses.replace(KINDS[kind](number), seed=seed)


@dataclass(frozen=True)
class Verdict:
    """What became of a file.

    Attributes:
        kind: ``exact``, ``refused``, ``wrongly refused``, ``silent`` or ``traceback``.
        reason: The class of the refusal, or what is wrong.
        compared: Values compared.
        graph: The network of a file that is exact.
        codes: What its picture is for the network.
    """

    kind: str
    reason: str = ""
    compared: int = 0
    graph: Graph | None = field(default=None, compare=False)
    codes: Array | None = field(default=None, compare=False)

    @property
    def failed(self) -> bool:
        """Whether the product is at fault."""
        return self.kind not in ("exact", "refused")


def input_codes(value: Exact, graph: Graph) -> npt.NDArray[np.int64]:
    """The codes of the graph's input, from the exact value of the file's input quantizer.

    Raises:
        AssertionError: The graph's input type does not hold these values.
    """
    codes = value.fractions() / step(graph, graph.input)
    assert all(code.denominator == 1 for code in codes.ravel()), (
        f"the input {graph.tensor(graph.input)} does not hold the values of the file"
    )
    integers = np.array([int(code) for code in codes.ravel()], dtype=np.int64).reshape(codes.shape)
    integers = {2: integers[..., None, None], 3: integers[:, :, None]}.get(len(codes.shape), integers)
    assert integers.ndim == 4, f"an input of {codes.shape}"
    return np.ascontiguousarray(integers[0].transpose(1, 2, 0))


def _same_codes(codes: npt.NDArray[np.int64], value: Exact, graph: Graph) -> bool:
    try:
        return bool(np.array_equal(codes, input_codes(value, graph)))
    except AssertionError:
        return False


def judge(file: RandomFile, folder: Path, loader: Callable[[Path], Graph] = load) -> Verdict:
    """Give a file to the product and compare what it computes with what the file means."""
    path = folder / f"file{file.seed}.onnx"
    path.write_bytes(file.model.SerializeToString())
    try:
        executor = Executor(file.model, file.feeds())
        outputs = [executor[name] for name in executor.outputs]
        meaning = ""
    except NoExactMeaningError as error:
        meaning = str(error)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            graph = loader(path)
    except QuantUNetError as error:
        reason = f"{type(error).__name__}: {error}"
        excused = file.level not in ("plain", "asked") or meaning or (file.excuse and file.excuse in reason)
        return Verdict("refused" if excused else "wrongly refused", reason)
    except Exception:  # noqa: BLE001 - whatever it is, it is the finding
        return Verdict("traceback", traceback.format_exc(limit=-4))
    finally:
        path.unlink()
    if meaning:
        return Verdict("silent", f"taken, but: {meaning}")
    try:
        codes = picture_codes(with_pixel_scale(graph, file.pixel), file.image)
        if file.quantised and not any(_same_codes(codes, executor[name], graph) for name in file.quantised):
            return Verdict(
                "silent", f"Graph.pixels {graph.pixels} with {graph.tensor(graph.input).qtype} gives other codes"
            )
        taps = golden_run(graph, codes)
    except (AssertionError, QuantUNetError) as error:
        return Verdict("silent", f"taken, but then: {error}")
    except Exception:  # noqa: BLE001
        return Verdict("traceback", traceback.format_exc(limit=-4))
    expected = outputs[0]
    try:
        got = laid(output_values(graph, taps[graph.output], last=file.output_last), expected.shape)
    except AssertionError as error:
        return Verdict("silent", str(error))
    differing = got.differing(expected)
    if differing:
        return Verdict("silent", f"{differing} of {expected.num.size} values differ", expected.num.size)
    return Verdict("exact", compared=expected.num.size, graph=graph, codes=codes)


@dataclass
class Report:
    """Counts over many files.

    Attributes:
        kinds: Files by verdict.
        reasons: Refused files by the class of the refusal.
        levels: Files by level and verdict.
        ops: Networks that have an op, by its stem.
        passed: Networks that passed a leg.
        compared: Values compared in a leg.
        failures: What is wrong, each with the file.
    """

    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    reasons: collections.Counter[str] = field(default_factory=collections.Counter)
    levels: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    ops: collections.Counter[str] = field(default_factory=collections.Counter)
    passed: collections.Counter[str] = field(default_factory=collections.Counter)
    compared: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, file: RandomFile, verdict: Verdict) -> None:
        """Count one file."""
        self.kinds[verdict.kind] += 1
        self.levels[file.level, verdict.kind] += 1
        self.compared[GOLDEN] += verdict.compared
        self.passed[GOLDEN] += verdict.kind == "exact"
        if verdict.graph is not None:
            self.ops.update({node.op for node in verdict.graph.nodes})
        if "refused" in verdict.kind:
            self.reasons[verdict.reason.split(":")[0]] += 1
        if verdict.failed:
            self.failures.append(f"{verdict.kind}: {verdict.reason}\n  {file}")

    def add_leg(self, file: RandomFile, leg: str, found: random_hardware.Found) -> None:
        """Count one network in one leg."""
        self.compared[leg] += found.compared
        self.passed[leg] += bool(found.compared) and not found.problems
        self.failures += [f"{leg}: {problem}\n  {file}" for problem in found.problems]


def check(seeds: Iterable[int], folder: Path, make: Callable[[int], RandomFile] = generate) -> Report:
    """Judge the files of some seeds."""
    report = Report()
    for seed in seeds:
        file = make(seed)
        report.add(file, judge(file, folder))
    return report


def take(seed: int, legs: Sequence[str], folder: Path, report: Report, jobs: int = 1) -> None:
    """Judge the file of a seed, and take its network through the legs."""
    file = generate(seed)
    verdict = judge(file, folder)
    report.add(file, verdict)
    chosen = [leg for leg in legs if leg != GOLDEN]
    if verdict.graph is None or verdict.codes is None or not chosen:
        return
    try:
        network = random_hardware.Network(verdict.graph, verdict.codes, seed, folder, jobs)
    except QuantUNetError as error:
        report.failures.append(f"no folding: {error}\n  {file}")
        return
    for leg in chosen:
        report.add_leg(file, leg, network.run(leg))


def _summary(report: Report, legs: Sequence[str], seconds: float) -> str:
    lines = [f"{sum(report.kinds.values())} files in {seconds:.0f} s"]
    lines += [f"  {kind}: {number}" for kind, number in report.kinds.most_common()]
    lines += ["networks and values by leg:"]
    lines += [f"  {leg}: {report.passed[leg]} passed, {report.compared[leg]} values compared" for leg in legs]
    lines += ["networks by op:", "  " + ", ".join(f"{op} {number}" for op, number in report.ops.most_common())]
    lines += ["refused by:", *(f"  {reason}: {number}" for reason, number in report.reasons.most_common())]
    lines += ["by level:", *(f"  {level}, {kind}: {number}" for (level, kind), number in sorted(report.levels.items()))]
    return "\n".join(lines)


def _legs(text: str) -> tuple[str, ...]:
    named = text.split(",")
    unknown = [leg for leg in named if leg not in LEGS]
    if unknown:
        message = f"{unknown[0]!r} is none of {', '.join(LEGS)}"
        raise argparse.ArgumentTypeError(message)
    return tuple(leg for leg in LEGS if leg in named or leg == GOLDEN)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s random_files --", description="Judge random files.")
    parser.add_argument("--seed", type=int, default=0, help="the first file (default: 0)")
    parser.add_argument("--count", type=int, help="files (default: 1000, or as many as --seconds allow)")
    parser.add_argument("--seconds", type=float, help="begin no other file after so many seconds")
    parser.add_argument("--legs", type=_legs, default=(GOLDEN,), help=f"of {','.join(LEGS)} (default: {GOLDEN})")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="compilers at a time (default: one a core)"
    )
    parser.add_argument("--text", action="store_true", help="print the files too")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge many files; 1 if anything is wrong with one of them, or nothing was compared in a leg."""
    options = _parser().parse_args(arguments)
    end = options.seed + (options.count or (1000 if options.seconds is None else sys.maxsize))
    write, report = sys.stdout.write, Report()
    begin = said = time.monotonic()
    until = begin + (math.inf if options.seconds is None else options.seconds)
    seed, shown = options.seed, 0
    with tempfile.TemporaryDirectory(prefix="random_files") as folder:
        try:
            while seed < end and time.monotonic() < until:
                if options.text:
                    write(f"{onnx.printer.to_text(generate(seed).model)}\n")
                take(seed, options.legs, Path(folder), report, options.jobs)
                seed += 1
                for failure in report.failures[shown:]:
                    write(f"{failure}\n")
                shown = len(report.failures)
                if time.monotonic() - said > _EVERY:
                    said = time.monotonic()
                    legs = ", ".join(f"{leg} {report.passed[leg]}" for leg in options.legs)
                    write(f"{seed - options.seed} files, {shown} failures; passed {legs}; next seed {seed}\n")
                sys.stdout.flush()
        except KeyboardInterrupt:
            write("stopped\n")
    write(f"{_summary(report, options.legs, time.monotonic() - begin)}\nnext seed: {seed}\n")
    return int(bool(report.failures) or any(report.compared[leg] == 0 for leg in options.legs))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # of the whole process; what is refused is counted
    sys.exit(main())
