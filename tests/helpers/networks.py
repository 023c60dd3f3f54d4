"""Co-simulate every architecture of the tests, and the public files that are there: ``nox -s networks``.

Each layer is compared in HLS C simulation and inside the whole design in RTL, over adjacent frames, with golden; the
cycles must be as predicted. Builds are kept, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from helpers.architectures import ARCHITECTURES, FORMS, architecture
from helpers.public_models import MODELS, TAKEN
from rich.console import Console
from rich.table import Table

from quantunet import api
from quantunet.errors import QuantUNetError
from quantunet.ir import Graph
from quantunet.qonnx_import import load
from quantunet.rtl_sim.cosim import LEGS, Leg
from quantunet.rtl_sim.report import CosimReport

RESULTS = "networks.csv"


@dataclass(frozen=True)
class Row:
    """What came out of one network."""

    network: str
    outcome: str
    layers: int = 0
    values: int = 0
    first_output: int = 0
    first_output_predicted: int = 0
    frame_interval: int = 0
    frame_interval_predicted: int = 0
    frame_interval_steady: int = 0
    seconds: int = 0

    @property
    def right(self) -> bool:
        """Whether something was compared, and all of it is as it should be."""
        return self.outcome == "passed" and self.values > 0


def networks(folder: Path) -> Iterator[tuple[str, Callable[[], Graph]]]:
    """Yield each network's name, and what writes its file and reads it."""

    def of_architecture(name: str, form: str) -> Graph:
        path = folder / f"{name}_{form}.onnx"
        path.write_bytes(architecture(name, form).SerializeToString())
        return load(path)

    def of_public(name: str) -> Graph:
        return TAKEN[name].graph(TAKEN[name].model(MODELS[name]), folder / f"{name}.onnx")

    for name in sorted(TAKEN.keys() & MODELS.keys()):
        yield name, lambda name=name: of_public(name)  # type: ignore[misc]
    for name in ARCHITECTURES:
        for form in FORMS:
            yield f"{name}_{form}", lambda name=name, form=form: of_architecture(name, form)  # type: ignore[misc]


def row_of(name: str, report: CosimReport, seconds: float) -> Row:
    """Return the row of a report."""
    problems = [f"{part}: {' '.join(said)}" for part, said, _ in report.failures()]
    row = Row(name, "passed" if report.passed else "; ".join(problems)[:200], seconds=round(seconds))
    row = replace(row, values=report.values_compared, layers=len(report.layers))
    rtl = report.network_rtl
    if rtl is None:
        return row
    return replace(
        row,
        layers=row.layers or len(rtl.layers),
        first_output=rtl.first_output,
        first_output_predicted=rtl.first_output_predicted,
        frame_interval=rtl.frame_interval,
        frame_interval_predicted=rtl.frame_interval_predicted,
        frame_interval_steady=rtl.frame_interval_steady,
    )


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows there are so far."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def table_of(rows: Sequence[Row]) -> Table:
    """Return the table of all networks."""
    table = Table("network", "layers", "values", "first output", "interval", "in the long run", "s", "outcome")
    for row in rows:
        first = f"{row.first_output} ({row.first_output_predicted})"
        interval = f"{row.frame_interval} ({row.frame_interval_predicted})"
        numbers = (str(row.layers), str(row.values), first, interval, str(row.frame_interval_steady), str(row.seconds))
        table.add_row(row.network, *numbers, row.outcome, style=None if row.right else "red")
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="nox -s networks --", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NETWORK", help="these networks alone; a part of a name is enough")
    parser.add_argument("--legs", default="hls,network", help="as of `quantunet cosim` (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=4, help="adjacent frames (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tasks at a time (default: one a core)")
    parser.add_argument(
        "--out",
        "--build",
        dest="build",
        type=Path,
        default=Path("build/networks"),
        help="folder (default: %(default)s)",
    )
    args = parser.parse_args(arguments)
    console, rows, failed = Console(width=160), [], False
    legs: list[Leg] = [leg for leg in LEGS if leg in args.legs.split(",")]
    args.build.mkdir(parents=True, exist_ok=True)
    chosen = [
        (name, make) for name, make in networks(args.build)
        if not args.names or any(part in name for part in args.names)
    ]  # fmt: skip
    for number, (name, make) in enumerate(chosen, 1):
        started = time.monotonic()
        console.print(f"{number} of {len(chosen)}: {name}", highlight=False)
        try:
            report = api.cosim(make(), legs=legs, frames=args.frames, jobs=args.jobs, build=args.build)
            rows.append(row_of(name, report, time.monotonic() - started))
        except QuantUNetError as error:
            rows.append(Row(name, str(error)[:200]))
        failed = failed or not rows[-1].right
        if not rows[-1].right:
            console.print(rows[-1].outcome, style="red", highlight=False, markup=False)
        write(rows, args.build / RESULTS)
    console.print(table_of(rows))
    missing = sorted(TAKEN.keys() - MODELS.keys())
    if missing:
        console.print(f"without {len(missing)} public files: set QUANTUNET_MODELS to their folder", highlight=False)
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
