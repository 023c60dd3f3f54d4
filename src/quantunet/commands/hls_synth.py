"""``quantunet hls_synth``: HLS projects and RTL of every layer, and what each takes on a device."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from quantunet import api, exit_codes, tables
from quantunet.commands._numbers import whole
from quantunet.commands._parser import BOARDS, Parser, complete
from quantunet.commands._working import working
from quantunet.constraints.board import Board, board_names, load_board
from quantunet.errors import BoardError, ToolFailedError
from quantunet.ir import Graph
from quantunet.page import hls_synth as pages
from quantunet.page import index, render
from quantunet.provenance import Provenance, gather, graph_digest, value_digest
from quantunet.result_folder import network_folder, remove
from quantunet.zoo import DEFAULT_NETWORK, load_network, model_digest

if TYPE_CHECKING:
    from quantunet.hls.design import Style
    from quantunet.hls.synth.flow import Part
    from quantunet.hls.synth.yosys import Synthesis
    from quantunet.page.parts import Page

DEFAULT_FAMILY = "ecp5"
TIME_LIMIT = 900


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "hls_synth", help="write HLS projects and RTL, and synthesise every layer", description=__doc__
    )
    parser.add_model(default=DEFAULT_NETWORK)
    parser.add_argument("--layers", "--layer", default="", help="only these layers, separated by commas")
    parser.add_argument("--tool", choices=("yosys", "vitis"), default="yosys", help="(default: %(default)s)")
    board = parser.add_argument(
        "--board",
        help="show shares of this board's budget, and end with code 1 where it is exceeded: "
        f"{', '.join(board_names())}, or a board's file that ends with .toml",
    )
    complete(board, BOARDS)
    parser.add_argument("--folding", type=Path, help="JSON with PE, SIMD and style of layers; the rest is chosen")
    parser.add_argument("--write-folding", type=Path, help="write the folding in use to this file, to be edited")
    parser.add_argument("--interval", type=whole, help="frame interval in cycles that the default folding keeps")
    parser.add_argument(
        "--dsp",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="hard multipliers for the convolutions to which the folding gives no style",
    )
    parser.add_argument("--jobs", type=whole, default=os.cpu_count() or 1, help="syntheses at a time (%(default)s)")
    parser.add_argument("--time-limit", type=whole, default=TIME_LIMIT, help="seconds for one layer (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder of the results (build/<network>-<digest>/hls_synth)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.hls.folding import write_folding
    from quantunet.hls.generate.source_digest import hls_digest, rtl_digest
    from quantunet.hls.synth import flow, report, vitis, yosys

    reports = (report.DOCUMENT, report.TABLE, vitis.DOCUMENT, render.NAME)
    if args.out:
        remove(*(args.out / name for name in reports))
    with working(f"reading {args.model}"):
        graph = load_network(args.model)
    folder = args.out or network_folder(Path("build"), graph) / "hls_synth"
    remove(*(folder / name for name in reports))
    board = load_board(args.board) if args.board else None
    if args.tool == "vitis":
        _check_vitis_board(board)
        vitis.find_tool()
    else:
        yosys.version()
    layers = _layers(graph, args.layers)
    style: Style = "folded-dsp" if args.dsp else "folded-lut"
    with working("choosing a folding"):
        folding = api.choose_folding(graph, args.folding, args.interval, style)
    if args.write_folding:
        write_folding(args.write_folding, folding)
    console = tables.output()
    with console.status("writing RTL"):
        parts = flow.write_rtl(graph, folding, folder / "rtl", layers)
    projects = _write_hls4ml(graph, layers, folder / "hls4ml", board, console)
    console.print(f"RTL: {folder / 'rtl'}   hls4ml projects: {folder / 'hls4ml'}", soft_wrap=True)
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(graph),
        "folding": value_digest(folding),
        "rtl": rtl_digest(folder, [folder / "rtl" / "network", *(folder / "rtl" / "layers" / name for name in layers)]),
        "hls": hls_digest(folder, [folder / "hls4ml" / "network", *projects.values()]),
    }
    made = gather(args, ("numpy", "onnx", "hls4ml", *(("pyosys",) if args.tool == "yosys" else ())), inputs)
    if args.tool == "vitis":
        return _run_vitis(args, graph, projects, folder, console, made)
    return _run_yosys(args, graph, parts, board, folder, console, made)


def _layers(graph: Graph, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()] or [node.name for node in graph.nodes]
    return [graph.node(name).name for name in dict.fromkeys(names)]


def _check_vitis_board(board: Board | None) -> None:
    if board is not None and board.family != "xc7":
        raise BoardError(
            board.name,
            expected="a board with an AMD device for Vitis",
            got=board.part,
            hint="Use --tool yosys for this board.",
        )


def _write_hls4ml(
    graph: Graph, layers: Sequence[str], folder: Path, board: Board | None, console: Console
) -> dict[str, Path]:
    """Write the hls4ml project of every layer, and of the network; return the layers' folders."""
    from quantunet.hls.csim import project, target

    is_amd = board is not None and board.family == "xc7"
    part = board.part if board is not None and is_amd else target.PART
    clock_ns = 1000 / board.clk_mhz if board is not None and is_amd else target.CLOCK_NS
    written: dict[str, Path] = {}
    with _progress(console) as progress:
        task = progress.add_task("hls4ml projects", total=len(layers) + 1)
        for name in layers:
            written[name] = project.write_layer(graph, name, folder, part=part, clock_ns=clock_ns)
            progress.advance(task)
        project.write_network(graph, folder, part=part, clock_ns=clock_ns)
        progress.advance(task)
    return written


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _back(args: argparse.Namespace) -> str:
    return "" if args.out else index.BACK


