"""The page of ``quantunet evaluate``: scores, their spread, and the best, the median and the worst images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantunet.class_colours import label, score_label
from quantunet.page.parts import (
    Block,
    Cell,
    Facts,
    Histogram,
    Histograms,
    Mark,
    Note,
    Page,
    Picture,
    Pictures,
    Section,
    Table,
    number,
    text,
)
from quantunet.page.pictures import class_legend
from quantunet.page.provenance import provenance

SCORES = (
    ("images", "images"),
    ("lesion images", "lesion_images"),
    ("Dice", "dice"),
    ("IoU", "iou"),
    ("pixel accuracy", "accuracy"),
    ("the same, all background", "background_accuracy"),
    ("clean normal images", "clean_normals"),
    ("normal images marked, share", "marked_normals"),
    ("false-positive area", "false_positive_area"),
    ("lesions missed", "lesions_missed"),
    ("HD95 in pixels", "hd95"),
)
"""How scores of masks are called, and their keys in ``metrics.json`` and in cards."""

_COLUMNS = 20
_DIGITS = 4


def evaluate_page(
    metrics: Mapping[str, Any],
    name: str,
    cases: Mapping[str, Sequence[Picture]] | None = None,
    dice: npt.NDArray[np.float64] | None = None,
    back: str = "",
) -> Page:
    """Return the page of an evaluation.

    Args:
        metrics: What ``metrics.json`` holds.
        name: The network's name.
        cases: Pictures by kind: ``best``, ``median``, ``worst``.
        dice: Dice of each image, nan where it has none.
        back: A file that leads to other pages.
    """
    parts = metrics["parts"]
    classes = _names(next(iter(parts.values()))["network"])
    training = metrics.get("training_images", 0)
    notes: list[Block] = [Note(metrics["note"], "warn" if training != 0 else "")] if "note" in metrics else []
    if metrics.get("against", {}).get("note"):
        notes.append(Note(metrics["against"]["note"]))
    sections = [
        Section("In figures", [Facts(_figures(metrics), large=True), *notes]),
        Section("Worst images", _pictures(cases, "worst", classes, worst_first=True)),
        *(Section(f"Scores: {part}", _scores(part, report)) for part, report in parts.items()),
        Section("How the scores spread", _spread(dice)),
        Section("Smallest areas", [_areas(part, rows) for part, rows in metrics.get("smallest_areas", {}).items()]),
        Section("Median images", _pictures(cases, "median", classes)),
        Section("Best images", _pictures(cases, "best", classes)),
        provenance(metrics["provenance"]),
    ]
    kind = (
        f"{metrics['kind']} inference" if metrics["kind"] == "float" else "integer inference, which the hardware equals"
    )
    lead = f"{metrics['images']:,} images of {metrics['data']}, by {kind}."
    verdict, mark = _verdict(parts)
    return Page("evaluate", name, verdict, mark, lead, sections, back)


def _names(found: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes; none where a class has no name, or a mask has one foreground."""
    names = [row.get("name") for row in found.get("classes", ())]
    return [] if None in names else names


def _verdict(parts: Mapping[str, Any]) -> tuple[str, Mark]:
    part, report = next(iter(parts.items()))
    key = "mean_dice" if "classes" in report["network"] else "dice"
    value = report["network"][key]
    return (f"no Dice ({part})" if value is None else f"Dice {value:.3f} ({part})"), ""


