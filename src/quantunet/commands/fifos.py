"""``quantunet fifos``: how deep each FIFO must be, how deep it is, how full it gets, and what one beat less does."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from quantunet import api, exit_codes, golden, tables
from quantunet.commands._parser import Parser
from quantunet.commands._working import working
from quantunet.page.index import write_index
from quantunet.provenance import gather, graph_digest, value_digest
from quantunet.result_folder import network_folder, remove
from quantunet.storage import write_text
from quantunet.zoo import load_network, model_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.status import Status

    from quantunet.hls.folding import Folding
    from quantunet.hls.schedule.report import FifoReport
    from quantunet.ir import Graph

_BAR = 16


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "fifos", help="depth, fill and cost of every FIFO, and what one beat less does", description=__doc__
    )
    parser.add_model()
    parser.add_argument("--folding", type=Path, help="JSON file with PE and SIMD of every layer")
    parser.add_argument("--interval", type=int, help="frame interval in cycles that the default folding keeps")
    parser.add_argument("--simulate", action="store_true", help="measure the highest fill in RTL over adjacent frames")
    parser.add_argument(
        "--one-less",
        action="store_true",
        help="simulate every FIFO at its smallest depths and at one beat less; for small networks",
    )
    parser.add_argument(
        "--exact",
        action=argparse.BooleanOptionalAction,
        help="look for the smallest depths at full speed (a minute at 128 x 128 pixels; default: for smaller networks)",
    )
    parser.add_results("fifos")
    parser.set_defaults(run=run)


@dataclass
class _Trial:
    """A simulation with one FIFO's limit."""

    fifo: str
    limit: int
    frame_interval: int
    predicted_interval: int
    deadlock: bool
    predicted_deadlock: bool
    stuck: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "deadlock" if self.deadlock else f"frame interval {self.frame_interval}"

    @property
    def as_predicted(self) -> bool:
        if self.deadlock or self.predicted_deadlock:
            return self.deadlock and self.predicted_deadlock
        return self.frame_interval == self.predicted_interval


@dataclass
class _Simulation:
    """What the simulations showed."""

    frames: int = 0
    frame_interval: int = 0
    first_output: int = 0
    predicted_first_output: int = 0
    fill: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    trials: list[_Trial] = field(default_factory=list)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.hls.generate.source_digest import rtl_digest
    from quantunet.hls.schedule.report import fifo_report

    graph = load_network(args.model)
    folder = network_folder(args.build, graph) / "fifos"
    path = folder / "report.json"
    remove(path)
    with working("choosing a folding"):
        folding = api.choose_folding(graph, args.folding, args.interval)
    console = tables.output()
    simulation = _Simulation()
    with console.status("depths") as status:
        report = fifo_report(graph, folding, exact=True if args.one_less else args.exact)
        if args.simulate or args.one_less:
            _simulate(graph, folding, report, simulation, args, folder, status)
    _print(console, report, simulation)
    projects = [folder / "network"] if simulation.frames else []
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(graph),
        "folding": value_digest(folding),
        "rtl": rtl_digest(folder, projects),
    }
    tools = ("numpy", "onnx", "g++", *(("verilator", "cocotb") if simulation.frames else ()))
    document = _document(report, simulation) | {"provenance": gather(args, tools, inputs).document()}
    write_text(path, json.dumps(document, indent=1) + "\n")
    write_index(args.build)
    console.print(f"report: {path}")
    passed = not simulation.problems and all(trial.as_predicted for trial in simulation.trials)
    return exit_codes.SUCCESS if passed else exit_codes.DIFFERENCE


