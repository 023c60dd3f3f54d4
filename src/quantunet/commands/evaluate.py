"""``quantunet evaluate``: integer inference over a whole data set, with scores, a row for each image, and pictures.

Needs no torch: neither integer inference nor the scores do. The only command that takes a float network of ``train``.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from quantunet import tables
from quantunet.commands import (
    _evaluate_against,
    _evaluate_card,
    _evaluate_classes,
    _evaluate_gates,
    _evaluate_network,
    _evaluate_results,
    _pixel_scale,
)
from quantunet.commands._evaluate_network import Network
from quantunet.commands._parser import MODELS, Parser, complete
from quantunet.commands._working import working
from quantunet.errors import OptionError
from quantunet.golden.ops.smallest_area import smallest_area
from quantunet.golden.pictures import FITS
from quantunet.mask_pictures import Case
from quantunet.model import data, evaluation, own_folder
from quantunet.model.data import Samples
from quantunet.model.metrics import ImageScores, score_images
from quantunet.page.evaluate import SCORES
from quantunet.storage import write_text
from quantunet.zoo import MODEL_HELP

_ALL = "all"
_CASES = 4
_AREA_SCORES = tuple(
    row for row in SCORES if row[1] in ("dice", "iou", "clean_normals", "marked_normals", "lesions_missed")
)


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "evaluate", help="score a network on a data set by integer inference", description=__doc__
    )
    parser.add_model(text=f"{MODEL_HELP}; or a float network that `quantunet train` has kept (*_float.onnx)")
    against = parser.add_argument(
        "--against",
        metavar="MODEL",
        help="another network, integer or float, that is scored on the same images: both scores and their difference, "
        "with its 95 %% interval over the groups of the data (patients); or the metrics.json of an earlier run",
    )
    complete(against, MODELS)
    _evaluate_gates.add_options(parser)
    parser.add_argument(
        "--data",
        required=True,
        help="an .npz with images, masks, group; a folder with images/ and masks/, with cases.csv, or as nnU-Net has "
        "it; a CSV file; an unpacked BUSI folder; or 'phantoms'. A network of several classes, or whose images are not "
        "square, takes such a folder or table, whose masks hold the classes of its card, or an .npz with images and "
        "masks, which hold the class of each pixel; one of several channels takes that .npz",
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how pictures of a folder get to the network's size, where its card does not say it (default: stretch)",
    )
    parser.add_argument(
        "--part",
        nargs="+",
        choices=[_ALL, "test", "val", "train"],
        default=[_ALL],
        help="all images, or parts of the split that the network was trained with, by its card (default: all)",
    )
    parser.add_argument(
        "--smallest-area",
        type=int,
        nargs="+",
        metavar="PIXELS",
        help="empty masks with fewer foreground pixels, as `quantunet mask` builds it into a network; with several "
        "numbers, a table compares them, and all else is of the first",
    )
    parser.add_argument("--phantoms", type=int, default=512, metavar="N", help="how many phantoms (default: 512)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the phantoms (default: 0)")
    parser.add_argument("--out", type=Path, help="folder of the results (default: runs/evaluate/<network>-<digest>)")
    _pixel_scale.add_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    if args.out:
        _evaluate_results.remove(args.out)
    network = _evaluate_network.load(args.model)
    folder = args.out or network.folder(Path("runs") / "evaluate")
    _evaluate_results.remove(folder)
    network = _evaluate_network.with_pixel_scale(network, args.pixel_scale)
    earlier = None if args.against is None else _evaluate_gates.earlier(Path(args.against))
    is_network = args.against is not None and earlier is None
    against = _other(args.against, network, args.pixel_scale) if is_network else None
    console = tables.output()
    is_split = own_folder.is_own(Path(args.data)) or args.part != [_ALL]
    if not (network.has_square_masks or (network.has_masks and is_split)):
        return _evaluate_classes.run(args, network, against, earlier, folder, console)
    gates = _evaluate_gates.gates(args, [key for _, key in SCORES])
    areas = _areas(args.smallest_area, math.prod(network.image_shape))
    card = _evaluate_card.card_of(network, needed=args.part != [_ALL])
    fit = _evaluate_card.fit_of(card, args.data, args.fit, network.title)
    with working("reading the data"):
        samples = data.load(
            args.data,
            network.image_shape[:2],
            phantom_count=args.phantoms,
            seed=args.seed,
            fit=fit,
            rgb=network.image_shape[2] == 3,
        )
    split = _evaluate_card.split_of(card, samples, needed=args.part != [_ALL])
    parts = {
        name: np.arange(len(samples)) if name == _ALL else _evaluate_card.parts_of(split)[name] for name in args.part
    }
    indices = np.unique(np.concatenate(list(parts.values())))
    console.print(f"{network.title} on {samples.source}, {', '.join(parts)}: {len(indices)} images", highlight=False)
    begin = time.perf_counter()
    masks = _predict(network, samples.images[indices], console)
    seconds = time.perf_counter() - begin
    every, masks = masks, smallest_area(masks, areas[0])
    with working("scoring"):
        each = score_images(masks, samples.masks[indices], distances=True)
    reports = {
        name: evaluation.part_report(samples, evaluation.some_of(each, np.searchsorted(indices, some)), some)
        | {"card": _evaluate_card.card_scores(card, split, name)}
        for name, some in parts.items()
    }
    provenance = _evaluate_results.provenance(args, network, against, samples)
    if earlier is not None:
        _evaluate_gates.put_beside(reports, earlier, Path(args.against), provenance["sha256"]["data"])
    for name, report in reports.items():
        tables.show(console, _table(f"{network.title} on {samples.source}, {name}", report))
        if earlier is not None:
            tables.show(console, _evaluate_gates.earlier_table(f"against {args.against}, {name}", report))
    by_area = {}
    if len(areas) > 1:
        for name, some in parts.items():
            by_area[name] = evaluation.area_reports(samples, every[np.searchsorted(indices, some)], some, areas)
            tables.show(console, _area_table(f"{network.title} on {samples.source}, {name}", by_area[name]))
    training, note = _evaluate_card.training_images(card, split, samples, indices)
    console.print(note, highlight=False, style="yellow" if training != 0 else "")
    compared = (
        None
        if against is None
        else _compare(network, against, samples, parts, indices, each, reports, areas[0], console)
    )
    cases = _cases(samples, indices, masks, each)
    _evaluate_results.save_pictures(folder, cases)
    part_of = {int(index): name for name, some in _evaluate_card.parts_of(split).items() for index in some}
    write_text(folder / _evaluate_results.ROWS, evaluation.images_csv(samples, indices, part_of, each))
    verdicts = _evaluate_gates.conclude(gates, reports, args.model, folder, console)
    document = {
        "model": args.model,
        "kind": network.kind,
        "data": samples.source,
        "images": len(indices),
        "training_images": training,
        "note": note,
        "seconds": round(seconds, 3),
        "images_per_second": round(len(indices) / seconds, 2),
        "smallest_area": areas[0],
        "parts": reports,
        "smallest_areas": by_area,
        **({} if compared is None else {"against": compared}),
        **({} if earlier is None else {"against": {"metrics": args.against}}),
        "gates": verdicts,
        "provenance": provenance,
    }
    write_text(folder / _evaluate_results.METRICS, json.dumps(document, indent=1) + "\n")
    _evaluate_results.write_page(folder, document, network.name, cases, each.dice)
    console.print(f"{len(indices) / seconds:.1f} images/s   results in {folder}", highlight=False, soft_wrap=True)
    return _evaluate_gates.exit_code(verdicts)


def _areas(given: list[int] | None, pixels: int) -> list[int]:
    """Return the smallest areas that are asked for, each once; 0 keeps every mask.

    Raises:
        OptionError: One is no number of pixels of an image.
    """
    areas = list(dict.fromkeys(given or [0]))
    for area in areas:
        if not 0 <= area <= pixels:
            raise OptionError("smallest-area", expected=f"0 to {pixels} pixels, those of an image", got=str(area))
    return areas


def _other(model: str, network: Network, pixel_scale: str | None) -> Network:
    """Return the network that another one is compared with."""
    other = _evaluate_network.load(model)
    _evaluate_network.check_comparable(network, other)
    is_unsaid = other.graph is not None and other.graph.pixels.scale is None
    return _evaluate_network.with_pixel_scale(other, pixel_scale if is_unsaid else None)


def _compare(
    network: Network,
    against: Network,
    samples: Samples,
    parts: Mapping[str, NDArray[np.int64]],
    indices: NDArray[np.int64],
    each: ImageScores,
    reports: dict[str, dict[str, Any]],
    area: int,
    console: Console,
) -> dict[str, Any]:
    """Score the other network on the same images, put both beside each other into the reports, and print it.

    The smallest area is that of both.

    Returns:
        What the metrics say of the other network as a whole.
    """
    masks = smallest_area(_predict(against, samples.images[indices], console), area)
    others = score_images(masks, samples.masks[indices], distances=True)
    for name, some in parts.items():
        chosen, group = np.searchsorted(indices, some), samples.group[some]
        left, right = (evaluation.some_of(scores, chosen) for scores in (each, others))
        found = _evaluate_against.differences(evaluation.image_scores(left), evaluation.image_scores(right), group)
        reports[name]["against"] = {"network": evaluation.summary(right, group), "differences": found}
        title = f"{network.title} against {against.title} on {samples.source}, {name}"
        tables.show(console, _evaluate_against.table(title, network.title, against.title, found))
    card = _evaluate_card.card_of(against, needed=False)
    training, note = _evaluate_card.training_images(
        card, _evaluate_card.split_of(card, samples, needed=False), samples, indices
    )
    note = f"{against.title}: {note}"
    console.print(note, highlight=False, style="yellow" if training != 0 else "")
    return {"model": against.model, "kind": against.kind, "training_images": training, "note": note}


def _predict(network: Network, images: NDArray[np.uint8], console: Console) -> NDArray[np.bool_]:
    """Segment images behind a progress bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"{network.kind} inference", total=len(images), rate="")
        begin = time.perf_counter()

        def show(count: int) -> None:
            progress.update(task, completed=count, rate=f"{count / (time.perf_counter() - begin):.1f} images/s")

        return network.masks(images, show)


