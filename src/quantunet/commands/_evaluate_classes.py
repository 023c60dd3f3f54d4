"""``quantunet evaluate`` for networks of several classes, of several channels, or whose images are not square.

Scores are by class. Images of one's own come as a folder or table, whose masks hold the classes of the network's card,
and may be parts of its split; or as an ``.npz`` of images and class indices, of any network.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from quantunet import tables
from quantunet.class_colours import label
from quantunet.commands import _evaluate_against, _evaluate_card, _evaluate_gates, _evaluate_results
from quantunet.commands._evaluate_network import Network
from quantunet.commands._working import working
from quantunet.errors import ImageError, OptionError
from quantunet.mask_pictures import Case, check_classes
from quantunet.model import class_scores, data, own_folder
from quantunet.model.card_file import Card
from quantunet.model.class_scores import ClassSamples, ClassScores
from quantunet.storage import write_text

ALL = "all"
_CASES = 4
_SCORES = ("mean_dice", "mean_iou", "accuracy")
"""What gates may name."""


def run(
    args: argparse.Namespace,
    network: Network,
    against: Network | None,
    earlier: dict[str, Any] | None,
    folder: Path,
    console: Console,
) -> int:
    """Score a network on images with class indices, and another one beside it.

    Raises:
        ImageError: The data are another kind, or hold other classes.
        DataSplitError: A part is asked for, of data that the network was not trained on.
        OptionError: A smallest area is asked for.
        QuantUNetError: As :func:`quantunet.model.class_scores.load_class_samples`.
    """
    if args.smallest_area is not None:
        raise OptionError(
            "smallest-area",
            expected="a network with one foreground, of gray or RGB images of your own or square gray ones",
            got=network.name,
            hint="`quantunet mask` builds the smallest area into any network of one class.",
        )
    gates = _evaluate_gates.gates(args, _SCORES)
    check_classes(network.name, network.classes)
    found = _data(args, network)
    samples, indices = found.samples, found.indices
    console.print(
        f"{args.model} on {samples.source}: {len(indices)} images, {network.classes} classes", highlight=False
    )
    begin = time.perf_counter()
    predicted = _predict(network, samples, console)
    seconds = time.perf_counter() - begin
    each = class_scores.score_classes(predicted, samples.classes, network.classes)
    reports = {name: _report(found, each, name) for name in found.parts}
    for name, report in reports.items():
        tables.show(console, _table(f"{args.model} on {samples.source}{_part(name)}", report))
    if against is not None:
        others = class_scores.score_classes(_predict(against, samples, console), samples.classes, network.classes)
        for name, report in reports.items():
            at = found.places(name)
            mine, theirs = class_scores.some_of(each, at), class_scores.some_of(others, at)
            report["against"] = _against(mine, theirs, None if samples.group is None else samples.group[at])
            title = f"{args.model} against {against.model} on {samples.source}{_part(name)}"
            differences = report["against"]["differences"]
            shown = _evaluate_against.table(title, args.model, against.model, differences, found.classes)
            tables.show(console, shown)
            console.print(report["against"]["note"], highlight=False)
    provenance = _evaluate_results.provenance(args, network, against, samples)
    if earlier is not None:
        _evaluate_gates.put_beside(reports, earlier, Path(args.against), provenance["sha256"]["data"])
        for name, report in reports.items():
            tables.show(console, _evaluate_gates.earlier_table(f"against {args.against}{_part(name)}", report))
    if found.note is not None:
        console.print(found.note[1], highlight=False, style="yellow" if found.note[0] != 0 else "")
    verdicts = _evaluate_gates.conclude(gates, reports, args.model, folder, console)
    cases = _cases(found, predicted, each)
    _evaluate_results.save_pictures(folder, cases, found.classes)
    write_text(folder / _evaluate_results.ROWS, class_scores.images_csv(samples, each, indices, found.names))
    rate = round(len(indices) / seconds, 2)
    document = {
        "model": args.model,
        "kind": network.kind,
        "data": samples.source,
        "images": len(indices),
        **({} if found.note is None else {"training_images": found.note[0], "note": found.note[1]}),
        "seconds": round(seconds, 3),
        "images_per_second": rate,
        "parts": reports,
        **({} if against is None else {"against": {"model": against.model, "kind": against.kind}}),
        **({} if earlier is None else {"against": {"metrics": args.against}}),
        "gates": verdicts,
        "provenance": provenance,
    }
    write_text(folder / _evaluate_results.METRICS, json.dumps(document, indent=1) + "\n")
    _evaluate_results.write_page(folder, document, network.name, cases, class_scores.image_dice(each))
    console.print(f"{rate} images/s   results in {folder}", highlight=False, soft_wrap=True)
    return _evaluate_gates.exit_code(verdicts)


def _part(name: str) -> str:
    return "" if name == ALL else f", {name}"


@dataclass(frozen=True, eq=False)
class _Data:
    """What is scored.

    Attributes:
        samples: The images.
        indices: Their places in the data set, sorted.
        parts: Places in the data set of each part that is asked for.
        names: What each image is called; None where nobody says it.
        classes: Names of the classes; empty where nobody says them.
        card: For each part what the card says of it.
        note: How many of the images the network was trained on, and a sentence about it; None where nobody looked.
    """

    samples: ClassSamples
    indices: NDArray[np.int64]
    parts: Mapping[str, NDArray[np.int64]]
    names: NDArray[np.str_] | None = None
    classes: tuple[str, ...] = ()
    card: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    note: tuple[int | None, str] | None = None

    def places(self, part: str) -> NDArray[np.int64]:
        """The images of a part, by their places among those that are scored."""
        return np.searchsorted(self.indices, self.parts[part])


def _data(args: argparse.Namespace, network: Network) -> _Data:
    """Read the data: of a folder, a table or a part of a training by the network's card, of an ``.npz`` as they are."""
    if not own_folder.is_own(Path(args.data)) and args.part == [ALL]:
        samples = class_scores.load_class_samples(_file(args, network), network.name, network.image_shape,
                                                  network.classes)  # fmt: skip
        named = _evaluate_card.card_of(network, needed=False)
        every = np.arange(len(samples.images))
        return _Data(samples, every, {ALL: every}, classes=named.classes if named else ())
    if network.image_shape[2] not in (1, 3):
        raise ImageError(
            args.data,
            expected=f"an .npz with images of {network.image_shape[2]} channels, for {network.name}, and --part all",
            got="pictures, or a part of a training",
        )
    needed = args.part != [ALL]
    card = _evaluate_card.card_of(network, needed=needed)
    with working("reading the data"):
        whole = data.load(
            args.data,
            network.image_shape[:2],
            fit=_evaluate_card.fit_of(card, args.data, args.fit, network.title),
            rgb=network.image_shape[2] == 3,
            classes=_classes(args.data, network, card),
        )
    split = _evaluate_card.split_of(card, whole, needed=needed)
    parts = _evaluate_card.parts_of(split) | {ALL: np.arange(len(whole))}
    chosen = {name: parts[name] for name in args.part}
    indices = np.unique(np.concatenate(list(chosen.values())))
    return _Data(
        ClassSamples(
            whole.source,
            whole.images[indices].reshape(-1, *network.image_shape),
            whole.masks[indices].astype(np.int64),
            whole.label[indices],
            whole.group[indices],
        ),
        indices,
        chosen,
        None if whole.name is None else whole.name[indices],
        whole.classes,
        {name: _evaluate_card.card_scores(card, split, name) for name in chosen},
        _evaluate_card.training_images(card, split, whole, indices),
    )


