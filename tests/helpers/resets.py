"""Resets in every cycle of a frame: ``nox -s resets``, or ``python -m helpers.resets`` in ``tests``.

Every case of every op's bench, and a whole network, is reset in mid frame again and again: in every cycle of two
frames, or in as many as ``--most`` allows, each with four patterns of stalls. The frames behind each reset have to be
golden's from their first beat on, nothing else may come out, and no assertion may fail. Then each assignment of a reset
is dropped in turn, in every module, and the bench has to find it (:mod:`helpers.reset_faults`).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.every_op import OPS
from helpers.mutants.bench import MutantsError
from helpers.mutants.library import read_library
from helpers.reset_cases import BENCH, REPORT_FILE, TOP, Reset, design, numbered, of_network
from helpers.reset_faults import Forgotten, judge, modules

from quantunet.errors import QuantUNetError, ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.ir import Graph
from quantunet.random_network import random_unet
from quantunet.rtl_sim.verilator import run_cocotb
from quantunet.storage import write_text

NETWORK = "network"
"""The part that is a whole network."""

FAULTS = "faults"
"""The part in which assignments of resets are dropped."""

PARTS = (*OPS, NETWORK, FAULTS)

_FREE_RUN = "+free_run=256"


@dataclass(frozen=True)
class Swept:
    """What became of one design.

    Attributes:
        name: Its instance.
        module: Its module.
        resets: In mid frame.
        values: That were compared behind them.
    """

    name: str
    module: str
    resets: int
    values: int


def network() -> Graph:
    """Return the network: a small one that has a fork, a FIFO, a width adapter, both convolutions and a pooling."""
    return random_unet(base=2, depth=1, size=8)


def resets_of(part: str, folder: Path, *, most: int, rtl_folder: Path = RTL_FOLDER) -> list[Reset]:
    """Return the designs of a part: all cases of an op, or the network."""
    if part == NETWORK:
        return [of_network(network(), "c0", folder, most=most, rtl_folder=rtl_folder)]
    return numbered(OPS[part](), folder, most=most, rtl_folder=rtl_folder)


def sweep(resets: Sequence[Reset], folder: Path) -> tuple[Swept, ...]:
    """Simulate designs and their resets.

    Args:
        resets: The designs.
        folder: The working folder that they were written into.

    Raises:
        ToolFailedError: The build failed, an assertion did, or a design was not reset as often as it should be, or
            compared nothing.
    """
    built = design(resets, folder).build()
    outcome = run_cocotb(built, BENCH, TOP, folder, plusargs=[_FREE_RUN], seed=1)
    found = {}
    for line in (folder / REPORT_FILE).read_text(encoding="ascii").splitlines():
        name, runs, values = line.split()
        found[name] = (int(runs), int(values))
    wanted = {each.about["name"]: each for each in resets}
    swept = tuple(Swept(name, wanted[name].about["module"], *counts) for name, counts in sorted(found.items()))
    if found.keys() != wanted.keys() or any(each.resets != wanted[each.name].runs or not each.values for each in swept):
        raise ToolFailedError(
            BENCH,
            expected=f"all resets of {len(wanted)} designs, and values compared behind them",
            got=str(swept),
            hint=f"The log is {outcome.log}.",
        )
    return swept


def swept_parts(parts: Sequence[str], most: int) -> Iterator[tuple[str, dict[str, int] | str]]:
    """Yield each part with its designs, resets and values compared, or with what is wrong."""
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="resets") as folder:
            work = Path(folder)
            try:
                every = resets_of(part, work, most=most)
                swept = sweep(every, work)
            except QuantUNetError as error:
                yield part, str(error)
                continue
        yield (
            part,
            {
                "designs": len(swept),
                "whole": sum(each.whole for each in every),
                "resets": sum(each.resets for each in swept),
                "values": sum(each.values for each in swept),
            },
        )


def judged_modules() -> Iterator[tuple[str, Forgotten | str]]:
    """Yield each module that resets a register with what became of its forgotten ones, or with what is wrong."""
    library = read_library(RTL_FOLDER)
    for module in modules(library):
        with tempfile.TemporaryDirectory(prefix="resets") as folder:
            try:
                found = judge(library, module, Path(folder))
            except (MutantsError, QuantUNetError) as error:
                yield module, str(error)
                continue
        yield module, found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s resets --", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"out of {', '.join(PARTS)}; all where none is named")
    parser.add_argument(
        "--most", type=int, default=400, help="places in two frames at which a reset comes (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, help="write what was found to this file, as JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 where anything is wrong."""
    options = _parser().parse_args(arguments)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown or options.most < 1:
        expected = f"parts out of {', '.join(PARTS)}, and a place or more"
        sys.stderr.write(f"nox -s resets: expected {expected}, got {', '.join(unknown) or options.most}\n")
        return 2
    parts = options.parts or PARTS
    record: dict[str, Any] = {"parts": {}, "modules": {}, "failures": []}

    def note(name: str, said: str, failed: bool) -> None:
        if failed:
            record["failures"].append(f"{name}: {said}"[:1000])
        sys.stdout.write(f"{name}: {said}\n")
        sys.stdout.flush()
        if options.out:
            write_text(options.out, json.dumps(record, indent=1) + "\n")

    for part, sums in swept_parts([part for part in parts if part != FAULTS], options.most):
        if isinstance(sums, str):
            note(part, sums, failed=True)
            continue
        record["parts"][part] = sums
        said = "{designs} designs, {whole} of them in every cycle, {resets:,} resets, {values:,} values compared"
        note(part, said.format(**sums), failed=False)
    if FAULTS in parts:
        for module, found in judged_modules():
            if isinstance(found, str):
                note(module, found, failed=True)
                continue
            record["modules"][module] = dataclasses.asdict(found)
            all_found = found.found + len(found.explained) + len(found.alive)
            said = [f"{found.found} of {all_found} assignments of its reset missed where they are dropped"]
            said += [f"alive: {each}" for each in found.alive]
            note(module, "; ".join(said), failed=bool(found.alive))
    return int(bool(record["failures"]))


if __name__ == "__main__":
    sys.exit(main())
