"""``quantunet data``: data sets as ``.npz`` from public downloads, splits of them as files, and their parts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

import numpy as np
from rich.console import Console

from quantunet import exit_codes
from quantunet.commands import _window
from quantunet.commands._size import add_size
from quantunet.errors import OptionError
from quantunet.golden.pictures import FITS
from quantunet.model import data, own_set, set_file, split_file
from quantunet.model.classes import parse_classes
from quantunet.model.config import SplitBy
from quantunet.model.content import warn_of_content
from quantunet.model.data_digest import data_digest
from quantunet.model.grouping import NEAR, PATIENT
from quantunet.model.public_sets import SETS
from quantunet.model.shape import sides
from quantunet.provenance import file_digest


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "data",
        help="make a data set from a public download, split one, or take a fold out of it",
        description="Make the .npz files of docs/data.md from the public downloads, split one into folds, or take a "
        "fold out of it.",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="SET|folder|split|take")
    for name, each in SETS.items():
        made = steps.add_parser(name, help=each.summary, description=f"Make an .npz file of {each.summary}.")
        made.add_argument("folder", type=Path, help="where the set was unpacked")
        made.add_argument("--out", type=Path, required=True, metavar="FILE.npz", help="the data set")
        made.add_argument("--size", type=int, default=128, help="height and width of the images (default: 128)")
        made.add_argument(
            "--groups",
            metavar="near|patient|none|PATTERN",
            help="what stays on one side of a split: near duplicates, the patient's images, single images, or what the "
            "one group of a regular expression finds in the names "
            f"(default: {PATIENT if each.patients else NEAR})",
        )
        made.add_argument(
            "--threshold",
            type=int,
            help="masks are gray, and greater values are foreground (default: masks have two values, the greater being "
            "foreground)",
        )
    _add_own(steps)
    split = steps.add_parser(
        "split",
        help="deal the images of a data set into folds",
        description="Deal the images of a data set into folds.",
    )
    split.add_argument("file", type=Path, metavar="FILE.npz", help="the data set")
    split.add_argument("--folds", type=int, default=5, help="how many (default: 5)")
    split.add_argument(
        "--by", choices=get_args(SplitBy), default="group", help="what stays in one fold (default: %(default)s)"
    )
    split.add_argument("--seed", type=int, default=0)
    split.add_argument("--out", type=Path, required=True, metavar="SPLITS.json", help="the folds")
    take = steps.add_parser(
        "take",
        help="write one fold of a data set, and the rest, as data sets",
        description="Write one fold of a data set, and the rest, as data sets: one to test on, the other to train on.",
    )
    take.add_argument("file", type=Path, metavar="FILE.npz", help="the data set")
    take.add_argument("splits", type=Path, metavar="SPLITS.json", help="what quantunet data split wrote of it")
    take.add_argument("--fold", type=int, required=True, help="the number of the fold, from 0")
    take.add_argument("--out", type=Path, required=True, metavar="FOLD.npz", help="the images of the fold")
    take.add_argument("--rest", type=Path, metavar="REST.npz", help="the images of all others")
    parser.set_defaults(run=run)


def _add_own(steps: Any) -> None:
    own = steps.add_parser(
        "folder",
        help="pictures and masks of your own",
        description="Make an .npz file of pictures and masks of your own: a folder with images/ and masks/, with "
        "cases.csv, or as nnU-Net has it; or a CSV file.",
    )
    own.add_argument("folder", type=Path, help="the folder, or the CSV file")
    own.add_argument("--out", type=Path, required=True, metavar="FILE.npz", help="the data set")
    add_size(
        own,
        "--size",
        "height and width of the images, or one number for a square (default: 128)",
        dest="size",
        default=128,
    )
    own.add_argument(
        "--fit",
        choices=FITS,
        default=own_set.FIT,
        help="stretched, or with its proportions between black bars (default: %(default)s)",
    )
    own.add_argument(
        "--groups",
        metavar="near|none|PATTERN",
        help="what stays on one side of a split: near duplicates, single images, or what the one group of a regular "
        "expression finds in the names (default: the table's column group, the slices of a scan, or near duplicates)",
    )
    own.add_argument("--rgb", action="store_true", help="keep colour: three channels, and no gray")
    own.add_argument(
        "--classes",
        metavar="NAME,NAME,...",
        help="names of the classes that masks hold, in the order of their values from 0, the background, with commas "
        "between (default: those of nnU-Net's dataset.json; else a mask has one foreground)",
    )
    window = own.add_mutually_exclusive_group()
    _window.add_options(window)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if args.step == "split":
        _split(args, console)
    elif args.step == "take":
        _take(args, console)
    elif args.step == "folder":
        _own(args, console)
    else:
        set_file.check_out(args.out)
        with console.status(f"reading {args.folder}") as status:
            arrays = set_file.make(
                args.step,
                args.folder,
                args.size,
                groups=args.groups,
                threshold=args.threshold,
                on_image=lambda done, count: status.update(f"read {done} of {count} images"),
            )
        _write(args.out, arrays, console)
    return exit_codes.SUCCESS


def _own(args: argparse.Namespace, console: Console) -> None:
    set_file.check_out(args.out)
    size = sides(args.size)
    for side in size:
        set_file.check_size(side)
    classes = () if args.classes is None else parse_classes(args.classes)
    windowing = _window.windowing(args.window, own_extent=args.own_extent)
    with console.status(f"reading {args.folder}") as status:
        found = own_set.read_own(
            args.folder,
            size,
            args.fit,
            groups=args.groups,
            rgb=args.rgb,
            classes=classes,
            windowing=windowing,
            on_image=lambda done, count: status.update(f"read {done} of {count} files"),
        )
    console.print(f"{args.folder}: {found.layout.kind}, {len(found.layout.pairs)} files, {args.fit}")
    _write(args.out, own_set.arrays_of(found, args.fit), console)


def _write(path: Path, arrays: set_file.Arrays, console: Console) -> None:
    """Write a data set, and say what is in the file."""
    set_file.write(path, arrays)
    samples = data.load_npz(path)
    warn_of_content(samples.source, samples.images, samples.masks, samples.label, samples.name)
    grouped = len(samples) - int((np.unique(samples.group, return_counts=True)[1] == 1).sum())
    console.print(
        f"wrote {path}: {len(samples)} images of {samples.images.shape[2]}x{samples.images.shape[1]}, "
        f"{len(np.unique(samples.group))} groups ({grouped} images share theirs), "
        f"foreground {(samples.masks > 0).mean():.4f}"
        + (f", classes {', '.join(samples.classes)}" if samples.classes else "")
    )
    console.print(f"sha256 of the file    {file_digest(path)}")
    console.print(f"digest of the arrays  {data_digest(samples)}")


def _split(args: argparse.Namespace, console: Console) -> None:
    samples = data.load_npz(args.file)
    found = split_file.make_folds(samples, args.folds, by=args.by, seed=args.seed)
    split_file.write_folds(args.out, found)
    console.print(f"wrote {args.out}: {len(samples)} images in {len(found.folds)} folds by {args.by}, seed {args.seed}")
    for index, fold in enumerate(found.folds):
        counts = data.part_counts(samples, fold)
        console.print(
            f"fold {index}: {counts['images']} images, {counts['groups']} groups, "
            f"{counts['lesion_images']} with a lesion"
        )
    console.print(f"digest of the arrays  {found.digest}")


def _take(args: argparse.Namespace, console: Console) -> None:
    outputs = [path for path in (args.out, args.rest) if path]
    for path in outputs:
        set_file.check_out(path)
    if len({path.resolve() for path in (args.file, *outputs)}) <= len(outputs):
        raise OptionError("--out and --rest", expected="two files beside the data set", got="one of them twice")
    folds = split_file.read_folds(args.splits, data.load_npz(args.file)).folds
    if not 0 <= args.fold < len(folds):
        raise OptionError("--fold", expected=f"0 to {len(folds) - 1}", got=str(args.fold))
    arrays = set_file.read(args.file)
    rest = np.sort(np.concatenate([fold for index, fold in enumerate(folds) if index != args.fold]))
    for path, chosen in zip(outputs, (folds[args.fold], rest), strict=False):
        _write(path, {name: values[chosen] for name, values in arrays.items()}, console)
