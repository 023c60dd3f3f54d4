"""Whether a network fits a device, in which folding, and what it takes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quantunet.constraints.board import RESOURCES
from quantunet.constraints.device import ESTIMATED_FAMILY, Device
from quantunet.hls.choose import solver
from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import estimate
from quantunet.hls.design import FOLD_STYLES
from quantunet.hls.folding import Folding, candidates, ideal_cycles
from quantunet.hls.resources.terms import Cost
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.synth import flow, yosys
from quantunet.ir import Graph


@dataclass(frozen=True)
class Fit:
    """A network and a device.

    Attributes:
        network: The network's name.
        device: The device.
        folding: ``default``, ``fastest`` that fits, or the ``closest`` where none does.
        interval: Cycles between frames in this folding.
        amounts: What it takes of each resource.
        counted: By the ``estimate`` of an ECP5, or by the synthesis of every part for the device's family.
    """

    network: str
    device: Device
    folding: Literal["default", "fastest", "closest"]
    interval: int
    amounts: Mapping[str, int]
    counted: Literal["estimate", "synthesis"]

    @property
    def lacks(self) -> dict[str, int]:
        """How much more of each resource it takes than a design may; empty where it fits."""
        return self.device.lacks(self.amounts)

    @property
    def shares(self) -> dict[str, float]:
        """What it takes of all that the device has, in percent."""
        return {name: 100 * self.amounts[name] / getattr(self.device.budget, name).count for name in RESOURCES}


@dataclass(frozen=True)
class Synthesiser:
    """How parts are synthesised where there are no estimates.

    Attributes:
        folder: For projects and kept results.
        jobs: Syntheses at a time.
        time_limit: Seconds for one part.
    """

    folder: Path
    jobs: int = 1
    time_limit: float = yosys.TIME_LIMIT

    def amounts(self, graph: Graph, folding: Folding, family: str) -> dict[str, int]:
        """Return what the parts of a network take of a device family, together.

        Raises:
            ToolMissingError: Yosys is not installed.
            ToolFailedError: Yosys failed, or took too long.
        """
        parts = flow.write_rtl(graph, folding, self.folder / "rtl", [node.name for node in graph.nodes])
        cache = self.folder / "cache"
        results = flow.synthesise(parts, cache, family=family, processes=self.jobs, time_limit=self.time_limit)
        return {name: sum(int(getattr(result.usage, name)) for result in results) for name in RESOURCES}


def fit(graph: Graph, device: Device, synthesiser: Synthesiser) -> Fit:
    """Return whether a network fits a device: in the default folding, or else in the fastest one that does.

    The fastest one for another family than the ECP5 is that of an ECP5 with the device's budget; what it takes is then
    counted by synthesis. Where no folding fits even so, the estimate of the closest one is returned.

    Args:
        graph: The network.
        device: The device.
        synthesiser: For devices of other families.

    Raises:
        FoldingError: A layer has no fold at all.
        WidthError: A layer's values are too wide for every fold.
        ToolFailedError: A synthesis failed.
    """
    limits = device.budget.limits
    default = default_folding(graph)
    total = sum((item.cost for item in estimate(graph, default)), Cost()).amounts
    estimated = device.family == ESTIMATED_FAMILY
    if estimated and not device.lacks(total):
        return Fit(graph.name, device, "default", frame_interval(graph, default), total, "estimate")
    slowest = max(ideal_cycles(graph, node, fold) for node in graph.nodes for fold in candidates(graph, node))
    smallest = solver.fold_for_interval(graph, slowest, budget=limits, styles=FOLD_STYLES)
    if smallest.excess:
        return Fit(graph.name, device, "closest", smallest.interval, smallest.total.amounts, "estimate")
    if not estimated and not device.lacks(total):
        counted = synthesiser.amounts(graph, default, device.family)
        found = Fit(graph.name, device, "default", frame_interval(graph, default), counted, "synthesis")
        if not found.lacks:
            return found
    best = solver.fold_for_budget(graph, limits, styles=FOLD_STYLES)
    if estimated:
        return Fit(graph.name, device, "fastest", best.interval, best.total.amounts, "estimate")
    counted = synthesiser.amounts(graph, best.folding, device.family)
    return Fit(graph.name, device, "fastest", best.interval, counted, "synthesis")
