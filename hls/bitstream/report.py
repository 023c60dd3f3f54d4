"""What a bitstream run found, for people (tables) and for other tools (JSON)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from quantunet.constraints.board import Board
from quantunet.hls.bitstream.netlist import Netlist
from quantunet.hls.bitstream.paths import Path as TimingPath
from quantunet.hls.bitstream.paths import Paths
from quantunet.hls.bitstream.place import Packed, Route, best, step_of
from quantunet.hls.bitstream.routed import CELLS
from quantunet.provenance import Provenance, file_digest
from quantunet.storage import write_text

DOCUMENT = "report.json"


@dataclass(frozen=True)
class Simulation:
    """A netlist of the run that was simulated against golden.

    Attributes:
        netlist: The step that made it.
        frames: Adjacent frames.
        values_compared: Values of the output that were compared with golden's.
        mismatches: Those that differ.
        first_output: Cycles to the first output, and by the schedule.
        frame_ends: Cycles to the end of each frame, and by the schedule.
        problems: What is wrong, in words.
        seconds: Wall time, with what made the simulator.
    """

    netlist: str
    frames: int
    values_compared: int
    mismatches: int
    first_output: tuple[int, int]
    frame_ends: tuple[Sequence[int], Sequence[int]]
    problems: Sequence[str]
    seconds: float


@dataclass(frozen=True)
class Report:
    """A network on its way into a device.

    Attributes:
        network: The network's name.
        board: Whose device it is.
        top: The top module.
        mhz: The frequency that was asked for, in MHz.
        tools: Synthesis, and place and route, with their versions.
        netlist: The synthesis.
        feeds: Cells that begin or end carry chains, which nextpnr adds.
        lut_places: The LUT places that follow from the netlist with these.
        routes: What came out of each seed; empty where that was not reached.
        paths: The latest paths of the best seed; ``None`` where nothing was routed.
        packed: The bitstream; ``None`` where nothing was routed.
        folder: Where the report goes.
        provenance: What it is a report of.
        simulations: Netlists that were simulated; empty where none was asked for.
    """

    network: str
    board: Board
    top: str
    mhz: float
    tools: tuple[str, str]
    netlist: Netlist
    feeds: int
    lut_places: int
    routes: Sequence[Route]
    paths: Paths | None
    packed: Packed | None
    folder: Path
    provenance: Provenance
    simulations: Sequence[Simulation] = ()

    @property
    def best(self) -> Route:
        """The seed with the fastest clock."""
        return best(self.routes)

    @property
    def problems(self) -> list[str]:
        """Why this has not passed: no room in the device, a clock that is too slow, or a netlist that is not golden."""
        wrong = [f"{one.netlist}: {problem}" for one in self.simulations for problem in one.problems]
        if not self.best.fits:
            return [f"does not fit {self.board.name}: {self.best.failure}", *wrong]
        return wrong + [
            f"{clock.name} reaches {clock.mhz:.1f} MHz, less than {clock.needed_mhz:g} MHz"
            for clock in self.best.clocks
            if not clock.passes
        ]

    @property
    def passed(self) -> bool:
        """Whether it fits, every clock is as fast as was asked for, and what was simulated is golden's."""
        return self.packed is not None and not self.problems

    def document(self) -> dict[str, Any]:
        """Return what the JSON file holds."""
        usage = dataclasses.asdict(self.netlist.usage)
        return {
            "network": self.network,
            "board": self.board.name,
            "device": self.board.part,
            "top": self.top,
            "frequency_mhz": self.mhz,
            "tools": list(self.tools),
            "passed": self.passed,
            "problems": self.problems,
            "fits": self.best.fits,
            "cells": [
                {"kind": one.kind, "used": one.used, "available": one.available, "percent": round(one.percent, 2)}
                for one in self.best.usage
            ],
            "clocks": [dataclasses.asdict(clock) | {"passes": clock.passes} for clock in self.best.clocks],
            "best_seed": self.best.seed,
            "paths": self.paths
            and {
                "by_kind": [_path(path) for path in self.paths.by_kind],
                "by_layer": [_path(path) for path in self.paths.by_layer],
            },
            "bitstream": self.packed
            and {
                "file": str(self.packed.file.relative_to(self.folder)),
                "bytes": self.packed.file.stat().st_size,
                "sha256": file_digest(self.packed.file),
            },
            "steps": [
                {"step": name, "seconds": seconds, "memory_mib": memory, "cached": cached}
                for name, seconds, memory, cached in self.steps
            ],
            "synthesis": usage | {"carry_feeds": self.feeds, "lut_places": self.lut_places},
            "seeds": [
                {
                    "seed": route.seed,
                    "fits": route.fits,
                    "failure": route.failure,
                    "clocks": [dataclasses.asdict(clock) for clock in route.clocks],
                    "seconds": route.seconds,
                    "cpu_seconds": route.cpu_seconds,
                    "memory_mib": route.memory_mib,
                    "cached": route.cached,
                }
                for route in self.routes
            ],
            "simulations": [
                {
                    "netlist": one.netlist,
                    "frames": one.frames,
                    "values_compared": one.values_compared,
                    "mismatches": one.mismatches,
                    "first_output": one.first_output[0],
                    "first_output_predicted": one.first_output[1],
                    "frame_ends": list(one.frame_ends[0]),
                    "frame_ends_predicted": list(one.frame_ends[1]),
                    "problems": list(one.problems),
                    "seconds": one.seconds,
                }
                for one in self.simulations
            ],
            "provenance": self.provenance.document(),
        }

    @property
    def steps(self) -> list[tuple[str, float, int, bool]]:
        """Every step with its wall-clock seconds, its memory in MiB, and whether it had been done before."""
        found = [("synthesis", self.netlist.seconds, self.netlist.memory_mib, self.netlist.cached)]
        found += [(step_of(route.seed), route.seconds, route.memory_mib, route.cached) for route in self.routes]
        if self.packed:
            found.append(("bitstream", self.packed.seconds, self.packed.memory_mib, self.packed.cached))
        return found


