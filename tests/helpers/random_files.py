"""Random files, and what the product makes of them; :mod:`helpers.random_session` takes many.

A file is a function of its seed alone. Even seeds are spellings of U-Nets (:mod:`helpers.random_qonnx`), odd ones
networks of every op and scale (:mod:`helpers.random_ops`). The legs:

- ``golden``: what is taken equals the file's exact rational arithmetic, and only what has no such meaning is refused;
  every tensor of the graph, computed plainly and fast, is that of :mod:`helpers.exact_graph`.
- ``schedule``, ``csim``, ``rtl``, ``netlist``: see :mod:`helpers.random_hardware`; in a random folding, for files that
  are taken.

Beside the files there are graphs that no file makes (:mod:`helpers.random_wide`), with the same legs.
"""

from __future__ import annotations

import dataclasses
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from helpers import random_hardware, random_ops, random_qonnx, random_wide
from helpers.exact_graph import differences
from helpers.onnx_compare import laid, output_values, step
from helpers.qonnx_exact import Exact, Executor, NoExactMeaningError
from helpers.random_qonnx import RandomFile
from helpers.random_report import GOLDEN, Report

from quantunet.errors import QuantUNetError
from quantunet.golden.inference import run as golden_run
from quantunet.ir import Array, Graph
from quantunet.pixel_codes import picture_codes, with_pixel_scale
from quantunet.qonnx_import import load
from quantunet.random_network import random_image

LEGS = (GOLDEN, *random_hardware.LEGS)
KINDS = (random_qonnx.generate, random_ops.generate)


def generate(seed: int) -> RandomFile:
    """The file of a seed."""
    number, kind = divmod(seed, len(KINDS))
    return dataclasses.replace(KINDS[kind](number), seed=seed)


@dataclass(frozen=True)
class Verdict:
    """What became of a file.

    Attributes:
        kind: ``exact``, ``refused``, ``wrongly refused``, ``silent``, ``traceback``, or ``wrong`` where golden does
            not compute what the graph says.
        reason: The class of the refusal, or what is wrong.
        compared: Values compared.
        graph: The network of a file that is exact, or of which golden is wrong.
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
        runs = {"golden, fast": taps, "golden, plain": golden_run(graph, codes, plain=True)}
    except (AssertionError, QuantUNetError) as error:
        return Verdict("silent", f"taken, but then: {error}")
    except Exception:  # noqa: BLE001
        return Verdict("traceback", traceback.format_exc(limit=-4))
    inside, wrong = differences(graph, codes, runs)
    if wrong:
        return Verdict("wrong", "; ".join(wrong), inside, graph=graph, codes=codes)
    expected = outputs[0]
    try:
        got = laid(output_values(graph, taps[graph.output], last=file.output_last), expected.shape)
    except AssertionError as error:
        return Verdict("silent", str(error))
    differing = got.differing(expected)
    if differing:
        return Verdict("silent", f"{differing} of {expected.num.size} values differ", expected.num.size)
    return Verdict("exact", compared=expected.num.size + inside, graph=graph, codes=codes)


def add(report: Report, file: RandomFile, verdict: Verdict) -> None:
    """Count one file."""
    ops = () if verdict.graph is None else {node.op for node in verdict.graph.nodes}
    report.add_file(file.level, verdict.kind, verdict.reason, verdict.compared, ops)
    if verdict.failed:
        report.fail(file.seed, GOLDEN, f"{verdict.kind}: {verdict.reason}\n  {file}")


def check(seeds: Iterable[int], folder: Path, make: Callable[[int], RandomFile] = generate) -> Report:
    """Judge the files of some seeds."""
    report = Report()
    for seed in seeds:
        file = make(seed)
        add(report, file, judge(file, folder))
    return report


def take(
    seed: int, legs: Sequence[str], folder: Path, jobs: int = 1, make: Callable[[int], RandomFile] = generate
) -> Report:
    """Judge the file of a seed, and take its network through the legs."""
    report, file = Report(), make(seed)
    verdict = judge(file, folder)
    add(report, file, verdict)
    if verdict.kind == "exact" and verdict.graph is not None and verdict.codes is not None:
        _through(report, verdict.graph, verdict.codes, seed, legs, folder, jobs, str(file))
    return report


def take_graph(seed: int, legs: Sequence[str], folder: Path, jobs: int = 1) -> Report:
    """Take the graph of a seed, which no file makes, through golden and the legs."""
    report, graph = Report(), random_wide.generate(seed)
    image, said = random_image(graph, seed), f"graph {seed}: {' '.join(node.op for node in graph.nodes)}"
    runs = {"golden, fast": golden_run(graph, image), "golden, plain": golden_run(graph, image, plain=True)}
    compared, wrong = differences(graph, image, runs)
    report.add_file("graph", "wrong" if wrong else "exact", "", compared, {node.op for node in graph.nodes})
    if wrong:
        report.fail(seed, GOLDEN, f"wrong: {'; '.join(wrong)}\n  {said}")
    else:
        _through(report, graph, image, seed, legs, folder, jobs, said)
    return report


def _through(
    report: Report, graph: Graph, image: Array, seed: int, legs: Sequence[str], folder: Path, jobs: int, said: str
) -> None:
    """Take a network through all legs but golden."""
    chosen = [leg for leg in legs if leg != GOLDEN]
    if not chosen:
        return
    try:
        network = random_hardware.Network(graph, image, seed, folder, jobs)
    except QuantUNetError as error:
        report.fail(seed, "no folding", f"{error}\n  {said}")
        return
    for leg in chosen:
        found = network.run(leg)
        report.add_leg(leg, found.compared, found.left_out, len(found.problems))
        for problem in found.problems:
            report.fail(seed, leg, f"{problem}\n  {said}")


SOURCES: Mapping[str, Callable[[int, Sequence[str], Path, int], Report]] = {"files": take, "graphs": take_graph}
"""What a seed is taken as: a file, or a graph of :mod:`helpers.random_wide`."""
