"""The steps from a network to a bitstream; one that has been done for the same inputs is not done again.

Every step keeps its result in a folder that is named by the key of what it depends on: sources, folding and top through
the netlist, the version of the tool, and the options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from quantunet.constraints.board import Board
from quantunet.errors import OptionError
from quantunet.hls.bitstream import netlist
from quantunet.hls.bitstream.netlist import Netlist
from quantunet.hls.bitstream.packing import read_module
from quantunet.hls.bitstream.paths import Paths, read_paths
from quantunet.hls.bitstream.place import REPORT, Packed, Placer, Route, best, step_of
from quantunet.hls.bitstream.tools import Tools, device_options
from quantunet.hls.bitstream.top import Top, TopMaker, measurement_top
from quantunet.hls.folding import Folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.rtl_project import RtlProject, frame_checks
from quantunet.hls.synth.families import ECP5

TIME_LIMIT = 6 * 3600
"""Seconds that one step may take, unless the caller says otherwise."""

_DIGITS = 12


class Observer(Protocol):
    """Who is told how far a run is."""

    def started(self, step: str, log: Path | None) -> None:
        """Say that a step runs, and where its output grows; called from any thread."""

    def finished(self, step: str, message: str, *, cached: bool) -> None:
        """Say that a step is done, or had been done before."""


@dataclass(frozen=True)
class Plan:
    """What is to be made of a network.

    Attributes:
        folding: The fold of every layer.
        board: Whose device it is.
        tools: Place and route.
        mhz: Frequency of the clocks of which the top's constraints say none.
        seeds: The seeds of place and route.
        jobs: How many of them run at a time.
        time_limit: Seconds that one step may take.
        top: Makes the top module.
        routed_netlist: Whether the netlist is kept as it is placed and routed.
    """

    folding: Folding
    board: Board
    tools: Tools
    mhz: float
    seeds: Sequence[int]
    jobs: int = 1
    time_limit: float = TIME_LIMIT
    top: TopMaker = measurement_top
    routed_netlist: bool = False

    def __post_init__(self) -> None:
        device_options(self.board)
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise OptionError("seeds", expected="seeds that differ, at least one", got=str(list(self.seeds)))
        if not 0 < self.mhz < float("inf"):
            raise OptionError("freq", expected="a frequency in MHz greater than 0", got=str(self.mhz))


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        project: The network's RTL.
        top: What stands around it.
        netlist: The synthesis.
        routes: What came out of each seed.
        packed: The bitstream of the best seed; ``None`` where the device has no room.
    """

    project: RtlProject
    top: Top
    netlist: Netlist
    routes: Sequence[Route]
    packed: Packed | None

    @property
    def best(self) -> Route:
        """The seed with the fastest clock."""
        return best(self.routes)

    def module(self) -> dict[str, Any]:
        """Return the top module of the netlist.

        Raises:
            FileFormatError: It is no netlist.
        """
        return read_module(self.netlist.file, self.top.name)

    def paths(self, module: Mapping[str, Any]) -> Paths | None:
        """Return the latest paths of the best seed; ``None`` where the device has no room, or is no ECP5.

        Args:
            module: What :meth:`module` returned.

        Raises:
            FileFormatError: nextpnr's report is not what it should be.
        """
        if not self.best.fits or self.netlist.family != ECP5.name:
            return None
        names = {instance.name for instance in (*self.project.design.instances, *frame_checks(self.project.design))}

        def layer_of(cell: str) -> tuple[str, str] | None:
            instance, _, rest = cell.removeprefix(f"{self.top.network}.u_").partition(".")
            return (instance, rest) if cell.startswith(f"{self.top.network}.u_") and instance in names else None

        return read_paths(self.best.folder / REPORT, module, layer_of)


def run(plan: Plan, folder: Path, observer: Observer) -> Outcome:
    """Synthesise, place, route and pack a network.

    Args:
        plan: What is to be made.
        folder: The RTL goes to ``folder/rtl``, each step to a folder of its own beside it.
        observer: Is told how far it is.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: A tool failed or took too long. A design without room in the device is no failure.
        BoardError: The board cannot be used with this top.
        StorageError: A file cannot be read or written.
    """
    graph = plan.folding.graph
    project = rtl_project.write(graph, plan.folding, folder / "rtl")
    top = plan.top(project, plan.board)
    design = netlist.job(project, plan.folding, top, plan.board.family)
    observer.started("synthesis", None)
    made = netlist.synthesise(design, folder / f"synthesis-{netlist.key(design)[:_DIGITS]}", time_limit=plan.time_limit)
    usage = made.usage
    found = f"{usage.luteq:,} LUT, {usage.ff:,} FF, {usage.dsp:,} DSP, {usage.bram:,} BRAM before packing"
    observer.finished("synthesis", f"{found}, {_took(made.seconds, made.memory_mib)}", cached=made.cached)
    placer = Placer(plan.tools, plan.board, made, top.constraints, plan.mhz, plan.time_limit, plan.routed_netlist)
    routes = placer.routes(
        plan.seeds,
        {seed: folder / f"seed_{seed}-{placer.key(seed)[:_DIGITS]}" for seed in plan.seeds},
        processes=plan.jobs,
        started=lambda seed, log: observer.started(step_of(seed), log),
        finished=lambda route: observer.finished(step_of(route.seed), _said(route), cached=route.cached),
    )
    chosen = best(routes)
    if not chosen.fits:
        return Outcome(project, top, made, routes, None)
    observer.started("bitstream", None)
    name = f"bitstream-{placer.key(chosen.seed)[:_DIGITS]}"
    packed = placer.pack(chosen, folder / name, f"{project.top}.bit")
    observer.finished("bitstream", f"{packed.file.stat().st_size:,} B", cached=packed.cached)
    return Outcome(project, top, made, routes, packed)


def _said(route: Route) -> str:
    clocks = ", ".join(f"{clock.name} {clock.mhz:.1f} MHz" for clock in route.clocks) or route.failure
    return f"{clocks}, {_took(route.seconds, route.memory_mib)}"


def _took(seconds: float, memory_mib: int) -> str:
    return f"{seconds:.0f} s, {memory_mib:,} MiB"
