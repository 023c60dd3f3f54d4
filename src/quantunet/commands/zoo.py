"""``quantunet zoo``: the networks that come with the package, and what their cards say."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.table import Table

from quantunet import exit_codes, packed, tables
from quantunet.commands._working import working
from quantunet.model.card_file import read_card
from quantunet.provenance import file_digest, graph_digest
from quantunet.zoo import load_network, network_path, zoo_names


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "zoo", help="list the networks that come with the package", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    rows = []
    with working("reading the networks") as tell:
        for name in zoo_names():
            tell(f"reading {name}")
            rows.append(row(name))
    if args.json:
        print(json.dumps(rows, indent=1))
        return exit_codes.SUCCESS
    console = tables.output()
    table = Table(
        "network", "data", "image", "parameters", "mean bits", "packed", "× smaller", "Dice float", "quantised", "seed",
        title="Dice: mean over the images with a lesion of the test part",
    )  # fmt: skip
    for each in rows:
        table.add_row(
            each["name"],
            each["data"],
            f"{each['image_width']}×{each['image_size']}",
            f"{each['parameters']:,}",
            f"{each['mean_bits']:.2f}",
            f"{each['packed_bytes']:,} B",
            f"{each['ratio']:.2f}",
            *("–" if each[key] is None else f"{each[key]:.3f}" for key in ("dice_float", "dice_quantised")),
            str(each["seed"]),
        )
    tables.show(console, table)
    console.print("quantunet evaluate NAME --data FILE.npz evaluates one; its card says more", highlight=False)
    return exit_codes.SUCCESS


def row(name: str) -> dict[str, Any]:
    """Return what the table shows of a network; its size is that of the file that ``quantunet pack`` writes.

    Raises:
        StorageError: The network has no card.
        FileFormatError: Its card is damaged, or that of another network.
    """
    path = network_path(name)
    graph = load_network(name)
    card = read_card(path.with_suffix(".json"))
    card.check_network(path.with_suffix(".json"), file_digest(path), graph_digest(graph))
    packed_bytes = path.stat().st_size if path.suffix == packed.SUFFIX else len(packed.pack(graph))
    return {
        "name": name,
        "data": card.source,
        "image_size": card.image_size,
        "image_width": card.image_width or card.image_size,
        "parameters": card.parameters,
        "mean_bits": card.mean_bits,
        "packed_bytes": packed_bytes,
        "ratio": round(4 * card.parameters / packed_bytes, 2),
        "dice_float": card.float_scores["test"]["dice"],
        "dice_quantised": card.quantised_scores["test"]["dice"],
        "seed": card.seed,
    }
