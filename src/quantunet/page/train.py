"""The page of ``quantunet train``: curves, learned widths, scores, and what the network does on validation images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantunet.page.evaluate import SCORES, score
from quantunet.page.parts import (
    Block,
    Cell,
    Facts,
    Lines,
    Note,
    Page,
    Picture,
    Pictures,
    Section,
    Table,
    bars,
    number,
    text,
)
from quantunet.page.pictures import class_legend
from quantunet.page.provenance import provenance

_DIGITS = 4


def train_page(
    card: Mapping[str, Any], history: Sequence[Mapping[str, Any]], cases: Sequence[Picture] = (), back: str = ""
) -> Page:
    """Return the page of a training.

    Args:
        card: The card of the network.
        history: A row for each epoch.
        cases: The worst images of the validation part.
        back: A file that leads to other pages.
    """
    signatures = card["training"]["signatures"]
    scores = card["scores"]
    final = scores.get("quantised") or scores.get("control") or scores["float"]
    dice = final["test"]["dice"]
    what = "learned widths" if "bits" in card else "float control"
    parts = ", ".join(f"{part['images']} in the {name} part" for name, part in card["data"]["parts"].items())
    lead = f"Trained on {card['data']['source']} ({parts} of the split), {what}."
    if signatures:
        lead += " It shows signs of failure."
    return Page(
        "train",
        card["name"],
        "no test Dice" if dice is None else f"test Dice {dice:.3f}",
        "warn" if signatures else "",
        lead,
        [
            Section(
                "In figures", [Facts(_figures(card, final), large=True), *(Note(one, "warn") for one in signatures)]
            ),
            Section("Curves", _curves(history)),
            Section("Widths", _widths(card)),
            Section("Worst images of the validation part", _cases(cases, card.get("classes", ()))),
            Section("Scores", _scores(scores, card.get("classes", ()))),
            Section("Every epoch", _epochs(history)),
            Section("How it was trained", [Facts([("command", Cell(card["training"]["command"], code=True))])]),
            provenance(card.get("provenance")),
        ],
        back,
    )


def _figures(card: Mapping[str, Any], final: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    found = [
        ("Dice, test part", number(final["test"]["dice"], _DIGITS)),
        ("Dice, validation part", number(final["val"]["dice"], _DIGITS)),
        ("Dice, float, test part", number(card["scores"]["float"]["test"]["dice"], _DIGITS)),
    ]
    if "bits" in card:
        bits = card["bits"]
        found += [
            ("mean bits of the layers", number(bits["mean"]["layers"])),
            ("mean bits of weights", number(bits["mean_weight"])),
            ("mean bits of activations", number(bits["mean_activation"])),
        ]
    if "size" in card:
        size = card["size"]
        found += [("parameters", number(size["parameters"])), ("smaller than float32", number(size["ratio"], unit="×"))]
    if "export_check" in card:
        found.append(("values of the export that differ", number(card["export_check"]["values_differing"])))
        found.append(("values of the export compared", number(card["export_check"]["values_compared"])))
    return [*found, ("hours", number(card["training"]["hours"]))]


def _curves(history: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not history:
        return []
    phases = [row["phase"] for row in history]
    breaks = [(at, phase) for at, phase in enumerate(phases) if at and phase != phases[at - 1]]

    def of(key: str) -> list[float | None]:
        return [row.get(key) for row in history]

    charts = [
        Lines("Validation Dice, after each epoch", "epoch", [("Dice", of("val_dice"))], 4, breaks),
        Lines("Loss of training, after each epoch", "epoch", [("loss", of("loss"))], 4, breaks),
    ]
    quantised = [None if row["phase"] == "float" else row["mean_bits"] for row in history]
    if any(value is not None for value in quantised):
        charts.append(Lines("Mean bits of the layers, after each epoch", "epoch", [("bits", quantised)], 2, breaks))
    return [*charts]


def _widths(card: Mapping[str, Any]) -> list[Block]:
    if "bits" not in card:
        return []
    layers = card["bits"]["layers"]
    rows = [(name, [number(one["weight"]), number(one["activation"])]) for name, one in layers.items()]
    return [bars("Bits of a value, by layer", ("layer", "weights", "activations"), rows, common=True)]


def _cases(cases: Sequence[Picture], classes: Sequence[str]) -> list[Block]:
    if not cases:
        return []
    legend = "On the left the image; on the right the predicted mask as a tint and the reference as a contour."
    return [Note(legend), *class_legend(classes), Pictures(cases)]


def _scores(scores: Mapping[str, Any], classes: Sequence[str]) -> list[Block]:
    columns = {
        f"{kind}, {part}": found
        for kind in ("float", "quantised", "control")
        for part, found in scores.get(kind, {}).items()
    }
    keys = list(SCORES)
    for index, name in enumerate(classes[1:], 1):
        keys += [(f"{kind}, {name}", f"{kind.lower()}_{index}") for kind in ("Dice", "IoU")]
    rows = [[text(name), *(score(one.get(key)) for one in columns.values())] for name, key in keys]
    return [Table("Scores by network and part", ("score", *columns), rows), Note(scores["note"])]


def _epochs(history: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not history:
        return []
    rows = [
        [
            text(row["phase"]),
            number(row["epoch"]),
            number(row["loss"], 4),
            number(row["val_dice"], 4),
            number(row["mean_bits"], 2),
            number(row["seconds"], 1),
            text(row.get("best")),
        ]
        for row in history
    ]
    head = ("phase", "epoch", "loss", "validation Dice", "mean bits", "s", "best network so far")
    return [Table("Every epoch", head, rows, folded=True)]
