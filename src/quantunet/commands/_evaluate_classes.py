"""``quantunet evaluate`` for networks of several classes, of several channels, or whose images are not square."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from quantunet import golden, tables
from quantunet.commands import _evaluate_against, _evaluate_gates, _evaluate_results
from quantunet.commands._evaluate_network import Network
from quantunet.errors import ImageError, OptionError
from quantunet.ir import Graph
from quantunet.mask_pictures import Case, check_classes
from quantunet.model import class_scores, data
from quantunet.model.class_scores import ClassSamples, ClassScores
from quantunet.storage import write_text

_CASES = 4
_SCORES = ("mean_dice", "mean_iou", "accuracy")
"""What gates may name."""


def run(
    args: argparse.Namespace,
    network: Network,
    graph: Graph,
    against: tuple[Network, Graph] | None,
    earlier: dict[str, Any] | None,
    folder: Path,
    console: Console,
) -> int:
    """Score a network on an ``.npz`` of images and class indices, and another one beside it.

    Raises:
        ImageError: The data are another kind, or a part of a training is asked for.
        OptionError: A smallest area is asked for.
        QuantUNetError: As :func:`quantunet.model.class_scores.load_class_samples`.
    """
    if args.smallest_area is not None:
        raise OptionError(
            "smallest-area",
            expected="a network of one class, of one channel and of square images",
            got=graph.name,
            hint="`quantunet mask` builds the smallest area into any network of one class.",
        )
    gates = _evaluate_gates.gates(args, _SCORES)
    count = golden.class_count(graph)
    check_classes(graph.name, count)
    samples = class_scores.load_class_samples(_file(args, graph), graph)
    console.print(f"{args.model} on {samples.source}: {len(samples.images)} images, {count} classes", highlight=False)
    begin = time.perf_counter()
    predicted = _predict(graph, samples, console)
    seconds = time.perf_counter() - begin
    each = class_scores.score_classes(predicted, samples.classes, count)
    found = class_scores.summary(each)
    tables.show(console, _table(f"{args.model} on {samples.source}", found))
    report: dict[str, Any] = {"network": found}
    if against is not None:
        other, its_graph = against
        others = class_scores.score_classes(_predict(its_graph, samples, console), samples.classes, count)
        report["against"] = _against(samples, each, others)
        title = f"{args.model} against {other.model} on {samples.source}"
        tables.show(console, _evaluate_against.table(title, args.model, other.model, report["against"]["differences"]))
        console.print(report["against"]["note"], highlight=False)
    provenance = _evaluate_results.provenance(args, network, against[0] if against else None, samples)
    if earlier is not None:
        _evaluate_gates.put_beside({"all": report}, earlier, Path(args.against), provenance["sha256"]["data"])
        tables.show(console, _evaluate_gates.earlier_table(f"against {args.against}", report))
    verdicts = _evaluate_gates.conclude(gates, {"all": report}, args.model, folder, console)
    cases = _cases(samples, predicted, each)
    _evaluate_results.save_pictures(folder, cases)
    write_text(folder / _evaluate_results.ROWS, class_scores.images_csv(samples, each))
    rate = round(len(samples.images) / seconds, 2)
    document = {
        "model": args.model,
        "kind": network.kind,
        "data": samples.source,
        "images": len(samples.images),
        "seconds": round(seconds, 3),
        "images_per_second": rate,
        "parts": {"all": report},
        **({} if against is None else {"against": {"model": against[0].model, "kind": against[0].kind}}),
        **({} if earlier is None else {"against": {"metrics": args.against}}),
        "gates": verdicts,
        "provenance": provenance,
    }
    write_text(folder / _evaluate_results.METRICS, json.dumps(document, indent=1) + "\n")
    _evaluate_results.write_page(folder, document, network.name, cases, class_scores.image_dice(each))
    console.print(f"{rate} images/s   results in {folder}", highlight=False, soft_wrap=True)
    return _evaluate_gates.exit_code(verdicts)


def _predict(graph: Graph, samples: ClassSamples, console: Console) -> NDArray[np.int64]:
    with console.status("integer inference") as status:
        return class_scores.predict_classes(
            graph, samples.images, lambda done: status.update(f"integer inference: {done} of {len(samples.images)}")
        )


def _against(samples: ClassSamples, each: ClassScores, others: ClassScores) -> dict[str, Any]:
    """Return the other network's scores and the differences; without groups, each image is one, as the note says."""
    group = np.arange(len(samples.images)) if samples.group is None else samples.group
    return {
        "network": class_scores.summary(others),
        "differences": _evaluate_against.differences(
            class_scores.image_scores(each), class_scores.image_scores(others), group
        ),
        "note": "the data have no group: every image is taken for a patient of its own, and the intervals are too "
        "narrow where that is not so"
        if samples.group is None
        else f"intervals over the {len(np.unique(group))} groups of the data",
    }


def _file(args: argparse.Namespace, graph: Graph) -> Path:
    height, width, channels = graph.tensor(graph.input).shape
    path = Path(args.data)
    if not path.exists() and path.name == args.data:
        path = data.find_data(args.data) or path
    if args.data == "phantoms" or path.is_dir():
        raise ImageError(
            args.data,
            expected=f"an .npz for {graph.name}, of {width}x{height} pixels, {channels} channels and "
            f"{golden.class_count(graph)} classes",
            got="phantoms" if args.data == "phantoms" else "a folder",
            hint=f"Write images, uint8 (n, {height}, {width}, {channels}), and masks, the class of each pixel, "
            f"(n, {height}, {width}).",
        )
    if args.part != ["all"]:
        raise ImageError(
            args.data, expected="--part all for such a network", got=" ".join(args.part), hint="Leave --part out."
        )
    return path


def _table(title: str, found: dict[str, Any]) -> Table:
    table = Table("class", "images with it", "Dice", "IoU", "reference pixels", "predicted pixels", title=title)
    for row in found["classes"]:
        cells = [_cell(row[key]) for key in ("dice", "iou")]
        table.add_row(
            str(row["class"]), str(row["images"]), *cells, str(row["reference_pixels"]), str(row["predicted_pixels"])
        )
    table.add_section()
    table.add_row("mean but 0", "", _cell(found["mean_dice"]), _cell(found["mean_iou"]), "", "")
    table.add_row("pixel accuracy", str(found["images"]), _cell(found["accuracy"]), "", "", "")
    return table


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _cases(samples: ClassSamples, predicted: NDArray[np.int64], each: ClassScores) -> dict[str, list[Case]]:
    """Return the best, the median and the worst images, by the mean Dice of the classes but class 0."""
    dice = class_scores.image_dice(each)
    score = np.where(np.isnan(dice), each.accuracy, dice)
    order = np.argsort(-score, kind="stable")
    middle = max(0, (len(order) - _CASES) // 2)
    chosen = (order[:_CASES], order[middle : middle + _CASES], order[-_CASES:])
    found: dict[str, list[Case]] = {}
    for name, some in zip(_evaluate_results.PICTURES, chosen, strict=True):
        cases = found[name] = []
        for index in some.tolist():
            kind = "only class 0" if np.isnan(dice[index]) else f"mean Dice {dice[index]:.3f}"
            title = "   ".join(filter(None, (f"image {index}", str(samples.label[index]), kind)))
            cases.append(Case(title, samples.images[index], samples.classes[index], predicted[index]))
    return found
