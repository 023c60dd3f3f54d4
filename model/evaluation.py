"""Scores of an integer network on a data set: as a whole, for each label, for each image. No torch here."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet import golden
from quantunet.errors import DataSplitError
from quantunet.golden.cores import WORKERS
from quantunet.golden.ops.smallest_area import smallest_area
from quantunet.ir import Graph
from quantunet.mask_pictures import Case
from quantunet.model.card_file import Card
from quantunet.model.data import Samples, Split, part_counts, split_as
from quantunet.model.group_bootstrap import bootstrap_interval
from quantunet.model.metrics import ImageScores, score_images, summarise
from quantunet.pixel_codes import picture_codes

_BATCH = 32 * WORKERS
"""Images between two reports of progress: a few pieces of work for each core."""


def predict_masks(
    graph: Graph, images: NDArray[np.uint8], on_images: Callable[[int], None] = lambda count: None
) -> NDArray[np.bool_]:
    """Segment images by integer inference.

    Args:
        graph: The network; one class, and it says what a byte means.
        images: ``(n, height, width)`` uint8, or with the network's channels behind.
        on_images: Called with the number of images that are done.

    Returns:
        ``(n, height, width)`` bool.
    """
    masks = np.empty(images.shape[:3], np.bool_)
    for first in range(0, len(images), _BATCH):
        batch = images[first : first + _BATCH]
        taps = golden.run_batch(graph, list(picture_codes(graph, batch)), [graph.logits.name])
        masks[first : first + len(batch)] = golden.mask(graph, taps)
        on_images(first + len(batch))
    return masks


def card_split(card: Card, samples: Samples) -> Split:
    """Make the split that a network was trained with.

    Args:
        card: The network's card.
        samples: The data set that it was trained on.

    Raises:
        DataSplitError: The card was made with another data set.
    """
    hint = "Its parts exist in that data set alone; --part all takes every image of this one."
    if card.source != samples.source:
        raise DataSplitError(samples.source, expected=f"the data of the card, {card.source}", got="others", hint=hint)
    split = split_as(card, samples)
    for name, indices in split.parts().items():
        counts = part_counts(samples, indices)
        if counts != card.counts.get(name):
            raise DataSplitError(
                f"{samples.source}, {name} part", expected=_spelled(card.counts.get(name, {})), got=_spelled(counts),
                hint=f"A data set of the same name, but not that of the card. {hint}",
            )  # fmt: skip
    return split


def _spelled(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()) or "nothing"


def summary(each: ImageScores, group: NDArray[np.int64]) -> dict[str, Any]:
    """Return the scores of a set with their spread, as JSON values (nan as null).

    Args:
        each: Scores of the images.
        group: ``(n,)`` group of each image.

    Returns:
        The fields of :class:`~quantunet.model.metrics.Scores`; for Dice and IoU also the standard deviation over the
        lesion images (``_std``) and the 95 % interval of the mean (``_interval``), from a bootstrap over groups.
    """
    found: dict[str, Any] = dataclasses.asdict(summarise(each))
    for name, values in (("dice", each.dice[each.lesion]), ("iou", each.iou[each.lesion])):
        found[f"{name}_std"] = float(values.std(ddof=1)) if len(values) > 1 else math.nan
        found[f"{name}_interval"] = bootstrap_interval(values, group[each.lesion])
    return {
        key: [_plain(one) for one in value] if isinstance(value, tuple) else _plain(value)
        for key, value in found.items()
    }


def image_scores(each: ImageScores) -> dict[str, NDArray[np.float64]]:
    """Return the scores of each image by which two networks are compared, nan where an image has none.

    Dice and IoU of the lesion images, the accuracy of all, and the false-positive area of the images without a lesion:
    their means are those of :func:`~quantunet.model.metrics.summarise`.
    """
    return {
        "dice": each.dice,
        "iou": each.iou,
        "accuracy": each.accuracy,
        "false_positive_area": np.where(each.lesion, np.nan, each.false_positive),
    }


def part_report(samples: Samples, each: ImageScores, indices: NDArray[np.int64]) -> dict[str, Any]:
    """Return the scores of a part: of the network, for each label, and of a second observer where there is one.

    Args:
        samples: The data set.
        each: The network's scores of these images.
        indices: The images of the part.
    """
    reference, group, label = samples.masks[indices], samples.group[indices], samples.label[indices]
    report: dict[str, Any] = {"network": summary(each, group)}
    names = [str(name) for name in np.unique(label) if name]
    if names:
        chosen = {name: np.flatnonzero(label == name) for name in names}
        report["labels"] = {name: summary(some_of(each, some), group[some]) for name, some in chosen.items()}
    if samples.masks_observer2 is not None:
        second = samples.masks_observer2[indices].astype(np.bool_)
        report["second_observer"] = summary(score_images(second, reference, distances=True), group)
    return report


def area_reports(
    samples: Samples, masks: NDArray[np.bool_], indices: NDArray[np.int64], areas: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the scores of a part with each of some smallest areas, without distances.

    Args:
        samples: The data set.
        masks: ``(n, height, width)``, those of the part as the network gives them.
        indices: The images of the part.
        areas: A mask of fewer pixels becomes empty.
    """
    reports = []
    for area in areas:
        kept = smallest_area(masks, area)
        emptied = int((masks.any(axis=(1, 2)) & ~kept.any(axis=(1, 2))).sum())
        scores = summary(score_images(kept, samples.masks[indices]), samples.group[indices])
        reports.append({"smallest_area": area, "emptied": emptied, "network": scores})
    return reports


