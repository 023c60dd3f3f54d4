"""Take random files as long as it is told through golden, HLS, RTL and netlists: ``nox -s random_files``.

``nox -s random_files -- --seed 7 --seconds 3600 --legs golden,schedule,rtl:10,csim:50,netlist:200 --record FILE``
takes files 7, 8, 9, … for an hour, every tenth network in RTL, and leaves what it has counted in a file. The same
command with ``--resume`` goes on where that one was stopped. ``--seed N --count 1`` gives one file again. What fails is
made as small as it can be (:mod:`helpers.minimise`) and written as a test.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import itertools
import logging
import math
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnx
from helpers import random_files, random_wide
from helpers.minimise import minimise, write_test
from helpers.random_case import Case
from helpers.random_files import LEGS
from helpers.random_hardware import folding_of
from helpers.random_report import GOLDEN, Report, read_record, write_record
from helpers.shrink_file import minimise_file, write_file_test

from quantunet.errors import FileFormatError, QuantUNetError
from quantunet.ir import Array, Graph
from quantunet.processes import terminated_like_interrupt
from quantunet.provenance import checkout
from quantunet.random_network import random_image

_EVERY = 10
"""Seconds between two lines of progress, and two records."""

_AHEAD = 2
"""Files that are given to each process before the first of them is waited for."""


def legs_of(seed: int, shares: Mapping[str, int]) -> tuple[str, ...]:
    """Return the legs of a file, of which each takes one in so many: a function of the seed alone."""
    return tuple(
        leg for leg, share in shares.items() if random.Random(f"{leg} {seed}").randrange(share) == 0  # noqa: S311
    )  # fmt: skip


def taken(seed: int, kind: str, shares: Mapping[str, int], folder: Path) -> Report:
    """Take one file, or graph, through its legs, in a folder of this process."""
    own = folder / str(os.getpid())
    own.mkdir(exist_ok=True)
    return random_files.SOURCES[kind](seed, legs_of(seed, shares), own, 1)


def minimised(kind: str, seed: int, leg: str, folder: Path, tests: Path, seconds: float) -> str:
    """Make what fails small and write it as a test; return what has become of it, in words."""
    if kind == "graphs":
        graph = random_wide.generate(seed)
        return _minimised(graph, random_image(graph, seed), seed, leg, folder, tests, seconds)
    file = random_files.generate(seed)
    verdict = random_files.judge(file, folder)
    if verdict.graph is not None and verdict.codes is not None:
        return _minimised(verdict.graph, verdict.codes, seed, leg, folder, tests, seconds)
    found = minimise_file(file, lambda other: random_files.judge(other, folder), seconds)
    if found is None:
        return f"seed {seed}, {leg}: does not fail again"
    path = write_file_test(tests, found, seed)
    return f"{path}: {len(found.case.model.graph.node)} nodes, {found.kept} of {found.tried} tries kept"


def _minimised(graph: Graph, image: Array, seed: int, leg: str, folder: Path, tests: Path, seconds: float) -> str:
    try:
        case = Case(leg, graph, image, folding_of(graph, seed), seed)
    except QuantUNetError as error:
        return f"seed {seed}: {error}"
    found = minimise(case, lambda other: other.run(folder), seconds)
    if found is None:
        return f"seed {seed}, {leg}: does not fail again"
    path = write_test(tests, found, seed)
    return f"{path}: {len(found.case.graph.nodes)} layers, {found.kept} of {found.tried} tries kept"


def _quiet() -> None:
    logging.disable(logging.CRITICAL)  # of the whole process; what is refused is counted


def reports(
    seeds: Iterator[int], work: Callable[[int], Report], jobs: int, until: Callable[[], bool]
) -> Iterator[tuple[int, Report]]:
    """Yield the report of each seed, in order, until there is no more time to begin one.

    Args:
        seeds: The files.
        work: What makes a report of one.
        jobs: Processes; with one the work is done in this.
        until: Whether no other file is to be begun.
    """
    if jobs == 1:
        for seed in seeds:
            if until():
                return
            yield seed, work(seed)
        return
    context = multiprocessing.get_context("forkserver")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context, initializer=_quiet) as pool:
        waiting: deque[tuple[int, concurrent.futures.Future[Report]]] = deque()
        try:
            while True:
                while len(waiting) < _AHEAD * jobs and not until():
                    seed = next(seeds, None)
                    if seed is None:
                        break
                    waiting.append((seed, pool.submit(work, seed)))
                if not waiting:
                    return
                seed, future = waiting.popleft()
                yield seed, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _shares(text: str) -> dict[str, int]:
    """Read ``LEG[:N],…``."""
    found: dict[str, int] = {GOLDEN: 1}
    for word in text.split(","):
        leg, _, share = word.partition(":")
        if leg not in LEGS:
            message = f"{leg!r} is none of {', '.join(LEGS)}"
            raise argparse.ArgumentTypeError(message)
        if not (share or "1").isdecimal() or int(share or 1) < 1 or (leg == GOLDEN and share not in ("", "1")):
            message = f"{word!r}: expected every file in golden, and LEG:N for every N-th network in another leg"
            raise argparse.ArgumentTypeError(message)
        found[leg] = int(share or 1)
    return {leg: found[leg] for leg in LEGS if leg in found}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s random_files --", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="the first file (default: 0)")
    parser.add_argument(
        "--kind", choices=tuple(random_files.SOURCES), default="files",
        help="take files, or graphs that no file makes: wide types, any rounding (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--count", type=int, help="files (default: 1000, or as many as --seconds allow)")
    parser.add_argument("--seconds", type=float, help="begin no other file after so many seconds")
    parser.add_argument(
        "--legs", type=_shares, default={GOLDEN: 1}, metavar="LEG[:N],...",
        help=f"of {','.join(LEGS)}; with :N about every N-th network, chosen by its seed (default: {GOLDEN})",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files at a time (default: one a core)")
    parser.add_argument("--record", type=Path, help="write the counts to this file, as JSON")
    parser.add_argument("--resume", action="store_true", help="go on where the run of --record was stopped")
    parser.add_argument(
        "--minimise", type=float, default=300, metavar="SECONDS",
        help="make each failure smaller for so long, and write it as a test; 0 leaves it out (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--tests", type=Path, default=Path("build/random_files"), help="folder of these tests (default: %(default)s)"
    )
    parser.add_argument("--text", action="store_true", help="print the files too")
    return parser


def _begun(options: argparse.Namespace) -> tuple[Report, int, float]:
    """Return the report, the next seed and the seconds of an earlier run, or of none.

    Raises:
        FileFormatError: There is no such run, or it is one of other files, or it would be overwritten.
    """
    path: Path | None = options.record
    if not options.resume:
        if path is not None and path.exists():
            raise FileFormatError(
                str(path), expected="no record yet", got="one", hint="Go on with --resume, or name another file."
            )
        return Report(), options.seed, 0.0
    if path is None:
        raise FileFormatError("--resume", expected="--record FILE", got="none")
    report, about = read_record(path)
    wanted = {"kind": options.kind, "seed": options.seed, "legs": options.legs}
    if {name: about.get(name) for name in wanted} != wanted:
        raise FileFormatError(
            str(path), expected=f"a run of {wanted}", got=str({name: about.get(name) for name in wanted})
        )
    return report, int(about["next_seed"]), float(about["seconds"])


def _about(
    options: argparse.Namespace, next_seed: int, seconds: float, program: tuple[str | None, bool | None]
) -> dict[str, Any]:
    """Return what a record says of its run: what was asked for, how far it went, and of which program."""
    commit, changed = program
    legs = ",".join(leg if share == 1 else f"{leg}:{share}" for leg, share in options.legs.items())
    return {
        "command": f"nox -s random_files -- --kind {options.kind} --seed {options.seed} "
        f"--count {next_seed - options.seed} --legs {legs}",
        "commit": commit,
        "changed": changed,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "kind": options.kind,
        "seed": options.seed,
        "next_seed": next_seed,
        "legs": options.legs,
        "seconds": round(seconds, 1),
    }


def run(options: argparse.Namespace, folder: Path, write: Callable[[str], object]) -> int:
    """Take the files; 1 if anything is wrong with one of them, or nothing was compared in a leg."""
    report, seed, spent = _begun(options)
    end = options.seed + (options.count or (1000 if options.seconds is None else sys.maxsize // 2))
    begin = said = time.monotonic()
    program = checkout() or (None, None)  # as it is now, whatever becomes of the checkout meanwhile
    until = begin + (math.inf if options.seconds is None else options.seconds)

    def record() -> None:
        if options.record is not None:
            about = _about(options, seed, spent + time.monotonic() - begin, program)
            write_record(options.record, report, about)

    seeds = itertools.takewhile(lambda each: each < end, itertools.count(seed))
    work = partial(taken, kind=options.kind, shares=options.legs, folder=folder)
    try:
        for number, found in reports(seeds, work, max(options.jobs, 1), lambda: time.monotonic() >= until):
            seed = number + 1
            if options.text and options.kind == "files":
                write(f"{onnx.printer.to_text(random_files.generate(number).model)}\n")
            report.merge(found)
            for failure in found.failures:
                write(f"{failure}\n")
            if options.minimise > 0:
                for leg in dict.fromkeys(failure.leg for failure in found.failures):
                    write(f"{minimised(options.kind, number, leg, folder, options.tests, options.minimise)}\n")
            if time.monotonic() - said > _EVERY:
                said = time.monotonic()
                legs = ", ".join(f"{leg} {report.passed[leg]}" for leg in options.legs)
                write(f"{report.files} files, {len(report.failures)} failures; passed {legs}; next seed {seed}\n")
                record()
    except KeyboardInterrupt:
        write("stopped\n")
    record()
    write(f"{report.files} files in {spent + time.monotonic() - begin:.0f} s\n{report.summary(list(options.legs))}\n")
    write(f"next seed: {seed}\n")
    return int(bool(report.failures) or any(report.compared[leg] == 0 for leg in options.legs))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="random_files", ignore_cleanup_errors=True) as folder:
        try:
            with terminated_like_interrupt():
                return run(options, Path(folder), write)
        except QuantUNetError as error:
            write(f"nox -s random_files: {error}\n")
            return 2


if __name__ == "__main__":
    _quiet()
    sys.exit(main())