def _figures(metrics: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    report = next(iter(metrics["parts"].values()))["network"]
    if "classes" in report:
        found = [("mean Dice of the classes but 0", number(report["mean_dice"], _DIGITS)),
                 ("mean IoU of the classes but 0", number(report["mean_iou"], _DIGITS)),
                 ("pixel accuracy", number(report["accuracy"], _DIGITS))]  # fmt: skip
    else:
        wanted = ("dice", "iou", "accuracy", "lesions_missed", "false_positive_area", "hd95")
        found = [(name, score(report.get(key))) for name, key in SCORES if key in wanted]
    return [*found, ("images", number(metrics["images"])), ("images a second", number(metrics["images_per_second"], 1))]


def score(value: float | int | None) -> Cell:
    """Return a score as a cell: a count as a whole number, also where a card has it as 77.0."""
    if isinstance(value, float) and value > 1 and value.is_integer():
        return Cell(f"{value:,.0f}", value)
    return number(value, None if isinstance(value, int) else _DIGITS)


def _scores(part: str, report: Mapping[str, Any]) -> list[Block]:
    if "classes" in report["network"]:
        return [
            _classes(part, report["network"]),
            *_differences(report.get("against"), part, _names(report["network"])),
        ]
    columns: dict[str, Mapping[str, Any]] = {"measured": report["network"]}
    card = report.get("card")
    if card is not None:
        columns[f"card: {card['part'] if card['same_data'] else card['data']}"] = card["scores"]
    columns |= report.get("labels", {})
    if "second_observer" in report:
        columns["second observer"] = report["second_observer"]
    rows = []
    for name, key in SCORES:
        cells = [score(scores.get(key)) for scores in columns.values()]
        low, high = report["network"].get(f"{key}_interval", (None, None))
        between = text(None) if low is None or high is None else Cell(f"{low:.3f} to {high:.3f}")
        spread = number(report["network"].get(f"{key}_std"), _DIGITS)
        rows.append([text(name), *cells[:1], between, spread, *cells[1:]])
    measured, *others = columns
    head = ("score", measured, "95 % interval", "standard deviation", *others)
    caption = f"Scores of the part {part}; intervals by resampling groups"
    return [Table(caption, head, rows), *_differences(report.get("against"), part)]


def _classes(part: str, found: Mapping[str, Any]) -> Table:
    rows = [
        [
            text(label(row["class"], row.get("name"))),
            number(row["images"]),
            number(row["dice"], _DIGITS),
            number(row["iou"], _DIGITS),
            number(row["reference_pixels"]),
            number(row["predicted_pixels"]),
        ]
        for row in found["classes"]
    ]
    head = ("class", "images with it", "Dice", "IoU", "reference pixels", "predicted pixels")
    return Table(f"Scores of the part {part}, by class", head, rows)


def _differences(against: Mapping[str, Any] | None, part: str, classes: Sequence[str] = ()) -> list[Block]:
    if not against:
        return []
    rows = []
    for name, entry in against["differences"].items():
        low, high = entry["interval"]
        between = text(None) if low is None or high is None else Cell(f"{low:+.4f} to {high:+.4f}")
        means = [number(entry[key], _DIGITS) for key in ("first", "second", "difference")]
        rows.append(
            [text(score_label(name, classes)), *means, between, number(entry["images"]), number(entry["groups"])]
        )
    head = ("score", "this network", "the other", "difference", "95 % interval", "images", "groups")
    return [Table(f"Against the other network, part {part}", head, rows)]


def _spread(dice: npt.NDArray[np.float64] | None) -> list[Block]:
    known = dice[~np.isnan(dice)] if dice is not None else np.array([])
    if not len(known):
        return []
    counts = np.histogram(known, _COLUMNS, (0.0, 1.0))[0]
    notes = [
        Cell(f"{len(known):,} images"),
        Cell(f"{known.mean():.{_DIGITS}f} on the mean"),
        Cell(f"{np.median(known):.{_DIGITS}f} is the median"),
        Cell(f"{known.min():.{_DIGITS}f} at least"),
    ]
    item = Histogram("Dice of every image that has one", "0", "1", [int(count) for count in counts], notes)
    return [Histograms("How many images reach which Dice", [item])]


def _areas(part: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    keys = ("dice", "iou", "clean_normals", "marked_normals", "lesions_missed")
    names = {key: name for name, key in SCORES}
    cells = [
        [number(row["smallest_area"]), number(row["emptied"]), *(score(row["network"].get(key)) for key in keys)]
        for row in rows
    ]
    head = ("smallest area", "masks emptied", *(names[key] for key in keys))
    return Table(f"Scores of the part {part} with masks of fewer pixels emptied", head, cells, names=0)


def _pictures(
    cases: Mapping[str, Sequence[Picture]] | None, kind: str, classes: Sequence[str], *, worst_first: bool = False
) -> list[Block]:
    found = list((cases or {}).get(kind, ()))
    if not found:
        return []
    if worst_first:
        found.reverse()
    legend = "On the left the image; on the right the predicted mask as a tint and the reference as a contour."
    return [Note(legend), *class_legend(classes), Pictures(found)]
