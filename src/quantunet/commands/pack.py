"""``quantunet pack``: write a network as one packed file, every weight and bias at its bit-width."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from quantunet import exit_codes, packed
from quantunet.commands._parser import Parser
from quantunet.errors import FileFormatError, ModelError
from quantunet.ir import MatrixNode
from quantunet.zoo import load_network


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "pack", help="write a network as one packed file, every weight at its bit-width", description=__doc__
    )
    parser.add_model()
    parser.add_argument("--out", type=Path, required=True, help=f"the file, *{packed.SUFFIX}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    if args.out.suffix != packed.SUFFIX:
        raise FileFormatError(str(args.out), expected=f"a name that ends in {packed.SUFFIX}", got=args.out.suffix)
    graph = load_network(args.model)
    size = packed.write(graph, args.out)
    if packed.read(args.out) != graph:
        raise ModelError(str(args.out), expected="the network that was packed", got="another", hint="Report this.")
    parameters = (
        sum(len(node.weight.data) + len(node.bias.data) for node in graph.nodes if isinstance(node, MatrixNode)) // 8
    )
    print(
        f"wrote {args.out}: {size:,} bytes for {parameters:,} weights and biases, "
        f"{4 * parameters / size:.2f} times smaller than float32; read back and equal"
    )
    return exit_codes.SUCCESS