def _table(title: str, report: dict[str, Any]) -> Table:
    """Return the scores of a part: the network's beside those of its card, of each label and of a second observer."""
    columns = {"measured": report["network"]}
    card = report["card"]
    if card is not None:
        name = card["part"] if card["same_data"] else card["data"]
        columns[f"card: {name}{', every area' if card['every_area'] else ''}"] = card["scores"]
    columns |= report.get("labels", {})
    if "second_observer" in report:
        columns["second observer"] = report["second_observer"]
    table = Table("score", *columns, title=title)
    for text, key in SCORES:
        table.add_row(text, *(_cell(scores, key) for scores in columns.values()))
    return table


def _area_table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Return the scores of a part with each smallest area."""
    table = Table("smallest area", "masks emptied", *(text for text, _ in _AREA_SCORES), title=title)
    for row in rows:
        cells = (_cell(row["network"], key) for _, key in _AREA_SCORES)
        table.add_row(str(row["smallest_area"]), str(row["emptied"]), *cells)
    return table


def _cell(scores: dict[str, Any], key: str) -> str:
    value = scores.get(key)
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    text = f"{value:.4f}"
    low, high = scores.get(f"{key}_interval", (None, None))
    return text if low is None or high is None else f"{text}\n{low:.3f} to {high:.3f}"


def _cases(
    samples: Samples, indices: NDArray[np.int64], masks: NDArray[np.bool_], each: ImageScores
) -> dict[str, list[Case]]:
    """Return the best, the median and the worst images; by Dice, from the better to the worse."""
    order = evaluation.ranking(each)[::-1]
    middle = max(0, (len(order) - _CASES) // 2)
    chosen = (order[:_CASES], order[middle : middle + _CASES], order[-_CASES:])
    return {
        name: [evaluation.image_case(samples, int(indices[at]), masks[at], each, at) for at in some.tolist()]
        for name, some in zip(_evaluate_results.PICTURES, chosen, strict=True)
    }
