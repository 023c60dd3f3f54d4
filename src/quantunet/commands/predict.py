"""``quantunet predict``: masks of any number of pictures, DICOM and NIfTI files of any size, by integer inference.

Each mask has the size, and where its format allows it the format and the place in the patient, of the file that it is
of. Results that are there already, of the same file and network, are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from quantunet import exit_codes
from quantunet.commands import _pixel_scale, _window
from quantunet.commands._parser import Parser
from quantunet.commands._predict_results import MASKS
from quantunet.commands._predict_run import Predictions, predict
from quantunet.golden.pictures import FITS


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "predict", help="segment pictures and folders, of any size, with the integer model", description=__doc__
    )
    parser.add_model()
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help="pictures (PNG, JPEG, TIFF, BMP; gray of 8 or 16 bits, or RGB), DICOM and NIfTI files (with the extra "
        "`medical`), and folders of them with their sub-folders",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the results: masks/ (0 and 255; of several classes, and in DICOM and NIfTI, the classes' "
        "indices), areas.csv, and what is asked for",
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how a picture gets to the network's size, where the network's card does not say it: stretched, or with "
        "its proportions between black bars",
    )
    window = parser.add_mutually_exclusive_group()
    _window.add_options(window)
    parser.add_argument("--probabilities", action="store_true", help="write the probability of each class too")
    parser.add_argument("--overlays", action="store_true", help="write pictures with the mask over them too")
    parser.add_argument("--index", action="store_true", help="write 1 instead of 255 into masks that are pictures")
    parser.add_argument(
        "--spacing",
        nargs=2,
        metavar=("ROW", "COLUMN"),
        help="height and width of a pixel in mm, where a file does not say it: for areas in square millimetres",
    )
    _pixel_scale.add_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    with _progress() as progress:
        bar = progress.add_task("", total=None)

        def show(done: int, count: int, name: str) -> None:
            progress.update(bar, completed=done, total=count, description=name)

        found = predict(
            args.model,
            args.inputs,
            args.out,
            fit=args.fit,
            window=args.window,
            own_extent=args.own_extent,
            probabilities=args.probabilities,
            overlays=args.overlays,
            index=args.index,
            spacing=args.spacing,
            pixel_scale=args.pixel_scale,
            options=vars(args),
            progress=show,
        )
    _tell(found)
    return exit_codes.BAD_INPUT if found.refused else exit_codes.SUCCESS


def _progress() -> Progress:
    console = Console(stderr=True, highlight=False, markup=False)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _tell(found: Predictions) -> None:
    """Print what became of the files; the refused ones, with their reasons, at the end."""
    done = len(found.masks)
    if done:
        again = f", {found.kept} of them kept from an earlier run" if found.kept else ""
        print(f"{found.graph.name}: {done} file{'s' * (done != 1)} segmented{again}")
        print(f"masks in {found.folder / MASKS}   areas in {found.areas}")
    if found.refused:
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        console.print(f"quantunet predict: {len(found.refused)} refused:")
        for error in found.refused:
            console.print(f"  {error}")