def _classes(source: str, network: Network, card: Card | None) -> tuple[str, ...]:
    """Return the classes that masks of one's own hold: by the card; by the data; else they have numbers for names.

    Raises:
        ImageError: The data name another number of classes than the network has.
    """
    if network.classes == 2:
        return ()
    path = Path(source)
    said = own_folder.find(path).classes if own_folder.is_own(path) else ()
    if said and len(said) != network.classes:
        raise ImageError(
            source,
            expected=f"{network.classes} classes, those of {network.title}",
            got=f"{len(said)}: {', '.join(said)}",
        )
    return (card.classes if card else ()) or said or tuple(f"class {index}" for index in range(network.classes))


def _report(found: _Data, each: ClassScores, name: str) -> dict[str, Any]:
    """Return the scores of a part, with the names of the classes and what the card says where these are known."""
    scores = class_scores.summary(class_scores.some_of(each, found.places(name)))
    for row, called in zip(scores["classes"], found.classes, strict=False):
        row["name"] = called
    return {"network": scores} | ({"card": found.card[name]} if name in found.card else {})


def _predict(network: Network, samples: ClassSamples, console: Console) -> NDArray[np.int64]:
    doing = f"{network.kind} inference"
    with console.status(doing) as status:
        return network.class_maps(
            samples.images, lambda done: status.update(f"{doing}: {done} of {len(samples.images)}")
        )


