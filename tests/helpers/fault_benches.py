"""Put every fault into the library and see that its bench finds it: ``nox -s faults``.

Each bench first runs without a fault and must pass: what fails anyway finds nothing. A fault counts as found where a
value, a cycle or a promise is wrong in the simulation; one that does not build has not been looked for. Verdicts are
kept by the content of hardware and benches, so that a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from helpers import op_cases, serial_device
from helpers.benches.cases import TOP, Case, write_cases
from helpers.faults import FAULTS, Fault, library_with, misfits
from helpers.matrix_cases import (
    CONV2D,
    CONV2D_CONSTANT,
    CONV_TRANSPOSE2D,
    WINDOW_CONV2D,
    case_of,
    extremes,
    pairs,
)
from helpers.project import ROOT
from helpers.rtl import BUILD_ROOT, bench_module
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from quantunet import cache as kept
from quantunet import golden
from quantunet.errors import QuantUNetError, ToolFailedError
from quantunet.hls.choose.default import default_folding
from quantunet.ir import QType
from quantunet.processes import Pool
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim.cosim import Options, cosim
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.rtl_sim.report import BROKEN
from quantunet.rtl_sim.verilator import ASSERTIONS, build, prepare, run_cocotb
from quantunet.storage import write_text

Bench = Callable[[Path, Path], str | None]
"""Given a library and a working folder, what failed; ``None`` where everything passed."""

KEPT = ROOT / "build" / "faults" / "verdicts.json"
"""Verdicts of earlier runs."""

_TOO_LONG = 600  # seconds of one simulation
_CODE = {
    "hls": ("**/*.py", "**/*.sv", "**/*.svh", "**/*.j2", "**/*.cpp"),
    "rtl_sim": ("**/*.py", "**/*.sv", "**/*.j2", "**/*.cpp"),
    "golden": ("**/*.py",),
    "src/quantunet": ("**/*.py",),
    "tests/helpers": ("*.py", "benches/*.py", "benches/*.sv", "benches/*.j2"),
}
_STOPPED = re.compile(r"%(?:Error|Fatal)[^\n]*")


@cache
def _cases(name: str) -> list[Case]:
    makers: dict[str, Callable[[], list[Case]]] = {
        "conv2d": lambda: [case_of(CONV2D[0], 0), case_of(CONV2D[2], 2), case_of(CONV2D[15], 3)],
        "conv2d_constant": lambda: [
            case_of(CONV2D_CONSTANT[0], 0),
            case_of(CONV2D_CONSTANT[8], 2),
            case_of(CONV2D_CONSTANT[-2], 3),
        ],
        "conv_transpose2d": lambda: [
            case_of(CONV_TRANSPOSE2D[0], 0),
            case_of(CONV_TRANSPOSE2D[2], 2),
            case_of(CONV_TRANSPOSE2D[3], 3),
        ],
        "window_conv2d": lambda: [case_of(WINDOW_CONV2D[place], place) for place in (1, 5, 6, 11, 14, 18)],
        "pair_products": lambda: [case for case in [extremes(QType(4, True, 0), 4, 4, 4, "folded-dsp")] if pairs(case)],
        "maxpool2d": lambda: op_cases.maxpool2d_cases()[1:3],
        "global_pool2d": lambda: [op_cases.global_pool2d_cases()[case] for case in (0, 4, 5)],
        "window_pool2d": lambda: [op_cases.window_pool2d_cases()[case] for case in (2, 3, 4, 5)],
        "depthwise_conv2d": lambda: [op_cases.depthwise_conv2d_cases()[case] for case in (0, 1, 2, 5)],
        "requant": lambda: op_cases.requant_cases()[0:4],
        "concat": lambda: op_cases.concat_cases()[1:3],
        "add": lambda: op_cases.add_cases()[2:5],
        "maximum": lambda: op_cases.maximum_cases()[0:2],
        "multiply": lambda: op_cases.multiply_cases()[0:2],
        "argmax": lambda: op_cases.argmax_cases()[0:2],
        "smallest_area": lambda: [op_cases.smallest_area_cases()[index] for index in (0, 1, 2, 4)],
        "affine": lambda: [op_cases.affine_cases()[index] for index in (0, 3, 7, 9)],
        "add_gains": lambda: op_cases.add_cases()[7:],
        "pad": lambda: op_cases.pad_cases()[0:4],
        "crop": lambda: op_cases.crop_cases()[0:4],
        "resize_nearest": lambda: op_cases.resize_nearest_cases()[0:3],
        "resize_nearest_deep": lambda: op_cases.resize_nearest_cases()[-1:],
        "resize_bilinear": lambda: [op_cases.resize_bilinear_cases()[index] for index in (0, 1, 4)],
        "depth_to_space": lambda: [op_cases.depth_to_space_cases()[index] for index in (0, 1, 4)],
        "lookup": lambda: op_cases.lookup_cases()[1:3],
        "fork": lambda: op_cases.fork_cases()[0:2],
        "fifo": lambda: op_cases.fifo_cases()[1:5],
        "fifo_deep": lambda: op_cases.fifo_cases()[-1:],
        "width_adapter": lambda: op_cases.width_adapter_cases()[3:5],
    }
    return makers[name]()


def _module(op: str, name: str, library: Path, work: Path) -> str | None:
    """Run the scenarios of one op on a few cases."""
    sources = write_cases(_cases(name), work, rtl_folder=library)
    built = build(sources, TOP, {}, BUILD_ROOT, flags=ASSERTIONS, quick=True)
    try:
        result = run_cocotb(built, bench_module(op), TOP, work, seed=1, check=False, timeout=_TOO_LONG)
    except ToolFailedError as error:
        stopped = _STOPPED.search(error.got)  # an assertion of the hardware's own has ended the simulation
        if stopped is None:
            raise
        return stopped[0]
    failed = [test.name.rsplit(".", 1)[-1] for test in result.tests if not test.passed]
    return ", ".join([*failed, *result.broken[:1]]) or None


def _serial(library: Path, work: Path) -> str | None:
    """Run the serial side of a board that sends masks."""
    return serial_device.failures([shape for shape in serial_device.SHAPES if shape.name == "mask"], work, library)


def _serial_values(library: Path, work: Path) -> str | None:
    """Run the serial side of a board that sends values of two bytes."""
    return serial_device.failures([shape for shape in serial_device.SHAPES if shape.name == "wide"], work, library)


def _cosim(library: Path, work: Path) -> str | None:
    """Run one layer of a network at its true shape."""
    graph = random_unet(base=4, depth=1, size=8, seed=3)
    options = Options(("dec0_conv0",), legs=("rtl",), jobs=1, rtl_folder=library, builds=BUILD_ROOT, waveforms=False)
    report = cosim(graph, random_image(graph), default_folding(graph), work, options)
    (layer,) = report.layers
    if layer.rtl == BROKEN:
        raise ToolFailedError(layer.name, expected="a comparison", got="; ".join(layer.problems))
    return None if report.passed else layer.problems[0]


def _network(library: Path, work: Path) -> str | None:
    """Run a whole network, one frame."""
    graph = random_unet(base=2, depth=2, size=16, seed=5)
    setup = Setup(graph, default_folding(graph), work, BUILD_ROOT, rtl_folder=library)
    result = run_network(setup, [golden.run(graph, random_image(graph))]).bench
    return None if result.passed else result.problems[0]


BENCHES: dict[str, Bench] = {
    "conv2d": partial(_module, "conv2d", "conv2d"),
    "conv2d_constant": partial(_module, "conv2d", "conv2d_constant"),
    "conv_transpose2d": partial(_module, "conv_transpose2d", "conv_transpose2d"),
    "window_conv2d": partial(_module, "window_conv2d", "window_conv2d"),
    "pair_products": partial(_module, "conv2d", "pair_products"),
    "maxpool2d": partial(_module, "maxpool2d", "maxpool2d"),
    "global_pool2d": partial(_module, "global_pool2d", "global_pool2d"),
    "window_pool2d": partial(_module, "window_pool2d", "window_pool2d"),
    "depthwise_conv2d": partial(_module, "depthwise_conv2d", "depthwise_conv2d"),
    "requant": partial(_module, "requant", "requant"),
    "concat": partial(_module, "concat", "concat"),
    "add": partial(_module, "add", "add"),
    "maximum": partial(_module, "maximum", "maximum"),
    "multiply": partial(_module, "multiply", "multiply"),
    "argmax": partial(_module, "argmax", "argmax"),
    "smallest_area": partial(_module, "smallest_area", "smallest_area"),
    "affine": partial(_module, "affine", "affine"),
    "add_gains": partial(_module, "add", "add_gains"),
    "pad": partial(_module, "pad", "pad"),
    "crop": partial(_module, "crop", "crop"),
    "resize_nearest": partial(_module, "resize_nearest", "resize_nearest"),
    "resize_nearest_deep": partial(_module, "resize_nearest", "resize_nearest_deep"),
    "resize_bilinear": partial(_module, "resize_bilinear", "resize_bilinear"),
    "depth_to_space": partial(_module, "depth_to_space", "depth_to_space"),
    "lookup": partial(_module, "lookup", "lookup"),
    "fork": partial(_module, "fork", "fork"),
    "fifo": partial(_module, "fifo", "fifo"),
    "fifo_deep": partial(_module, "fifo", "fifo_deep"),
    "width_adapter": partial(_module, "width_adapter", "width_adapter"),
    "serial": _serial,
    "serial_values": _serial_values,
    "cosim": _cosim,
    "network": _network,
}
"""What runs on a library, by the name that a fault has for it."""


@dataclass(frozen=True)
class Verdict:
    """What became of one fault, or of a bench without one.

    Attributes:
        bench: The bench.
        fault: The fault; ``None`` where the bench ran on the library as it is.
        caught_by: What failed; ``None`` where everything passed.
        error: Why nothing was simulated; ``None`` where something was.
        seconds: Wall time.
    """

    bench: str
    fault: Fault | None
    caught_by: str | None
    error: str | None
    seconds: float

    @property
    def right(self) -> bool:
        """Whether a fault was found, or a bench without one passed."""
        return self.error is None and (self.caught_by is not None) == (self.fault is not None)


def judge(bench: str, fault: Fault | None) -> Verdict:
    """Run a bench on a copy of the library with a fault in it, or on a plain copy.

    Raises:
        MisfitError: The fault does not fit the library.
    """
    started, caught, error = time.monotonic(), None, None
    with tempfile.TemporaryDirectory() as folder:
        library = library_with(Path(folder) / "rtl", fault)
        try:
            caught = BENCHES[bench](library, Path(folder) / "run")
        except QuantUNetError as refused:
            error = str(refused)
    return Verdict(bench, fault, caught, error, time.monotonic() - started)


@cache
def _key() -> str:
    """Return the key of all code that a verdict may depend on."""
    return kept.key({folder: kept.files(ROOT / folder, *patterns) for folder, patterns in _CODE.items()})


def _name(bench: str, fault: Fault | None) -> str:
    return f"{bench}: {'' if fault is None else f'{fault}: {fault.right} -> {fault.wrong}'}"


def judge_all(faults: Sequence[Fault], jobs: int, console: Console, path: Path | None = None) -> list[Verdict]:
    """Judge faults, and their benches without any, several at a time; each is built and simulated by processes.

    Args:
        faults: The faults.
        jobs: How many at a time.
        console: Where verdicts are said as they come.
        path: The file in which verdicts are kept; none where they are not.
    """
    known: dict[str, dict[str, Any]] = (path and kept.read_json(path, _key())) or {}
    wanted = list(dict.fromkeys(fault.bench for fault in faults))
    for name in wanted:
        if isinstance(BENCHES[name], partial):
            _cases(name)  # here, so that no two threads make them
    prepare()
    work: list[tuple[str, Fault | None]] = [(name, None) for name in wanted]
    work += [(fault.bench, fault) for fault in faults]
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    verdicts = {each: Verdict(*each, **known[_name(*each)]) for each in work if _name(*each) in known}
    with Progress(*columns, console=console) as progress, Pool(jobs) as pool:
        task = progress.add_task("faults", total=len(work), completed=len(verdicts))
        futures = {pool.submit(judge, *each): each for each in work if each not in verdicts}
        for future in as_completed(futures):
            verdict = verdicts[futures[future]] = future.result()
            progress.advance(task)
            if path is not None and verdict.error is None:
                found = {"caught_by": verdict.caught_by, "error": None, "seconds": verdict.seconds}
                known[_name(*futures[future])] = found
                kept.write_json(path, _key(), known)
            style = None if verdict.right else "red"
            progress.console.print(_say(verdict), style=style, highlight=False, markup=False, soft_wrap=True)
    return [verdicts[each] for each in work]


def _say(verdict: Verdict) -> str:
    what = verdict.bench if verdict.fault is None else str(verdict.fault)
    if verdict.error is not None:
        return f"{what}: not simulated: {verdict.error}"
    if verdict.fault is None:
        return f"{what}: " + (f"fails without a fault: {verdict.caught_by}" if verdict.caught_by else "passes")
    if verdict.caught_by:
        return f"{what}: found by {verdict.caught_by}"
    return f"{what}: SURVIVED in {verdict.fault.module}.sv: {verdict.fault.right!r} -> {verdict.fault.wrong!r}"


def table_of(verdicts: Sequence[Verdict]) -> Table:
    """Return the table of all verdicts."""
    table = Table("bench", "fault", "module", "caught by")
    table.add_column("s", justify="right")
    for verdict in verdicts:
        fault = verdict.fault
        caught = verdict.error or verdict.caught_by or ("nothing" if fault else "-")
        row = (verdict.bench, fault.name if fault else "none", fault.module if fault else "-", caught[:80])
        table.add_row(*row, f"{verdict.seconds:.1f}", style=None if verdict.right else "red")
    return table


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """Return 0 where at least one fault was judged and all is right, else 1."""
    judged = any(verdict.fault is not None for verdict in verdicts)
    return 0 if judged and all(verdict.right for verdict in verdicts) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="nox -s faults --", description=__doc__.splitlines()[0])
    parser.add_argument("--bench", action="append", choices=tuple(BENCHES), help="the faults of these benches alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="faults at a time (default: one a core)")
    parser.add_argument("--anew", action="store_true", help="neither take nor keep verdicts")
    parser.add_argument("--out", type=Path, help="a JSON file with the counts")
    args = parser.parse_args(arguments)
    console = Console(width=160)
    chosen = [fault for fault in FAULTS if fault.bench in (args.bench or BENCHES)]
    started = time.monotonic()
    wrong = misfits(chosen)
    if not wrong:
        try:
            verdicts = judge_all(chosen, args.jobs, console, None if args.anew else KEPT)
        except QuantUNetError as error:
            wrong = [str(error)]
    if wrong:
        console.print("\n".join(wrong), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2
    console.print(table_of(verdicts))
    found = sum(verdict.right for verdict in verdicts if verdict.fault is not None)
    if args.out:
        count = Counter(verdict.fault.module for verdict in verdicts if verdict.fault is not None and verdict.right)
        document = {
            "faults": len(chosen),
            "found": found,
            "modules": count,
            "seconds": round(sum(verdict.seconds for verdict in verdicts), 1),
        }
        write_text(args.out, json.dumps(document, indent=1))
    console.print(f"{found} of {len(chosen)} faults found, in {time.monotonic() - started:.0f} s", highlight=False)
    return exit_code(verdicts)


if __name__ == "__main__":
    sys.exit(main())
