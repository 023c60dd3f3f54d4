"""``quantunet fold``: PE, SIMD and style of every layer, for a frame rate, for a device, or both."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from quantunet import api, exit_codes, tables
from quantunet.commands._numbers import positive, whole
from quantunet.commands._parser import BOARDS, Parser, complete
from quantunet.commands._working import working
from quantunet.constraints.board import BRAM_SHARE, RESOURCES, Board, board_names, load_board
from quantunet.constraints.device import ESTIMATED_FAMILY, of_family, smallest
from quantunet.errors import FoldingError
from quantunet.hls.design import FOLD_STYLES, STYLES
from quantunet.ir import Graph
from quantunet.provenance import gather, graph_digest, value_digest
from quantunet.suggestions import hinted
from quantunet.zoo import load_network, model_digest

if TYPE_CHECKING:
    from quantunet.hls.choose.solver import Solution
    from quantunet.hls.resources.terms import Cost


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "fold", help="choose PE, SIMD and style of every layer for a frame rate or a device", description=__doc__
    )
    parser.add_model()
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--fps", type=positive, help="frames a second that the network must reach")
    speed.add_argument("--interval", type=whole, help="cycles between frames that no layer may exceed")
    device = parser.add_mutually_exclusive_group()
    device.add_argument(
        "--budget", help=f"what there is, for example lut=70000,dsp=156,bram=208 ({', '.join(RESOURCES)})"
    )
    board = device.add_argument(
        "--board",
        help=f"what the device of a board has, of block RAM {100 * BRAM_SHARE} %%: {', '.join(board_names())}, "
        "or a board's file that ends with .toml",
    )
    complete(board, BOARDS)
    parser.add_argument(
        "--clock-mhz",
        "--freq",
        type=positive,
        help="clock (default: with --fps what such a design should reach in an LFE5U-85F of speed grade 6, by a "
        f"model fitted to routed designs; else {api.CLOCK_MHZ:g})",
    )
    parser.add_argument(
        "--styles", default=",".join(FOLD_STYLES), help=f"styles out of {', '.join(STYLES)} (default: %(default)s)"
    )
    parser.add_argument("--max-lanes", type=whole, help="most PE or SIMD of a layer: shorter sums for a faster clock")
    parser.add_argument("--time-limit", type=positive, help="for each search, about seconds")
    parser.add_argument("--out", type=Path, help="write the folding to this file, for cosim and hls_synth")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    with working("loading the solver") as tell:
        from quantunet.hls.folding import write_folding

        goal = api.fold_goal(
            fps=args.fps,
            interval=args.interval,
            budget=_budget(args.budget) if args.budget else None,
            board=args.board,
            clock_mhz=args.clock_mhz,
            styles=[name.strip() for name in args.styles.split(",")],
            max_lanes=args.max_lanes,
            time_limit=args.time_limit,
        )
        board = load_board(args.board) if args.board else None
        tell(f"reading {args.model}")
        graph = load_network(args.model)
        tell(f"looking for the best folding of {graph.name}")
        found = goal.search(graph)
    clock_mhz = goal.clock_of(found)
    if args.out and not found.excess:
        write_folding(args.out, found.folding)
    if args.json:
        inputs = {
            "model": model_digest(args.model),
            "graph": graph_digest(graph),
            "folding": value_digest(found.folding),
        }
        made = gather(args, ("numpy", "onnx", "ortools"), inputs).document()
        json.dump(document(graph, found, goal.budget, clock_mhz) | {"provenance": made}, sys.stdout, indent=1)
        print()
    else:
        _print(graph, found, goal.budget, board, clock_mhz)
        if goal.fps is not None:
            tables.output().print(_clock_sentence(found, clock_mhz), highlight=False)
        if args.out and not found.excess:
            print(args.out)
    if found.excess:
        with working("looking for a frame rate that the budget allows"):
            error = goal.excess_error(graph, found)
        raise error
    return exit_codes.SUCCESS


def _budget(text: str) -> dict[str, int]:
    budget: dict[str, int] = {}
    for entry in text.split(","):
        name, _, value = entry.strip().partition("=")
        if name not in RESOURCES or not value.strip().isdecimal() or name in budget:
            raise FoldingError(
                "--budget",
                expected=f"each of {', '.join(RESOURCES)} at most once, with a whole number",
                got=f"'{entry.strip()}'",
                hint=hinted(name, RESOURCES, "For example: --budget lut=70000,dsp=156,bram=208"),
            )
        budget[name] = int(value)
    return budget


def _fps(interval: int, clock_mhz: float) -> float:
    return clock_mhz * 1e6 / interval


def document(graph: Graph, found: Solution, budget: Mapping[str, int], clock_mhz: float) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    from quantunet.hls.resources.calibration import calibration

    fitted, amounts = calibration(), found.total.amounts
    device = smallest(amounts, ESTIMATED_FAMILY)
    return {
        "network": graph.name,
        "frame_interval": found.interval,
        "clock_mhz": clock_mhz,
        "fps": round(_fps(found.interval, clock_mhz), 3),
        "gap": round(found.gap, 6),
        "fits": not found.excess,
        "smallest_device": {"name": device.name, "boards": list(device.boards)} if device else None,
        "cost_model": {
            "device": "ECP5",
            "tool": fitted.tool,
            "samples": fitted.samples,
            "errors": {name: {"median": median, "worst": worst} for name, (median, worst) in fitted.errors.items()},
        },
        "layers": [
            {
                "name": item.name,
                "op": item.module,
                "pe": item.fold.pe,
                "simd": item.fold.simd,
                "style": item.fold.style,
                "cycles": item.cycles,
                **item.cost.amounts,
            }
            for item in found.items
            if item.fold is not None
        ],
        "plumbing": [
            {"at": item.name, "module": item.module, **item.cost.amounts} for item in found.items if item.fold is None
        ],
        "total": amounts,
        "budget": dict(budget),
    }


def _print(graph: Graph, found: Solution, budget: Mapping[str, int], board: Board | None, clock_mhz: float) -> None:
    from quantunet.hls.resources.calibration import calibration
    from quantunet.hls.resources.terms import Cost

    table = Table(title=f"{graph.name}: estimates for an ECP5", title_justify="left")
    for name in ("layer", "op"):
        table.add_column(name, no_wrap=True)
    for name in ("PE", "SIMD"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("style", no_wrap=True)
    for name in ("cycles", "LUT places", *(name.upper() for name in RESOURCES if name != "lut")):
        table.add_column(name, justify="right", no_wrap=True)
    for item in found.items:
        if item.fold is not None:
            style = item.fold.style if item.module.startswith("conv") else ""
            shape = (str(item.fold.pe), str(item.fold.simd), style)
            slowest = item.cycles == found.interval
            cycles = f"[bold]{item.cycles:,}[/bold]" if slowest else f"{item.cycles:,}"
            table.add_row(item.name, item.module, *shape, cycles, *_figures(item.cost))
    table.add_section()
    plumbing = [item for item in found.items if item.fold is None]
    for module in dict.fromkeys(item.module for item in plumbing):
        members = [item for item in plumbing if item.module == module]
        total = sum((item.cost for item in members), Cost())
        table.add_row(f"between layers ({len(members)})", module, "", "", "", "", *_figures(total))
    table.add_section()
    table.add_row("total", "", "", "", "", f"max {found.interval:,}", *_figures(found.total), style="bold")
    if budget:
        table.add_row("budget", "", "", "", "", "", *(f"{budget[n]:,}" if n in budget else "" for n in RESOURCES))
        used = [100 * getattr(found.total, n) / max(budget[n], 1) if n in budget else None for n in RESOURCES]
        shares = ["" if u is None else f"[red]{u:.0f} %[/red]" if u > 100 else f"{u:.0f} %" for u in used]
        table.add_row("share", "", "", "", "", "", *shares)
    console = tables.output()
    tables.show(console, table, keys=2)
    fitted = calibration()
    errors = ", ".join(
        f"{name.upper()} {100 * median:.0f} % ({100 * worst:.0f} %)" for name, (median, worst) in fitted.errors.items()
    )
    fps = _fps(found.interval, clock_mhz)
    for line in (
        f"a frame every {found.interval:,} cycles: {fps:.1f} a second at {clock_mhz:.4g} MHz",
        "proven best" if found.gap == 0 else f"the best that was found; at most {100 * found.gap:.1f} % from the best",
        f"median (and worst) error of the estimates: {errors}, on {fitted.samples} syntheses with {fitted.tool}",
    ):
        console.print(line, highlight=False)
    if not budget:
        console.print(_where_it_fits(found.total), highlight=False)
    if board is not None and board.family != "ecp5":
        console.print(
            f"{board.name} has another device family ({board.family}): the estimates are of an ECP5, "
            "synthesise with hls_synth before you rely on them",
            style="yellow",
            highlight=False,
        )


def _clock_sentence(found: Solution, clock_mhz: float) -> str:
    from quantunet.hls.choose.clock import clock_model, features_of

    model = clock_model()
    middle = model.mhz(features_of(found.folding, found.total.lut))
    return (
        f"the clock is {clock_mhz:.1f} MHz: {middle:.1f} by a model of {model.designs} routed designs, less its worst "
        f"error on designs that it had not seen ({100 * model.worst:.1f} %; median {100 * model.median:.1f} %)"
    )


def _where_it_fits(total: Cost) -> str:
    """Return a sentence that names the smallest ECP5, and the smallest board, or what the largest one lacks."""
    found = of_family(ESTIMATED_FAMILY)
    enough = [device for device in found if not device.lacks(total.amounts)]
    if not enough:
        lacks = ", ".join(
            f"{more} {name.upper()} more than the {found[-1].budget.limits[name]} that a design may take"
            for name, more in found[-1].lacks(total.amounts).items()
        )
        return f"[red]fits no ECP5: of the largest, {found[-1]}, it needs {lacks}[/red]"
    board = next((board for device in enough for board in device.boards), None)
    on = f"; the smallest board is {board}" if board else "; no board here has room"
    return f"the smallest ECP5 with room is the {enough[0].name}{on}"


def _figures(cost: Cost) -> list[str]:
    return [f"{getattr(cost, name):,}" for name in RESOURCES]
