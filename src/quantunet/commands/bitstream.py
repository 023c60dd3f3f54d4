"""``quantunet bitstream``: the whole network synthesised, placed, routed and packed for a board."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from quantunet import api, exit_codes, tables
from quantunet.commands._numbers import positive, whole
from quantunet.commands._parser import BOARDS, Parser, complete
from quantunet.commands._working import working
from quantunet.constraints.board import DEFAULT_BOARD, board_names, load_board
from quantunet.errors import OptionError
from quantunet.page import bitstream as pages
from quantunet.page import index, render
from quantunet.provenance import gather, graph_digest, value_digest
from quantunet.result_folder import network_folder, remove
from quantunet.zoo import DEFAULT_NETWORK, load_network, model_digest

if TYPE_CHECKING:
    from quantunet.hls.bitstream import flow, report

TOOLS = ("auto", "native", "pip")
TOPS = ("board", "measurement")
TIME_LIMIT = 6 * 3600
"""Defaults and choices, spelled out so that help texts need no extra; a test compares them with what they stand for."""

FRAMES = 2
"""Adjacent frames that --verify simulates."""

_TAIL = 4096
_STAGE = 60


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "bitstream", help="synthesise, place, route and pack a whole network for a board", description=__doc__
    )
    parser.add_model(default=DEFAULT_NETWORK)
    board = parser.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        help=f"out of {', '.join(board_names())}, with an ECP5 or a Nexus (default: %(default)s)",
    )
    complete(board, BOARDS)
    parser.add_argument("--folding", type=Path, help="JSON with PE, SIMD and style of layers; the rest is chosen")
    parser.add_argument("--interval", type=whole, help="frame interval in cycles that the default folding keeps")
    parser.add_argument(
        "--freq", type=positive, default=api.CLOCK_MHZ, help="clock in MHz that must be reached (default: %(default)s)"
    )
    parser.add_argument(
        "--top",
        choices=TOPS,
        default=TOPS[0],
        help="what stands around the network: the board's clock generator, serial port and lamps, to be loaded into it "
        "(board, the default), or its streams on pins that nextpnr chooses (measurement)",
    )
    parser.add_argument("--baud", type=whole, help="bits a second on the serial line (the most that the board does)")
    parser.add_argument("--seeds", type=whole, default=1, help="place and route with seeds 1 to N (default: 1)")
    parser.add_argument("--jobs", type=whole, default=os.cpu_count() or 1, help="seeds at a time (%(default)s)")
    parser.add_argument(
        "--nextpnr", choices=TOOLS, default=TOOLS[0], help="a native one on PATH, or else pip's (auto); one of the two"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="simulate the netlists that synthesis and place and route have made, and compare them with golden; "
        "needs --top measurement, and the extra sim",
    )
    parser.add_argument("--time-limit", type=whole, default=TIME_LIMIT, help="seconds for one step (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the results (build/<network>-<digest>/bitstream)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.hls.bitstream import flow, packing, report, tools, top
    from quantunet.hls.generate.source_digest import rtl_digest
    from quantunet.hls.synth import yosys
    from quantunet.hls.synth.carry_feeds import carry_feeds
    from quantunet.hls.synth.families import FAMILIES

    if args.baud and args.top != "board":
        raise OptionError("--baud", expected="the top of a board", got=f"--top {args.top}", hint="Leave --baud out.")
    if args.verify and args.top != "measurement":
        raise OptionError(
            "--verify",
            expected="--top measurement, whose ports are the network's streams",
            got=f"--top {args.top}",
            hint="Verify with --top measurement, or leave --verify out.",
        )
    if args.verify and load_board(args.board).family != "ecp5":
        raise OptionError("--verify", expected="a board with an ECP5, of whose cells there are models", got=args.board)
    if args.out:
        remove(*(args.out / name for name in (report.DOCUMENT, render.NAME)))
    with working(f"reading {args.model}"):
        graph = load_network(args.model)
    folder = args.out or network_folder(Path("build"), graph) / "bitstream"
    remove(*(folder / name for name in (report.DOCUMENT, render.NAME)))
    board = load_board(args.board)
    tools.device_options(board)
    synthesiser, placer = f"yosys {yosys.version()}", tools.find(args.nextpnr, board.family)
    with working("choosing a folding"):
        folding = api.choose_folding(graph, args.folding, args.interval)
    plan = flow.Plan(
        folding=folding,
        board=board,
        tools=placer,
        mhz=args.freq,
        seeds=range(1, args.seeds + 1),
        jobs=args.jobs,
        time_limit=args.time_limit,
        top=top.serial_top(graph, board, args.freq, args.baud) if args.top == "board" else top.measurement_top,
        routed_netlist=args.verify,
    )
    console = tables.output()
    with _Display(console) as display:
        outcome = flow.run(plan, folder, display)
        display.started("latest paths", None)
        module = outcome.module()
        paths = outcome.paths(module)
        simulations = _simulate(outcome, plan, folder, display) if args.verify else []
    family = FAMILIES[board.family]
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(graph),
        "folding": value_digest(folding),
        "rtl": rtl_digest(folder, [outcome.project.folder]),
    }
    found = report.Report(
        network=graph.name,
        board=board,
        top=outcome.top.name,
        mhz=args.freq,
        tools=(synthesiser, str(placer)),
        netlist=outcome.netlist,
        feeds=carry_feeds(module, family),
        lut_places=packing.lut_places(module, family),
        routes=outcome.routes,
        paths=paths,
        packed=outcome.packed,
        folder=folder,
        provenance=gather(args, ("numpy", "onnx", "pyosys", placer.name), inputs),
        simulations=simulations,
    )
    path = report.write(found)
    render.write_page(
        folder / render.NAME, lambda: pages.bitstream_page(found.document(), "" if args.out else index.BACK)
    )
    if not args.out:
        index.write_index(folder.parents[1])
    for table in report.tables(found):
        tables.show(console, table)
    for problem in found.problems:
        console.print(problem, style="red", highlight=False, soft_wrap=True)
    written = f"{outcome.packed.file}   " if outcome.packed else ""
    files = "   ".join(str(one) for one in (path, *render.written(folder)))
    console.print(f"{written}{files}", highlight=False, soft_wrap=True)
    return exit_codes.SUCCESS if found.passed else exit_codes.DIFFERENCE


def _simulate(outcome: flow.Outcome, plan: flow.Plan, folder: Path, display: _Display) -> list[report.Simulation]:
    """Simulate the netlists of a run: that of the synthesis, and the routed one of the best seed."""
    from quantunet.hls.bitstream import place, report, routed_netlist
    from quantunet.random_network import random_image
    from quantunet.rtl_sim.frames import adjacent_frames
    from quantunet.rtl_sim.netlist_bench import run_netlist

    graph, top = plan.folding.graph, outcome.top
    assert top.latency is not None  # --verify asks for a top with streams
    images = adjacent_frames(graph, random_image(graph), FRAMES)
    netlists = {"synthesis": outcome.netlist.file}
    if outcome.best.fits:
        routed = folder / "simulation" / "routed.json"
        routed.parent.mkdir(parents=True, exist_ok=True)
        routed_netlist.rewrite(outcome.best.folder / place.ROUTED, top.name, routed)
        netlists[place.step_of(outcome.best.seed)] = routed
    found = []
    for step, netlist in netlists.items():
        name = f"simulation of {step}"
        display.started(name, None)
        begin = time.monotonic()
        result = run_netlist(
            graph,
            plan.folding,
            outcome.project,
            netlist,
            top.name,
            folder / "simulation",
            images,
            latency=top.latency,
            settle=top.settle,
            time_limit=plan.time_limit,
        )
        seen, seconds = result.bench, round(time.monotonic() - begin, 1)
        found.append(
            report.Simulation(
                netlist=step,
                frames=result.frames,
                values_compared=seen.values_compared,
                mismatches=seen.mismatches,
                first_output=(seen.first_output, result.first_output_predicted),
                frame_ends=(seen.frame_ends, result.frame_ends_predicted),
                problems=result.problems,
                seconds=seconds,
            )
        )
        counted = f"{seen.mismatches:,} of {seen.values_compared:,} values differ, {seconds:.0f} s"
        display.finished(name, counted, cached=False)
    return found


class _Stage(ProgressColumn):
    """The last line that a running tool has printed."""

    max_refresh = 1.0

    def render(self, task: Task) -> Text:
        """Return that line, shortened."""
        log = task.fields.get("log")
        try:
            data = b"" if log is None else _end(log)
        except OSError:
            data = b""
        lines = [line for line in data.decode(errors="replace").splitlines() if line.strip()]
        return Text(lines[-1].removeprefix("Info:").strip()[:_STAGE] if lines else "", style="dim")


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL, 0))
        return file.read()


class _Display(AbstractContextManager["_Display"]):
    """Shows which steps run, and prints a line for each that is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            _Stage(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, step: str, log: Path | None) -> None:
        """Show a step that runs."""
        self._tasks[step] = self._progress.add_task(step, total=None, log=log)

    def finished(self, step: str, message: str, *, cached: bool) -> None:
        """Print what a step came to."""
        if step in self._tasks:
            self._progress.remove_task(self._tasks.pop(step))
        before = " (done before)" if cached else ""
        self._console.print(f"{step}: {message}{before}", style="dim", highlight=False, soft_wrap=True)
