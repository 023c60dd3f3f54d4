"""``quantunet cosim``: every layer of a network in HLS C++ and in RTL, and the network in RTL, against golden."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from quantunet import api, exit_codes
from quantunet.commands import _pixel_scale
from quantunet.commands._numbers import whole
from quantunet.commands._parser import Parser, picture
from quantunet.errors import ToolFailedError
from quantunet.suggestions import did_you_mean
from quantunet.zoo import DEFAULT_NETWORK


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "cosim", help="prove every layer bit-exact in HLS and RTL on an image", description=__doc__
    )
    parser.add_model(default=DEFAULT_NETWORK)
    parser.add_argument(
        "--image",
        type=picture,
        nargs="+",
        default=api.PHANTOM,
        help="8-bit picture of the network's size and channels, FILE.npz:INDEX, or for no picture FILE.npy with "
        "the codes of the input, integers (height, width, channels); several are adjacent frames of the network, and "
        "layers alone get the first (default: a generated ultrasound image, another one for each channel)",
    )
    _pixel_scale.add_option(
        parser, "the generated image is spread over all codes of the input, and a picture is refused"
    )
    parser.add_argument(
        "--layers",
        "--layer",
        help="names, separated by commas; 'network' is the whole design (default: all layers and the network)",
    )
    parser.add_argument(
        "--legs",
        type=_legs,
        default=api.LEGS,
        help="what to compare, separated by commas: 'hls', every layer alone in C++ (a large network takes minutes); "
        "'rtl', every layer alone in RTL, with its exact cycles; 'network', the whole design in RTL, with every layer "
        "inside it (default: all three)",
    )
    parser.add_argument(
        "--stalls",
        choices=api.STALLS,
        default="none",
        help="how inputs and outputs stall: at random, in long rests and bursts, or an output that stands for a frame",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the stalls (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=whole, default=os.cpu_count() or 1, help="tasks at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="spread the tasks over the workers of this Dask scheduler instead, as tls://HOST:8786; --build must be a "
        "folder that they share (docs/cluster.md)",
    )
    parser.add_argument(
        "--frames",
        type=whole,
        help="adjacent frames of the network, made of the picture; the interval of the last two must be as predicted "
        "(default: 4; with several pictures a frame for each)",
    )
    parser.add_argument("--folding", type=Path, help="JSON file with PE and SIMD of every layer")
    parser.add_argument("--interval", type=whole, help="frame interval in cycles that the default folding keeps")
    parser.add_argument("--write-folding", type=Path, help="write the folding to this file, to be edited")
    parser.add_results("cosim")
    parser.set_defaults(run=run)


def _legs(text: str) -> tuple[str, ...]:
    legs = tuple(dict.fromkeys(leg.strip() for leg in text.split(",") if leg.strip()))
    unknown = [leg for leg in legs if leg not in api.LEGS]
    if unknown or not legs:
        meant = did_you_mean(unknown[0], api.LEGS) if unknown else ""
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(api.LEGS)}, got {text!r}. {meant}")
    return legs


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.page.render import written
    from quantunet.rtl_sim import report as reports
    from quantunet.rtl_sim.live_table import LiveTable

    layers = None if args.layers is None else [name.strip() for name in args.layers.split(",") if name.strip()]
    with LiveTable() as table:
        report = api.cosim(
            args.model,
            image=args.image,
            pixel_scale=args.pixel_scale,
            layers=layers,
            legs=args.legs,
            stalls=args.stalls,
            seed=args.seed,
            jobs=args.jobs,
            frames=args.frames,
            folding=args.folding,
            interval=args.interval,
            write_folding=args.write_folding,
            build=args.build,
            scheduler=args.scheduler,
            options=vars(args),
            progress=table.update,
        )
    table.summary(report)
    assert report.folder is not None
    table.files(report.folder / reports.DOCUMENT, report.folder / reports.JUNIT, *written(report.folder))
    if not report.passed and not report.differs:
        name, problems, _ = report.failures()[0]
        got = problems[0] if problems else "nothing to compare"
        raise ToolFailedError(name, expected="every value compared", got=got)
    return exit_codes.SUCCESS if report.passed else exit_codes.DIFFERENCE
