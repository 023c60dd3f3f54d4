"""``quantunet compare``: which layer, pixel and channel of another implementation differs first."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table

from quantunet import exit_codes, golden, tables
from quantunet.commands import _pixel_scale
from quantunet.commands._parser import Parser
from quantunet.compare import compare
from quantunet.errors import ModelError
from quantunet.golden.taps import load_taps
from quantunet.images import load_image
from quantunet.pixel_codes import picture_codes
from quantunet.suggestions import hinted
from quantunet.zoo import load_network


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "compare", help="compare another implementation's tensors with the golden model", description=__doc__
    )
    parser.add_model()
    parser.add_argument("image", help="8-bit picture of the network's size and channels, or FILE.npz:INDEX")
    _pixel_scale.add_option(parser)
    parser.add_argument("taps", type=Path, help=".npz with the other implementation's tensors (integers, by name)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    graph = _pixel_scale.apply(load_network(args.model), args.pixel_scale)
    others = load_taps(args.taps)
    image = load_image(args.image, graph.tensor(graph.input).shape)
    expected = golden.run(graph, picture_codes(graph, image))
    unknown = sorted(set(others) - set(expected))
    if unknown or not others:
        raise ModelError(
            str(args.taps),
            expected="tensors of the network",
            got=", ".join(unknown) or "none",
            hint=hinted(unknown[0] if unknown else "", expected, f"Its tensors are: {', '.join(expected)}."),
        )
    results = [compare(name, expected[name], others[name]) for name in expected if name in others]
    table = Table("tensor", "compared", "differ", "first difference")
    for result in results:
        style = None if result.passed else "red"
        table.add_row(result.name, str(result.compared), str(result.mismatches), str(result.first or ""), style=style)
    console = tables.output()
    tables.show(console, table)
    missing = [name for name in expected if name not in others]
    if missing:
        console.print(f"not in the file, not compared: {', '.join(missing)}")
    first = next((result for result in results if not result.passed), None)
    total = sum(result.compared for result in results)
    if first is None:
        console.print(f"equal: {total} values in {len(results)} tensors")
        return exit_codes.SUCCESS
    console.print(f"first difference: {first.name} {first.first}")
    return exit_codes.DIFFERENCE