def _against(each: ClassScores, others: ClassScores, known: NDArray[np.int64] | None) -> dict[str, Any]:
    """Return the other network's scores and the differences; without groups, each image is one, as the note says."""
    group = np.arange(len(each.accuracy)) if known is None else known
    return {
        "network": class_scores.summary(others),
        "differences": _evaluate_against.differences(
            class_scores.image_scores(each), class_scores.image_scores(others), group
        ),
        "note": "the data have no group: every image is taken for a patient of its own, and the intervals are too "
        "narrow where that is not so"
        if known is None
        else f"intervals over the {len(np.unique(group))} groups of the data",
    }


def _file(args: argparse.Namespace, network: Network) -> Path:
    height, width, channels = network.image_shape
    path = Path(args.data)
    if not path.exists() and path.name == args.data:
        path = data.find_data(args.data) or path
    if args.data == "phantoms" or path.is_dir():
        raise ImageError(
            args.data,
            expected=f"an .npz for {network.name}, of {width}x{height} pixels, {channels} channels and "
            f"{network.classes} classes",
            got="phantoms" if args.data == "phantoms" else "a folder",
            hint=f"Write images, uint8 (n, {height}, {width}, {channels}), and masks, the class of each pixel, "
            f"(n, {height}, {width}).",
        )
    return path


def _table(title: str, report: Mapping[str, Any]) -> Table:
    """Return the scores of a part, and beside them what the card says of it."""
    found, card = report["network"], report.get("card")
    said = {} if card is None else {f"card: {card['part'] if card['same_data'] else card['data']}": card["scores"]}
    table = Table("class", "images with it", "Dice", "IoU", "reference pixels", "predicted pixels", *said, title=title)

    def cells_of(key: str) -> list[str]:
        return [_cell(scores.get(key)) for scores in said.values()]

    for row in found["classes"]:
        cells = [_cell(row[key]) for key in ("dice", "iou")]
        pixels = (str(row["reference_pixels"]), str(row["predicted_pixels"]))
        table.add_row(
            label(row["class"], row.get("name")), str(row["images"]), *cells, *pixels, *cells_of(f"dice_{row['class']}")
        )
    table.add_section()
    means = [_cell(found[key]) for key in ("mean_dice", "mean_iou")]
    table.add_row("mean but 0", "", *means, "", "", *cells_of("dice"))
    table.add_row("pixel accuracy", str(found["images"]), _cell(found["accuracy"]), "", "", "", *cells_of("accuracy"))
    return table


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _cases(found: _Data, predicted: NDArray[np.int64], each: ClassScores) -> dict[str, list[Case]]:
    """Return the best, the median and the worst images, by the mean Dice of the classes but class 0."""
    samples, order = found.samples, class_scores.from_best(each)
    middle = max(0, (len(order) - _CASES) // 2)
    chosen = (order[:_CASES], order[middle : middle + _CASES], order[-_CASES:])
    names = found.names if found.names is not None else [f"image {index}" for index in found.indices.tolist()]
    return {
        name: [
            class_scores.class_case((str(names[at]), str(samples.label[at])), samples.images[at], samples.classes[at],
                                    predicted[at], each, at)
            for at in some.tolist()
        ]
        for name, some in zip(_evaluate_results.PICTURES, chosen, strict=True)
    }  # fmt: skip
