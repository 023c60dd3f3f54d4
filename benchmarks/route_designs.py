"""Places and routes whole designs for the model of the clock: ``python -m benchmarks.route_designs``.

Small networks that span the model's features, each with the top that puts its streams on pins. Every step is kept, so
that a run can be stopped and started again. ``benchmarks/routed_designs.json`` gets a row for each design: its name,
device and tools, and the clock that each seed reached. ``benchmarks.calibrate_clock`` fits the model to them.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estimate_error import CASES, Case
from quantunet.constraints.board import load_board
from quantunet.hls.bitstream import flow, tools
from quantunet.hls.bitstream.flow import Plan
from quantunet.hls.choose.clock import features_of
from quantunet.hls.folding import Folding
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder, random_unet
from quantunet.storage import write_text
from quantunet.zoo import load_network

logger = logging.getLogger(__name__)

ROUTED = Path("benchmarks/routed_designs.json")
"""What was routed."""

BOARD = "ulx3s_85f"

FREQUENCY = 60.0
"""MHz that place and route is asked for."""


def wide_sums() -> Graph:
    """Return a network whose sums of products are wide, with values of six bits."""
    six = QType(6, False, 5)
    builder = GraphBuilder("wide", 16, 16, 16, six, seed=12)
    builder.matrix(Conv2d, "first", "image", 8, 3, 6, six)
    builder.matrix(Conv2d, "second", "first_out", 16, 3, 6, six)
    builder.matrix(Conv2d, "third", "second_out", 1, 3, 6, six)
    return builder.build()


DESIGNS = (
    *CASES,
    Case("wearable", lambda: load_network("wearable")),
    Case("U-Net, base 2, depth 1, 16×16, seed 6", lambda: random_unet(2, 1, 16, 6)),
    Case("U-Net, base 4, depth 1, 16×16, a frame every 2,304 cycles, seed 7", lambda: random_unet(4, 1, 16, 7), 2304),
    Case("U-Net, base 2, depth 2, 16×16, seed 8", lambda: random_unet(2, 2, 16, 8)),
    Case("U-Net, base 2, depth 1, 8×8, seed 14", lambda: random_unet(2, 1, 8, 14)),
    Case("three convolutions with sums of 16 products", wide_sums, 9 * 16 * 16),
)
"""What is routed: the designs of ``benchmarks.estimate_error``, the shipped network, and small ones."""


class _Log:
    def started(self, step: str, log: Path | None) -> None:
        logger.info("%s …", step)

    def finished(self, step: str, message: str, *, cached: bool) -> None:
        logger.info("%s: %s%s", step, message, " (kept)" if cached else "")


@dataclass(frozen=True)
class Routed:
    """A design that was placed and routed.

    Attributes:
        name: Of the design.
        tools: Place and route, with its version.
        places: LUT places that it takes.
        bram: Block RAMs.
        levels: Of adders: :func:`quantunet.hls.choose.clock.features_of`.
        mhz: What each seed reached, by the seed.
    """

    name: str
    tools: str
    places: int
    bram: int
    levels: float
    mhz: Mapping[int, float]

    def document(self) -> dict[str, Any]:
        """Return the row of the file."""
        return {
            "name": self.name,
            "tools": self.tools,
            "places": self.places,
            "bram": self.bram,
            "levels": round(self.levels, 3),
            "mhz": {str(seed): round(value, 2) for seed, value in self.mhz.items()},
        }


def read(path: Path = ROUTED) -> list[Routed]:
    """Return the rows of the file; none where there is no file."""
    if not path.is_file():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Routed(**row | {"mhz": {int(seed): mhz for seed, mhz in row["mhz"].items()}}) for row in rows]


def write(path: Path, rows: list[Routed]) -> None:
    """Write the file."""
    write_text(path, json.dumps([row.document() for row in rows], indent=1, ensure_ascii=False) + "\n")


def route(case: Case, folder: Path, seeds: int, nextpnr: str, time_limit: int) -> Routed:
    """Place and route one design.

    Raises:
        QuantUNetError: A tool is missing or failed.
    """
    graph: Graph = case.graph()
    folding: Folding = case.folding(graph)
    board = load_board(BOARD)
    plan = Plan(folding, board, tools.find(nextpnr, board.family), FREQUENCY, range(1, seeds + 1), 1, time_limit)
    outcome = flow.run(plan, folder, _Log())
    usage = {one.kind: one.used for one in outcome.best.usage}
    found = {route.seed: min(clock.mhz for clock in route.clocks) for route in outcome.routes if route.fits}
    levels = features_of(folding, usage["TRELLIS_COMB"])["levels"]
    return Routed(case.name, str(plan.tools), usage["TRELLIS_COMB"], usage["DP16KD"], levels, found)


def reported(case: Case, report: Path) -> Routed:
    """Return the row of a design from what ``quantunet bitstream`` has reported of its default folding."""
    document = json.loads(report.read_text(encoding="utf-8"))
    usage = {one["kind"]: one["used"] for one in document["cells"]}
    found = {one["seed"]: min(clock["mhz"] for clock in one["clocks"]) for one in document["seeds"] if one["fits"]}
    folding = case.folding(case.graph())
    levels = features_of(folding, usage["TRELLIS_COMB"])["levels"]
    return Routed(case.name, document["tools"][1], usage["TRELLIS_COMB"], usage["DP16KD"], levels, found)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("designs", nargs="*", type=int, help="numbers of designs (default: all)")
    parser.add_argument("--folder", type=Path, default=Path("build/routed"), help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROUTED, help="(default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each (default: %(default)s)")
    parser.add_argument("--report", type=Path, help="take the one design's row from this report of quantunet bitstream")
    parser.add_argument("--nextpnr", choices=("auto", "native", "pip"), default="auto")
    parser.add_argument("--time-limit", type=int, default=flow.TIME_LIMIT, help="seconds for a step")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    order: Callable[[Routed], int] = lambda row: [case.name for case in DESIGNS].index(row.name)  # noqa: E731
    for index in args.designs or range(len(DESIGNS)):
        case = DESIGNS[index]
        logger.info("%d: %s", index, case.name)
        if args.report:
            row = reported(case, args.report)
        else:
            row = route(case, args.folder / str(index), args.seeds, args.nextpnr, args.time_limit)
        others = [one for one in read(args.out) if one.name != row.name]
        write(args.out, sorted([*others, row], key=order))


if __name__ == "__main__":
    main()
