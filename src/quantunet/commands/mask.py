"""``quantunet mask``: make a network that gives masks, empty where the foreground is too small, of one of logits."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from quantunet import exit_codes, packed, result_folder
from quantunet.commands._parser import Parser
from quantunet.documents import read_json
from quantunet.errors import FileFormatError, ModelError
from quantunet.golden.masked import with_smallest_area
from quantunet.ir import Graph
from quantunet.model.card_file import read_card
from quantunet.provenance import file_digest, gather, graph_digest
from quantunet.storage import write_text
from quantunet.zoo import GRAPH_SUFFIX, MODEL_HELP, card_path, load_network, model_digest

_NOTE = "these are the scores of the network before masks of fewer than {} foreground pixels became empty"


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "mask", help="make a network give masks without foregrounds that are too small", description=__doc__
    )
    parser.add_model(text=f"a network of one class: {MODEL_HELP}")
    parser.add_argument(
        "--area",
        type=int,
        required=True,
        metavar="PIXELS",
        help="the smallest foreground that is kept; a mask of fewer pixels becomes empty (1 keeps every mask). "
        "`quantunet evaluate --smallest-area` scores several",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help=f"the network, *{packed.SUFFIX}; where MODEL has a card, one with the area is written beside it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    if args.out.suffix != packed.SUFFIX:
        raise FileFormatError(str(args.out), expected=f"a name that ends in {packed.SUFFIX}", got=args.out.suffix)
    source, card = load_network(args.model), card_path(args.model)
    out_card = args.out.with_suffix(GRAPH_SUFFIX)
    _check_place(args.model, card, out_card)
    graph = with_smallest_area(source, args.area)
    content = None if card is None else _card(args, source, card)
    result_folder.remove(out_card)
    size = packed.write(graph, args.out)
    if packed.read(args.out) != graph:
        raise ModelError(str(args.out), expected="the network that was packed", got="another", hint="Report this.")
    if content is not None:
        content["size"]["file_bytes"] = size
        content["size"]["file_ratio"] = round(content["size"]["float32_bytes"] / size, 2)
        content["provenance"]["sha256"] |= {"model": file_digest(args.out), "graph": graph_digest(graph)}
        write_text(out_card, json.dumps(content, indent=1) + "\n")
    height, width, _ = graph.tensor(graph.output).shape
    print(
        f"wrote {args.out}: of {width}x{height} pixels, masks of fewer than {args.area} become empty"
        + ("" if content is None else f"; card {out_card}")
    )
    return exit_codes.SUCCESS


def _check_place(model: str, card: Path | None, path: Path) -> None:
    """Refuse to replace the network, its card, or a file that is no card.

    Args:
        model: The network that is given.
        card: Its card.
        path: Where the new card goes.

    Raises:
        FileFormatError: One of them stands there.
        StorageError: What stands there cannot be read.
    """
    if path.resolve() in {each.resolve() for each in (Path(model), card) if each is not None}:
        raise FileFormatError(
            str(path),
            expected=f"a place for the new card beside {model}",
            got=f"the card of {model}" if card is not None else "the network",
            hint="It would be replaced: choose another name for --out.",
        )
    if not path.is_file():
        return
    try:
        read_card(path)
    except FileFormatError as error:
        raise FileFormatError(
            str(path),
            expected="a card, which is written anew, or no file",
            got="another file",
            hint="It would be replaced: choose another name for --out.",
        ) from error


def _card(args: argparse.Namespace, source: Graph, path: Path) -> dict[str, Any]:
    """Return the card of a network with the area, and with what it is made of.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is damaged, or of another network.
    """
    digests = {"source_model": model_digest(args.model), "source_graph": graph_digest(source)}
    read_card(path).check_network(path, digests["source_model"], graph_digest(source))
    content = read_json(path, "a model card of `quantunet train`")
    assert isinstance(content, dict)  # as read_card has found
    made = gather(args, ("numpy", "onnx"), {**digests, "source_card": file_digest(path)}).document()
    scores = content["scores"]
    return {
        **content,
        "smallest_area": args.area,
        "scores": {**scores, "note": "; ".join(filter(None, (scores.get("note"), _NOTE.format(args.area))))},
        "size": dict(content["size"]),
        "provenance": made,
        **({"source_provenance": content["provenance"]} if "provenance" in content else {}),
    }