def _path(path: TimingPath) -> dict[str, Any]:
    return dataclasses.asdict(path)


def write(report: Report) -> Path:
    """Write ``report.json`` and return its path.

    Raises:
        StorageError: It cannot be written.
    """
    path = report.folder / DOCUMENT
    write_text(path, json.dumps(report.document(), indent=1) + "\n")
    return path


def tables(report: Report) -> list[Table]:
    """Return the tables for the terminal: cells, seeds, simulations, and the latest paths by kind and by layer."""
    found = [_cells(report), _seeds(report)]
    if report.simulations:
        found.append(_simulations(report))
    if report.paths is not None:
        found.append(_latest("latest paths by kind", "kind", report.paths.by_kind))
        found.append(_latest("latest path of each layer", "layer", report.paths.by_layer))
    return found


def _cells(report: Report) -> Table:
    table = Table(title=f"{report.network}: {report.board.title}, {report.board.part}", title_justify="left")
    table.add_column("cells", no_wrap=True)
    for name in ("used", "of", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("are")
    for one in report.best.usage:
        style = "red" if one.used > one.available else None
        figures = (f"{one.used:,}", f"{one.available:,}", f"{one.percent:.1f} %")
        table.add_row(one.kind, *figures, CELLS.get(one.kind, ""), style=style)
    return table


def _seeds(report: Report) -> Table:
    table = Table(title=f"{report.tools[1]}, {report.mhz:g} MHz asked for", title_justify="left")
    table.add_column("seed", justify="right")
    table.add_column("clock", no_wrap=True)
    for name in ("MHz", "needs", "s", "processor s", "MiB"):
        table.add_column(name, justify="right", no_wrap=True)
    for route in report.routes:
        took = (f"{route.seconds:,.0f}", f"{route.cpu_seconds:,.0f}", f"{route.memory_mib:,}")
        mark = "bold" if route is report.best else None
        if not route.clocks:
            table.add_row(str(route.seed), "no room", "", "", *took, style="red")
        for clock in route.clocks:
            figures = (f"{clock.mhz:.1f}", f"{clock.needed_mhz:g}")
            table.add_row(str(route.seed), clock.name, *figures, *took, style=mark if clock.passes else "red")
    return table


def _simulations(report: Report) -> Table:
    table = Table(title="netlists simulated against golden", title_justify="left")
    table.add_column("netlist", no_wrap=True)
    for name in ("frames", "values", "differ", "first output", "predicted", "last output", "predicted", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in report.simulations:
        cycles = [f"{count:,}" for count in one.first_output]
        cycles += [f"{ends[-1]:,}" if ends else "none" for ends in one.frame_ends]
        figures = (str(one.frames), f"{one.values_compared:,}", f"{one.mismatches:,}", *cycles, f"{one.seconds:,.0f}")
        table.add_row(one.netlist, *figures, style="red" if one.problems else None)
    return table


def _latest(title: str, first: str, paths: Sequence[TimingPath]) -> Table:
    table = Table(title=title, title_justify="left")
    columns = [first, *(name for name in ("kind", "layer") if name != first), "ends at"]
    table.add_column("ns", justify="right", no_wrap=True)
    table.add_column("MHz", justify="right", no_wrap=True)
    for name in columns:
        table.add_column(name, no_wrap=True)
    table.add_column("ends", justify="right", no_wrap=True)
    for path in paths:
        values = {"kind": path.kind, "layer": path.layer, "ends at": path.signal}
        figures = (f"{path.arrival_ns:.2f}", f"{1000 / path.arrival_ns:.1f}")
        table.add_row(*figures, *(values[name] for name in columns), f"{path.count:,}")
    return table