def _write_page(args: argparse.Namespace, folder: Path, make: Callable[[], Page]) -> None:
    """Write the page, and the one over the build folder where the results are in it."""
    render.write_page(folder / render.NAME, make)
    if not args.out:
        index.write_index(folder.parents[1])


def _run_yosys(
    args: argparse.Namespace,
    graph: Graph,
    parts: Sequence[Part],
    board: Board | None,
    folder: Path,
    console: Console,
    made: Provenance,
) -> int:
    from quantunet.hls.synth import flow, report, yosys

    family = board.family if board else DEFAULT_FAMILY
    begin = time.monotonic()
    running: list[str] = []
    done: dict[str, Synthesis] = {}
    failure: ToolFailedError | None = None
    with _progress(console) as progress:
        task = progress.add_task("synthesis", total=len(parts))

        def started(name: str) -> None:
            running.append(name)
            progress.update(task, description=f"synthesis of {', '.join(running)}")

        def finished(name: str, result: Synthesis) -> None:
            running.remove(name)
            done[name] = result
            progress.update(task, advance=1, description=f"synthesis of {', '.join(running)}")
            if not result.cached:
                usage = result.usage
                console.print(
                    f"{name}: {usage.lut} LUT, {usage.ff} FF, {usage.dsp} DSP, {usage.bram} BRAM, "
                    f"depth {result.levels}, {result.seconds:.0f} s, {result.memory_mib} MiB",
                    style="dim",
                    highlight=False,
                    soft_wrap=True,
                )

        try:
            flow.synthesise(
                parts,
                folder / "cache",
                family=family,
                processes=args.jobs,
                time_limit=args.time_limit,
                started=started,
                finished=finished,
            )
        except ToolFailedError as error:
            failure = error
    whole = [part for part in parts if part.name in done]
    results = [done[part.name] for part in whole]
    found = report.Report(
        network=graph.name,
        tool=f"yosys {yosys.version()}",
        family=family,
        board=board,
        parts=whole,
        results=results,
        seconds=time.monotonic() - begin,
        folder=folder,
        failure=str(failure or ""),
        provenance=made,
    )
    json_path, csv_path = report.write(found)
    _write_page(args, folder, lambda: pages.hls_synth_page(report.document(found), _back(args)))
    if failure is not None:
        raise failure
    tables.show(console, report.table(found), keys=2)
    for part, result in zip(whole, results, strict=True):
        for concern in flow.concerns(result):
            console.print(f"{part.name}: {concern}", style="yellow", highlight=False, soft_wrap=True)
    for problem in found.problems:
        console.print(problem, style="red", highlight=False, soft_wrap=True)
    files = "   ".join(str(path) for path in (json_path, csv_path, *render.written(folder)))
    console.print(f"{found.seconds:.0f} s   {files}", highlight=False, soft_wrap=True)
    return exit_codes.SUCCESS if found.passed else exit_codes.DIFFERENCE


def _run_vitis(
    args: argparse.Namespace,
    graph: Graph,
    projects: dict[str, Path],
    folder: Path,
    console: Console,
    made: Provenance,
) -> int:
    from quantunet.hls.synth import vitis

    table = Table(title=f"{graph.name}: Vitis HLS estimates", title_justify="left")
    table.add_column("layer")
    for name in ("LUT", "FF", "DSP", "BRAM_18K", "latency", "interval", "clock ns"):
        table.add_column(name, justify="right")
    path = folder / vitis.DOCUMENT
    estimates: dict[str, vitis.Estimate] = {}
    with _progress(console) as progress:
        task = progress.add_task("Vitis HLS", total=len(projects))
        for name, project in projects.items():
            progress.update(task, description=f"Vitis HLS of {name}")
            try:
                found = estimates[name] = vitis.synthesise(project, name)
            except ToolFailedError as error:
                vitis.write_report(path, graph.name, estimates, failure=str(error), provenance=made)
                raise
            figures = (found.lut, found.ff, found.dsp, found.bram_18k, found.latency, found.interval)
            table.add_row(name, *(f"{figure:,}" for figure in figures), f"{found.clock_ns:.2f}")
            progress.advance(task)
    vitis.write_report(path, graph.name, estimates, provenance=made)
    _write_page(args, folder, lambda: pages.vitis_page(json.loads(path.read_text(encoding="utf-8")), _back(args)))
    tables.show(console, table)
    console.print(str(path), highlight=False, soft_wrap=True)
    return exit_codes.SUCCESS
