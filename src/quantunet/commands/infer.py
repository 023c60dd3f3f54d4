"""``quantunet infer``: the mask or the class map of one image, by integer inference."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from quantunet import api, exit_codes, golden, tables
from quantunet.class_colours import label
from quantunet.commands import _card, _pixel_scale
from quantunet.commands._parser import Parser
from quantunet.errors import StorageError
from quantunet.golden.histogram import Histogram, histograms
from quantunet.golden.taps import save_taps
from quantunet.ir import Array, Graph
from quantunet.mask_pictures import SHOWN, check_classes, form_of, save_overlay
from quantunet.provenance import graph_digest
from quantunet.storage import atomic_path

_SHADES = 16


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser("infer", help="segment one image with the integer model", description=__doc__)
    parser.add_model()
    parser.add_argument("image", help="8-bit picture of the network's size and channels, or FILE.npz:INDEX")
    _pixel_scale.add_option(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the mask, *.png, *.tif or *.bmp: 0 background, 255 foreground; of several classes a picture with a "
        "palette, whose values are the classes' indices",
    )
    parser.add_argument(
        "--overlay", type=Path, help="a picture of image and mask, which may be *.jpg too (default: beside --out)"
    )
    parser.add_argument("--taps", type=Path, help="write every tensor to this .npz file")
    parser.add_argument(
        "--histogram", action="store_true", help="print which values every layer's output takes, and how often"
    )
    parser.add_argument("--plain", action="store_true", help="plain int64 formulas only (slow; same result)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    overlay = args.overlay or args.out.with_name(f"{args.out.stem}_overlay.png")
    forms = form_of(args.out), form_of(overlay, SHOWN)
    _check_outputs([path for path in (args.out, overlay, args.taps) if path])
    graph = api.load_network(args.model, pixel_scale=args.pixel_scale)
    count = golden.class_count(graph)
    check_classes(graph.name, count)
    card = _card.beside(args.model, graph_digest(graph), count)
    names = () if card is None else card.classes
    found = api.infer(graph, args.image, plain=args.plain)
    with contextlib.ExitStack() as files:  # all of them or none; the mask, which others wait for, comes last
        out, picture = (files.enter_context(atomic_path(path)) for path in (args.out, overlay))
        found.write(out, forms[0])
        save_overlay(picture, found.image, found.classes, form=forms[1], names=names)
        if args.taps:
            save_taps(files.enter_context(atomic_path(args.taps)), found.taps)
    if args.histogram:
        _print_histograms(histograms(graph, found.taps))
    print(f"{graph.name}: {_pixels(graph, found.classes, names)}")
    print(f"mask {args.out}   overlay {overlay}" + (f"   taps {args.taps}" if args.taps else ""))
    return exit_codes.SUCCESS


def _check_outputs(paths: list[Path]) -> None:
    """Refuse two results in one file, and a folder in a file's place, before anything is computed."""
    for path in paths:
        if path.is_dir():
            raise StorageError(str(path), expected="the name of a file", got="a folder")
    if len({path.resolve() for path in paths}) < len(paths):
        raise StorageError(
            str(paths[0]), expected="a file of its own for each of mask, overlay and taps", got="one name twice"
        )


def _pixels(graph: Graph, classes: Array, names: Sequence[str]) -> str:
    """Say how many pixels each class has."""
    if graph.logits.shape[2] == 1:
        return f"{int(classes.sum())} of {classes.size} pixels are foreground ({100 * float(classes.mean()):.1f} %)"
    told = []
    for index in range(golden.class_count(graph)):
        pixels = int((classes == index).sum())
        called = label(index, names[index] if names else None)
        told.append(f"class {called}: {pixels} ({100 * pixels / classes.size:.1f} %)")
    return f"{classes.size} pixels, {', '.join(told)}"


def _print_histograms(found: list[Histogram]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("tensor", "type", "qmin ... qmax"):
        table.add_column(name, no_wrap=True)
    for name in ("distinct", "zero", "saturated", "constant channels"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        table.add_row(
            each.name,
            str(each.qtype),
            Text(f"|{each.shades():<{_SHADES}}|"),
            f"{each.distinct} of {1 << each.qtype.bits}",
            f"{100 * each.zero_share:.1f} %",
            f"{100 * each.saturated_share:.1f} %",
            f"{each.constant_channels} of {each.channels}",
        )
    tables.show(tables.output(highlight=False), table)
    dead = [each.name for each in found if each.dead]
    if dead:
        print(f"one value only: {', '.join(dead)}")
