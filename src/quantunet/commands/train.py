"""``quantunet train``: train a U-Net with learned bit-widths and export it as QONNX."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from quantunet import exit_codes, tables
from quantunet.commands import _train_dry
from quantunet.commands._size import add_size
from quantunet.commands._working import working
from quantunet.golden.pictures import FITS
from quantunet.model.classes import spelled_classes
from quantunet.model.config import PRESETS, RECIPES, Device, Precision, TrainConfig
from quantunet.model.settings import build, option_words, settings
from quantunet.page import render

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from quantunet.mask_pictures import Case
    from quantunet.model.data import Samples
    from quantunet.model.predict import Masks
    from quantunet.model.train import Outcome
    from quantunet.model.training_log import EpochReport
    from quantunet.page.parts import Page

logger = logging.getLogger(__name__)

CALIBRATION = "calibrating the quantizers, and compiling them (once a machine)"

_PAGE_IMAGES = 200
_PAGE_CASES = 6
"""Of how many validation images the page shows the worst, and how many of these."""


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "train", help="train a U-Net with learned bit-widths and export it", description=__doc__
    )
    parser.add_argument("preset", choices=sorted(PRESETS), help="shape of the network")
    parser.add_argument(
        "--data",
        help="an .npz with images, masks, group; a folder with images/ and masks/, with cases.csv, or as nnU-Net has "
        "it; a CSV file; an unpacked BUSI folder; or 'phantoms' "
        "(default: busi_128.npz in $QUANTUNET_DATA or ../shared/data, else phantoms)",
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how pictures of a folder get to the network's size: stretched, or with their proportions between black "
        "bars (default: stretch); the card says it, and `quantunet predict` does the same",
    )
    parser.add_argument(
        "--groups",
        metavar="near|none|PATTERN",
        help="of a folder, what stays on one side of a split: near duplicates, single images, or what the one group of "
        "a regular expression finds in the names (default: the table's column group, the slices of a scan, or near "
        "duplicates)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="train nothing: check the data, count its parts, and write a contact sheet of them",
    )
    parser.add_argument("--phantoms", type=int, default=512, metavar="N", help="how many phantoms (default: 512)")
    parser.add_argument("--out", type=Path, help="folder of checkpoints, logs and the result (default: runs/PRESET)")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in that folder")
    parser.add_argument(
        "--warm-start",
        type=Path,
        metavar="FILE",
        help="float.pt of another training with the same float phase, which is then not run again",
    )
    parser.add_argument(
        "--publish-anyway",
        action="store_true",
        help="publish a network that shows signs of failure too; its card names them",
    )
    parser.add_argument("--device", choices=get_args(Device), default="auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all)")
    parser.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="auto",
        help="what convolutions compute in while training; auto: bfloat16 where the hardware has it",
    )
    parser.add_argument(
        "--recipe",
        choices=sorted(RECIPES),
        help="other defaults of the options below; paper: " + spelled_recipe("paper"),
    )
    add_options(parser, TrainConfig)
    parser.set_defaults(run=run)


def spelled_recipe(name: str) -> str:
    """The options that a recipe stands for."""
    return " ".join(option_words(TrainConfig, RECIPES[name]))


def add_options(parser: argparse.ArgumentParser, kind: type[TrainConfig]) -> None:
    """Add an option for each field of a configuration that has a default."""
    for name, setting in settings(kind).items():
        if setting.default is dataclasses.MISSING:
            continue
        text = setting.text.replace("%", "%%")
        if setting.types == (bool,):
            action = "store_false" if setting.default else "store_true"
            parser.add_argument(setting.option, dest=name, action=action, default=argparse.SUPPRESS, help=text)
            continue
        if tuple in setting.types:
            add_size(parser, setting.option, f"{text} (default: {setting.default})", dest=name)
            continue
        parser.add_argument(
            setting.option,
            dest=name,
            type=_READERS[setting.types],
            choices=setting.choices or None if setting.types == (str,) else None,
            default=argparse.SUPPRESS,  # what is not given is left to the recipe, or to the field's default
            help=f"{text} (default: {setting.default})",
        )


def _text_or_whole(text: str) -> str | int:
    return int(text) if text.isdigit() else text


_READERS: dict[tuple[type, ...], Callable[[str], object]] = {
    (int,): int,
    (float,): float,
    (str,): str,
    (str, int): _text_or_whole,
}
"""How the text of an option is read, by the types of its values; the configuration checks what it says."""


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")
    from quantunet.model import data

    config = make_config(args)
    # Before torch is imported, which takes seconds: what is wrong with the data is said at once.
    with working("reading the data"):
        samples = data.load(
            args.data,
            config.unet.shape,
            phantom_count=args.phantoms,
            seed=config.seed,
            fit=args.fit,
            groups=args.groups,
            rgb=config.rgb,
            classes=config.class_names,
        )
    config = config.changed(classes=spelled_classes(samples.classes))  # which the data may say themselves
    folder = args.out or Path("runs") / args.preset
    runs = _train_dry.runs(config, samples, folder)
    if args.dry_run:
        _train_dry.show(runs, samples, folder, tables.output())
        return exit_codes.SUCCESS
    with working("loading torch"):
        from quantunet.model import compute, distributed

        compute.prepare(args.threads)
    with distributed.group(compute.pick_device(args.device)) as device:
        console = tables.output(quiet=distributed.rank() > 0)
        cards = [_train(args, each, samples, where, device, console) for each, where in runs]
        if len(runs) > 1 and not distributed.rank():
            tables.show(console, _train_dry.folds_table(cards))
    return exit_codes.SUCCESS


def _train(
    args: argparse.Namespace, config: TrainConfig, samples: Samples, folder: Path, device: Any, console: Console
) -> dict[str, Any]:
    """Train one network and publish it.

    Returns:
        Its card; empty in a process that publishes nothing.
    """
    with working("loading Brevitas and MONAI"):
        from quantunet.model import distributed
        from quantunet.model.card import check_success
        from quantunet.model.train import Trainer

    console.print(f"{args.preset} on {samples.source}: {len(samples)} images in {folder}")
    with make_progress(console) as progress:
        task = progress.add_task("first batch", total=1, status="")
        monitor = Monitor(progress, task, console, config)
        trainer = Trainer(
            config,
            samples,
            folder,
            device=device,
            precision=args.precision,
            on_epoch=monitor.on_epoch,
            on_batch=monitor.on_batch,
        )
        outcome = trainer.run(resume=args.resume, warm_start=args.warm_start)
    if distributed.rank():
        return {}
    command = command_of(args, config, samples)
    if not args.publish_anyway:
        check_success(outcome, config, samples)
    with working("scoring, exporting, and comparing every tensor with the golden model"):
        card, told = _publish(outcome, config, samples, folder / f"{args.preset}.onnx", command)
    tables.show(console, card_table(card), keys=2)
    for line in told:
        console.print(line, highlight=False)
    return card


def command_of(args: argparse.Namespace, config: TrainConfig, samples: Samples) -> str:
    """Return the command line that trains the same network again, for the card."""
    from quantunet.model.card import train_command

    made = samples.source.startswith("phantoms")
    command = train_command(config, "phantoms" if made else samples.source, args.phantoms if made else None)
    for option, value in (("--fit", args.fit), ("--groups", args.groups)):
        command += f" {option} {shlex.quote(value)}" if value else ""
    return command


def _publish(
    outcome: Outcome, config: TrainConfig, samples: Samples, path: Path, command: str
) -> tuple[dict[str, Any], list[str]]:
    """Write the network and its card, or the card of a float control; return the card, and what there is to say."""
    from quantunet.model.card import float_path, publish, publish_control

    card_path, twin = path.with_suffix(".json"), float_path(path)
    if config.bits == "float":
        card = publish_control(outcome, config, samples, path, command)
        told = [f"wrote {card_path}, and {twin} with its card; a float network has no QONNX file"]
    else:
        card = publish(outcome, config, samples, path, command)
        told = [
            f"wrote {path} and {card_path}, and the float network {twin} with its card; "
            f"next: quantunet predict {path} PICTURES --out results"
        ]
    page = render.write_page(path.with_name(render.NAME), lambda: _page(card, outcome, config, samples))
    if page:
        told.append(f"a page to look at: {page}")
    return card, told + [f"warning: {sentence}" for sentence in card["training"]["signatures"]]


def _page(card: dict[str, Any], outcome: Outcome, config: TrainConfig, samples: Samples) -> Page:
    """Return the page of a training, with the worst of some validation images."""
    from quantunet.model.predict import predict
    from quantunet.page.pictures import case
    from quantunet.page.train import train_page

    some = outcome.split.val[:_PAGE_IMAGES]
    masks = predict(outcome.final_model, samples.images[some], config.batch_size)
    find = _worst_classes if samples.classes else _worst_masks
    return train_page(card, outcome.history, [case(each) for each in find(samples, some, masks)])


def _worst_masks(samples: Samples, some: NDArray[np.int64], masks: Masks) -> list[Case]:
    from quantunet.model.evaluation import image_case, ranking
    from quantunet.model.metrics import score_images

    found = masks.astype(np.bool_)
    each = score_images(found, samples.masks[some])
    return [image_case(samples, int(some[at]), found[at], each, at) for at in ranking(each)[:_PAGE_CASES].tolist()]


def _worst_classes(samples: Samples, some: NDArray[np.int64], masks: Masks) -> list[Case]:
    from quantunet.model.class_scores import class_case, from_best, score_classes

    reference = samples.masks[some].astype(np.int64)
    each = score_classes(masks.astype(np.int64), reference, len(samples.classes))
    worst = from_best(each)[::-1][:_PAGE_CASES].tolist()
    names = [f"image {index}" if samples.name is None else str(samples.name[index]) for index in some.tolist()]
    return [
        class_case((names[at], str(samples.label[some[at]])), samples.picture(int(some[at])), reference[at],
                   masks[at].astype(np.int64), each, at)
        for at in worst
    ]  # fmt: skip


def make_config(args: argparse.Namespace, kind: type[TrainConfig] = TrainConfig) -> TrainConfig:
    """The configuration that the arguments ask for: options that are given, then the recipe, then the defaults.

    Raises:
        TrainingError: A value is out of range.
    """
    given = {name: getattr(args, name) for name in settings(kind) if hasattr(args, name)}
    recipe = getattr(args, "recipe", None)
    return build(kind, dict(RECIPES[recipe]) | given if recipe else given)


def make_progress(console: Console) -> Progress:
    """A progress bar with loss, Dice and mean bits behind it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[status]}"),
        TimeElapsedColumn(),
        console=console,
    )


