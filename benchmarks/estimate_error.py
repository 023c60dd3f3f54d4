"""How far the estimates of whole networks are off: ``python -m benchmarks.estimate_error``.

Networks that the calibration has not seen are synthesised, each as one flat design, and what that takes of an ECP5 is
held against the sum of the estimates that ``quantunet fold`` prints. LUT places are those that nextpnr makes of the
netlist, which follow from it exactly (:mod:`quantunet.hls.bitstream.packing`). Syntheses are kept by content.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from quantunet.constraints.board import RESOURCES
from quantunet.hls.bitstream.packing import CONSTANTS
from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import estimate
from quantunet.hls.design import Style
from quantunet.hls.folding import Folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.resources.terms import Cost
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Graph
from quantunet.random_network import random_pools, random_unet, random_windows
from quantunet.storage import write_text
from quantunet.zoo import load_network

logger = logging.getLogger(__name__)

TIME_LIMIT = 3600.0
"""Seconds for one network."""


@dataclass(frozen=True)
class Case:
    """A whole network with a folding.

    Attributes:
        name: For the table.
        graph: Makes the network.
        interval: Frame interval that the folding keeps, in cycles; ``None`` for the default.
        style: Of its convolutions.
    """

    name: str
    graph: Callable[[], Graph]
    interval: int | None = None
    style: Style = "folded-lut"

    def folding(self, graph: Graph) -> Folding:
        """Return its folding."""
        return default_folding(graph, self.interval, self.style)


CASES = (
    Case("tiny", lambda: load_network("tiny")),
    Case("tiny, a frame every 40,000 cycles", lambda: load_network("tiny"), 40_000),
    Case("tiny, hard multipliers", lambda: load_network("tiny"), style="folded-dsp"),
    Case("convolutions of many geometries, seed 1", lambda: random_windows(1)),
    Case("poolings of many geometries, seed 2", lambda: random_pools(2)),
    Case("U-Net, base 2, depth 2, 32×32, seed 3", lambda: random_unet(2, 2, 32, 3)),
    Case("U-Net, base 4, depth 1, 64×64, seed 4", lambda: random_unet(4, 1, 64, 4)),
    Case("U-Net, base 2, depth 3, 32×32, seed 5", lambda: random_unet(2, 3, 32, 5), 40_000),
)
"""Small networks; ``--model`` takes others."""


@dataclass(frozen=True)
class Row:
    """A network with its estimate and its synthesis.

    Attributes:
        name: The network.
        estimated: The sum of the estimates of its modules.
        measured: What the netlist of the whole network takes, LUT places included.
        luteq: LUTs of the netlist.
    """

    name: str
    estimated: Cost
    measured: Cost
    luteq: int

    def error(self, resource: str) -> float:
        """Return the relative error of the estimate, with its sign; 0 where there is none and none is estimated."""
        measured = int(getattr(self.measured, resource))
        return (int(getattr(self.estimated, resource)) - measured) / max(measured, 1)


def job(graph: Graph, folding: Folding, folder: Path) -> Job:
    """Write the RTL of a network and return the synthesis of the whole of it, as one flat design."""
    project = rtl_project.write(graph, folding, folder)
    hard = tuple(f"u_{name}" for name, fold in folding.items() if fold.style == "folded-dsp")
    return Job(
        graph.name, project.top, project.sources, project.folder, project.memories, dsp=bool(hard), hard=hard
    )  # fmt: skip


def measure(cases: Sequence[Case], folder: Path) -> list[Row]:
    """Estimate and synthesise networks.

    Args:
        cases: The networks.
        folder: Projects and kept results.

    Raises:
        QuantUNetError: A network cannot be built or synthesised.
    """
    rows = []
    for index, case in enumerate(cases):
        graph = case.graph()
        folding = case.folding(graph)
        estimated = sum((item.cost for item in estimate(graph, folding)), Cost())
        design = job(graph, folding, folder / f"rtl_{index}")
        (result,) = yosys.synthesise([design], folder / "cache", time_limit=TIME_LIMIT)
        usage = result.usage
        row = Row(case.name, estimated, Cost(usage.lut + CONSTANTS, usage.ff, usage.dsp, usage.bram), usage.luteq)
        logger.info("%s: %+.1f %% LUT places", row.name, 100 * row.error("lut"))
        rows.append(row)
    return rows


def summary(rows: Sequence[Row]) -> Mapping[str, tuple[float, float]]:
    """Return the median and the worst relative error of each resource, without sign."""
    found = {name: [abs(row.error(name)) for row in rows] for name in RESOURCES}
    return {name: (float(np.median(errors)), max(errors)) for name, errors in found.items()}


def markdown(rows: Sequence[Row]) -> str:
    """Return the table for the documents."""
    lines = ["| network | LUTeq | LUT places | estimate | error | FF | estimate | error | block RAM | estimate |"]
    lines.append("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        figures = [row.name, f"{row.luteq:,}"]
        for name in ("lut", "ff"):
            figures += [f"{getattr(one, name):,}" for one in (row.measured, row.estimated)]
            figures.append(f"{100 * row.error(name):+.1f} %")
        figures += [str(row.measured.bram), str(row.estimated.bram)]
        lines.append(f"| {' | '.join(figures)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], help="a network of the zoo, in place of the small ones")
    parser.add_argument("--folder", type=Path, default=Path("build/estimate_error"), help="(default: %(default)s)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cases = [Case(name, partial(load_network, name)) for name in args.model] or CASES
    rows = measure(cases, args.folder)
    logger.info("\n%s\n", markdown(rows))
    for name, (median, worst) in summary(rows).items():
        logger.info("%s: median error %.1f %%, worst %.1f %%", name.upper(), 100 * median, 100 * worst)
    document = [dataclasses.asdict(row) for row in rows]
    write_text(args.folder / "estimate_error.json", json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