def _simulate(
    graph: Graph,
    folding: Folding,
    report: FifoReport,
    simulation: _Simulation,
    args: argparse.Namespace,
    folder: Path,
    status: Status,
) -> None:
    from quantunet.hls.schedule.exact import schedule
    from quantunet.hls.schedule.full_speed import FRAMES
    from quantunet.random_network import random_image
    from quantunet.rtl_sim.fifo_bench import FifoBench
    from quantunet.rtl_sim.frames import adjacent_frames

    status.update("build of the simulator")
    image = random_image(graph)
    frames = [golden.run(graph, frame) for frame in adjacent_frames(graph, image, FRAMES)]
    bench = FifoBench(graph, folding, frames, folder / "network", folder / "builds", jobs=os.cpu_count() or 1)
    status.update("simulation")
    result = bench.run()
    simulation.frames = FRAMES
    simulation.frame_interval, simulation.first_output = result.frame_interval, result.first_output
    simulation.fill = {name: fill for name, (_, fill) in result.fifo_max_fill.items()}
    simulation.problems = result.problems
    simulation.predicted_first_output = schedule(report.design, 1).first_output
    if not args.one_less:
        return

    def trial(fifo: str, limit: int, limits: Mapping[str, int]) -> None:
        status.update(f"simulation: {fifo}, limit {limit}")
        predicted, found = schedule(report.design, FRAMES, limits=limits), bench.run(limits)
        simulation.trials.append(
            _Trial(
                fifo,
                limit,
                found.frame_interval,
                predicted.frame_interval,
                found.timed_out,
                bool(predicted.stuck),
                tuple(found.stuck),
            )
        )

    least = {row.name: row.least for row in report.rows if row.least}
    fast = {row.name: row.full_speed for row in report.rows if row.full_speed is not None}
    if least:
        trial("all", 0, least)
    for name, limit in least.items():
        trial(name, limit - 1, {name: limit - 1})
    trial("all", 1, fast)
    for name, limit in fast.items():
        if limit > 2:  # the least that the module can have
            trial(name, limit - 1, {**fast, name: limit - 1})


def _print(console: Console, report: FifoReport, simulation: _Simulation) -> None:
    console.print(f"{report.network}: frame interval {report.interval} cycles")
    heads = ("no deadlock", "one frame", "full speed", "depth", "of a frame", "kbit", "block RAM", "fill")
    table = Table("FIFO", "read by", *heads, "")
    for column in table.columns[2:-1]:
        column.justify = "right"
    table.columns[0].no_wrap = table.columns[-1].no_wrap = True
    for row in report.rows:
        fill = simulation.fill.get(row.name)
        bar = "█" * round(_BAR * min(row.share, 1)) if fill is None else _bar(fill, row.depth)
        table.add_row(
            row.name,
            row.reader,
            str(row.least or "-"),
            str(row.one_frame or "-"),
            "" if row.full_speed is None else str(row.full_speed),
            str(row.depth),
            f"{row.share:.1%}",
            f"{row.memory_bits / 1024:.1f}",
            str(row.block_rams),
            "" if fill is None else str(fill),
            bar,
        )
    total = sum(row.memory_bits for row in report.rows) / 1024
    table.add_section()
    blocks = str(sum(row.block_rams for row in report.rows))
    table.add_row("total", "", "", "", "", "", "", f"{total:.1f}", blocks, "", "")
    tables.show(console, table)
    if simulation.frames:
        console.print(
            f"simulated, {simulation.frames} adjacent frames: frame interval {simulation.frame_interval} "
            f"(predicted {report.interval}), first output {simulation.first_output} "
            f"(predicted {simulation.predicted_first_output})"
        )
    for problem in simulation.problems:
        console.print(problem, style="red")
    _print_trials(console, simulation)


def _bar(fill: int, depth: int) -> str:
    full = round(_BAR * fill / depth)
    return "█" * full + "░" * (_BAR - full)


def _print_trials(console: Console, simulation: _Simulation) -> None:
    if not simulation.trials:
        return
    table = Table("FIFO", "limit", "simulated", "as predicted", "what is stuck")
    for trial in simulation.trials:
        limit = str(trial.limit)
        if trial.fifo == "all":
            limit = "full speed" if trial.limit else "no deadlock"
        style = None if trial.as_predicted else "red"
        table.add_row(
            trial.fifo, limit, trial.text, "yes" if trial.as_predicted else "no", "\n".join(trial.stuck), style=style
        )
    tables.show(console, table)


def _document(report: FifoReport, simulation: _Simulation) -> dict[str, object]:
    rows = [
        {**asdict(row), "share": row.share, "memory_bits": row.memory_bits, "block_rams": row.block_rams}
        for row in report.rows
    ]
    return {
        "network": report.network,
        "frame_interval": report.interval,
        "fifos": rows,
        "simulation": asdict(simulation) if simulation.frames else None,
    }