def some_of(each: ImageScores, chosen: NDArray[np.int64]) -> ImageScores:
    """Return the scores of some images, by their places."""
    fields = dataclasses.fields(each)
    return ImageScores(**{field.name: getattr(each, field.name)[chosen] for field in fields})


def images_csv(samples: Samples, indices: NDArray[np.int64], part: Mapping[int, str], each: ImageScores) -> str:
    """Return a table with a row for each image.

    Args:
        samples: The data set.
        indices: The images that were evaluated.
        part: The part of the split that an image is in, where it is known.
        each: Scores of these images.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["index", "name", "part", "label", "group", "dice", "iou", "false_positive_area", "hd95"])
    for at, index in enumerate(indices.tolist()):
        numbers = (each.dice[at], each.iou[at], each.false_positive[at], each.hd95[at])
        cells = ["" if math.isnan(number) else f"{number:.6f}" for number in numbers]
        name = "" if samples.name is None else samples.name[index]
        rows.writerow([index, name, part.get(index, ""), samples.label[index], samples.group[index], *cells])
    return text.getvalue()


def image_case(samples: Samples, index: int, mask: NDArray[np.bool_], each: ImageScores, at: int) -> Case:
    """Return an image with its reference and a predicted mask, to be looked at.

    Args:
        samples: The data set.
        index: The image.
        mask: ``(height, width)``: what a network predicts.
        each: Scores of some images.
        at: Which of them are those of this image.
    """
    kind = f"Dice {each.dice[at]:.3f}" if each.lesion[at] else f"false {100 * each.false_positive[at]:.1f} %"
    name = f"image {index}" if samples.name is None else str(samples.name[index])
    title = "   ".join(filter(None, (name, str(samples.label[index]), kind)))
    return Case(title, samples.picture(index), samples.masks[index].astype(np.bool_), mask)


def ranking(each: ImageScores) -> NDArray[np.int64]:
    """Return the lesion images from the lowest to the highest Dice.

    Where there is no lesion, all images from the largest to the smallest false-positive area.
    """
    lesion = np.flatnonzero(each.lesion)
    if len(lesion):
        return lesion[np.argsort(each.dice[lesion], kind="stable")]
    return np.argsort(-each.false_positive, kind="stable")


def _plain(value: float | int) -> float | int | None:
    return value if isinstance(value, int) else None if math.isnan(value) else round(value, 6)
