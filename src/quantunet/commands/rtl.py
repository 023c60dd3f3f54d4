"""``quantunet rtl``: the network as an IP for other flows, without synthesis.

It holds SystemVerilog with memory files, benches with one picture and its result, and descriptions for FuseSoC, Vivado,
IP-XACT and LiteX. Nothing in it needs this program.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table

from quantunet import api, exit_codes, tables
from quantunet.commands._parser import Parser
from quantunet.constraints.board import load_board
from quantunet.errors import OptionError
from quantunet.zoo import load_network

BOARD = "arty_a7_100t"
"""The board whose part Vivado's script takes unless another one is named."""

VIVADO = "xc7"
"""Family of the boards whose parts Vivado knows."""


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "rtl", help="write a network as an IP for other flows: SystemVerilog, benches, FuseSoC, Vivado, IP-XACT, LiteX",
        description=__doc__,
    )  # fmt: skip
    parser.add_model()
    parser.add_argument("--out", type=Path, required=True, help="the folder; it must be new or empty")
    parser.add_argument("--force", action="store_true", help="replace a package that stands there, as a whole")
    parser.add_argument("--folding", type=Path, help="JSON with PE, SIMD and style of layers; the rest is chosen")
    parser.add_argument("--interval", type=int, help="frame interval in cycles that the default folding keeps")
    parser.add_argument(
        "--verilog", action="store_true", help="add the IP as one module of plain Verilog (Verilog-2001), made by Yosys"
    )
    parser.add_argument(
        "--freq", type=float, default=api.CLOCK_MHZ, help="clock in MHz for Vivado's script (default: %(default)s)"
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--board", default=BOARD, help="board whose part Vivado's script takes (default: %(default)s)")
    target.add_argument("--part", help="that part itself, where the board is none of the list")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.hls.ip import package

    if not 0 < args.freq < float("inf"):
        raise OptionError("--freq", expected="a clock in MHz, greater than 0", got=str(args.freq))
    part = args.part or _part_of(args.board)
    if not part.replace("-", "").isalnum():
        raise OptionError("--part", expected="the name of a part, as xc7a100tcsg324-1", got=repr(part))
    package.check(args.out, replace=args.force)
    graph = load_network(args.model)
    folding = api.choose_folding(graph, args.folding, args.interval)
    options = package.Options(mhz=args.freq, part=part, verilog=args.verilog)
    console = tables.output()
    with console.status("writing"):
        made = package.write(graph, folding, args.out, options, replace=args.force)
    table = Table("files", "begin with", "are", box=None)
    table.columns[0].justify = "right"
    for each in made.parts:
        table.add_row(str(len(each.files)), each.files[0], each.purpose)
    tables.show(console, table)
    console.print(f"{made.ip.name}: {args.out}", highlight=False, soft_wrap=True)
    return exit_codes.SUCCESS


def _part_of(name: str) -> str:
    board = load_board(name)
    if board.family != VIVADO:
        raise OptionError(
            "--board",
            expected=f"a board of the family {VIVADO}, as the part is for Vivado's script",
            got=f"{name}, {board.family}",
            hint=f"quantunet bitstream --board {name} is the way to that one.",
        )
    return board.part
