"""``quantunet infer``: the mask of one image, by integer inference."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from quantunet import exit_codes, golden
from quantunet.golden.histogram import Histogram, histograms
from quantunet.golden.taps import save_taps
from quantunet.images import load_image, save_mask, save_overlay
from quantunet.zoo import MODEL_HELP, load_network


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "infer", help="segment one image with the integer model", description=__doc__
    )
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("image", help="8-bit grayscale picture of the network's size, or FILE.npz:INDEX")
    parser.add_argument("--out", type=Path, required=True, help="the mask, PNG: 0 background, 255 foreground")
    parser.add_argument("--overlay", type=Path, help="a picture of image and mask (default: beside --out)")
    parser.add_argument("--taps", type=Path, help="write every tensor to this .npz file")
    parser.add_argument(
        "--histogram", action="store_true", help="print which values every layer's output takes, and how often"
    )
    parser.add_argument("--plain", action="store_true", help="plain int64 formulas only (slow; same result)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    graph = load_network(args.model)
    height, width, _ = graph.tensor(graph.input).shape
    image = load_image(args.image, height, width)
    taps = golden.run(graph, image, plain=args.plain)
    mask = golden.mask(graph, taps)
    overlay = args.overlay or args.out.with_name(f"{args.out.stem}_overlay.png")
    save_mask(args.out, mask)
    save_overlay(overlay, image, mask)
    if args.taps:
        save_taps(args.taps, taps)
    if args.histogram:
        _print_histograms(histograms(graph, taps))
    share = 100 * float(np.mean(mask))
    print(f"{graph.name}: {int(mask.sum())} of {mask.size} pixels are foreground ({share:.1f} %)")
    print(f"mask {args.out}   overlay {overlay}" + (f"   taps {args.taps}" if args.taps else ""))
    return exit_codes.SUCCESS


def _print_histograms(found: list[Histogram]) -> None:
    print("tensor                type   qmin ... qmax       distinct   zero  saturated  constant channels")
    for each in found:
        print(
            f"{each.name:<21} {each.qtype!s:<6} |{each.shades():<16}| {each.distinct:>4} of {len(each.counts):<5}"
            f"{100 * each.zero_share:>4.1f} % {100 * each.saturated_share:>8.1f} %"
            f"  {each.constant_channels} of {each.channels}"
        )
    dead = [each.name for each in found if each.dead]
    if dead:
        print(f"one value only: {', '.join(dead)}")
