"""What ``quantunet train`` would train on: runs, their parts, and a contact sheet. Needs no torch."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from quantunet import tables
from quantunet.class_colours import label
from quantunet.errors import OptionError
from quantunet.mask_pictures import Case, save_sheet
from quantunet.model.config import TrainConfig
from quantunet.model.data import Samples, folds_of, part_counts, split_as

SHEET = "contact_sheet.png"
_SHOWN = 8
_SCORES = ("dice", "iou", "accuracy")

Run = tuple[TrainConfig, Path]
"""A training, and the folder that it writes to."""


def runs(config: TrainConfig, samples: Samples, folder: Path) -> list[Run]:
    """Return the trainings that a configuration asks for: one, or one for each fold.

    Args:
        config: The configuration.
        samples: The data.
        folder: Of one training; of several, each has a folder in it.

    Raises:
        DataSplitError: A part would be empty, or there are not so many folds.
        OptionError: There is no such fold.
    """
    if config.folds is None:
        found = [(config, folder)]
    else:
        group = samples.group if config.split_by == "group" else np.arange(len(samples))
        numbers = np.unique(folds_of(samples, group, config.folds, config.seed)).tolist()
        chosen = numbers if config.fold is None else [config.fold]
        if not set(chosen) <= set(numbers):
            raise OptionError("--fold", expected=f"one of {', '.join(map(str, numbers))}", got=str(config.fold))
        found = [(config.changed(fold=number), folder / f"fold{number}") for number in chosen]
    for each, _ in found:
        split_as(each, samples)
    return found


def show(found: Sequence[Run], samples: Samples, folder: Path, console: Console) -> None:
    """Print the parts of each training, and write a contact sheet of them.

    Raises:
        StorageError: The sheet cannot be written.
    """
    table = Table(
        "training", "part", "images", "groups", "with a lesion", title=f"{samples.source}, nothing is trained"
    )
    rows: list[tuple[str, list[Case]]] = []
    for config, where in found:
        for name, indices in split_as(config, samples).parts().items():
            counts = part_counts(samples, indices)
            table.add_row(str(where), name, *(str(counts[key]) for key in ("images", "groups", "lesion_images")))
            heading = f"{where.name}, {name}: {counts['images']} images, {counts['groups']} groups"
            rows.append((heading, [_case(samples, index) for index in _spread(indices.tolist())]))
    sheet = folder / SHEET
    save_sheet(sheet, rows, names=samples.classes)
    tables.show(console, table)
    if samples.classes:
        tables.show(console, _classes_table(found, samples))
    unet = found[0][0].unet
    fit = "" if samples.fit is None else f", {samples.fit}"
    colour = " of RGB" if unet.in_channels == 3 else ""
    console.print(
        f"base {unet.base}, depth {unet.depth}, {_pixels(unet.shape)} pixels{colour}{fit}; contact sheet {sheet}",
        highlight=False,
        soft_wrap=True,
    )


def _pixels(shape: tuple[int, int]) -> str:
    """A size as pictures are spoken of: a square as it is, else width by height, which is said."""
    height, width = shape
    return f"{width}x{height}" if height == width else f"{width}x{height} (width x height)"


def _classes_table(found: Sequence[Run], samples: Samples) -> Table:
    """Return how many images of each part have each class, and how much of the pixels it is."""
    names = [label(index, name) for index, name in enumerate(samples.classes)][1:]
    table = Table("training", "part", *names, title="images with the class, and its share of the pixels")
    for config, where in found:
        for name, indices in split_as(config, samples).parts().items():
            masks = samples.masks[indices]
            cells = []
            for index in range(1, len(samples.classes)):
                marked = masks == index
                cells.append(f"{int(marked.any(axis=(1, 2)).sum())} ({100 * float(marked.mean()):.2f} %)")
            table.add_row(str(where), name, *cells)
    return table


def _spread(indices: list[int]) -> list[int]:
    """Some of the images, from the first to the last."""
    count = min(_SHOWN, len(indices))
    return [indices[place * len(indices) // count] for place in range(count)]


def _case(samples: Samples, index: int) -> Case:
    name = f"image {index}" if samples.name is None else str(samples.name[index])
    mask = samples.masks[index] if samples.classes else samples.masks[index].astype(np.bool_)
    return Case(name, samples.picture(index), mask, mask)


def folds_table(cards: Sequence[dict[str, Any]]) -> Table:
    """Return the test scores of the folds, each with its mean and standard deviation over them."""
    table = Table("fold", *_SCORES, title="test part of each fold")
    kind = "quantised" if "quantised" in cards[0]["scores"] else "control"
    scores = [card["scores"][kind]["test"] for card in cards]
    for card, each in zip(cards, scores, strict=True):
        fold = card["training"]["config"]["fold"]
        table.add_row(str(fold), *("–" if each[key] is None else f"{each[key]:.4f}" for key in _SCORES))
    means = []
    for key in _SCORES:
        values = [each[key] for each in scores if each[key] is not None]
        means.append(f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}" if len(values) > 1 else "–")
    table.add_row("mean", *means)
    return table