class Monitor:
    """Shows a training on the terminal.

    Args:
        progress: The progress display.
        task: Its task.
        console: Where the lines of finished epochs go.
        config: What is trained.
    """

    def __init__(self, progress: Progress, task: TaskID, console: Console, config: TrainConfig) -> None:
        self.progress = progress
        self.task = task
        self.console = console
        self.config = config
        self.best = 0
        self.shown: dict[str, tuple[int, int]] = {}

    def on_batch(self, phase: str, epoch: int, batch: int, batches: int) -> None:
        """Move the bar; behind the last batch of an epoch comes the validation."""
        doing = f"{phase} {epoch + 1}" + (": validation" if batch == batches else "")
        self.progress.update(self.task, description=doing, completed=batch, total=batches)

    def on_epoch(self, report: EpochReport) -> None:
        """Print the epoch, and every layer's widths where one has changed."""
        status = f"loss {report.loss:.4f}  Dice {report.val_dice:.4f}  bits {report.mean_bits:.2f}"
        self.progress.update(self.task, status=status)
        mark = " *" if report.best else ""
        self.console.print(
            f"{report.phase:5} {report.epoch:3}/{report.epochs}  {status}  {report.seconds:.1f} s{mark}",
            highlight=False,
        )
        if report.widths and report.widths != self.shown:
            self.shown = report.widths
            text = "  ".join(f"{name} {weight}/{output}" for name, (weight, output) in report.widths.items())
            self.console.print(f"      widths (weight/activation): {text}", highlight=False)
        self.best = report.epoch if report.best else self.best
        stale = report.epoch - self.best
        is_last = report.epoch == report.epochs or 0 < self.config.patience <= stale
        if report.phase == "float" and is_last and self.config.bits != "float":
            self._tell_next()

    def _tell_next(self) -> None:
        """Say what takes its time behind the float phase, until the first batch of the next one is through."""
        self.progress.update(self.task, description=CALIBRATION, completed=0, total=None)
        if not self.console.is_terminal:
            self.console.print(CALIBRATION)


def card_table(card: dict[str, Any]) -> Table:
    """The scores of a model card as a table."""
    from rich.table import Table

    columns = ("dice", "iou", "accuracy", "background_accuracy", "images")
    bits = f"mean {card['bits']['mean']['layers']} bits" if "bits" in card else "float control"
    table = Table("network", "part", *columns, title=f"{card['name']}: {bits}")
    for kind in ("float", "quantised", "control"):
        for part, scores in card["scores"].get(kind, {}).items():
            table.add_row(kind, part, *(str(scores[column]) for column in columns))
    return table
