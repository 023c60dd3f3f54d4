"""Scores of class maps: Dice and IoU of each class, of each image and of a set. No torch here."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet import golden
from quantunet.errors import ImageError, ShapeError
from quantunet.golden.cores import WORKERS
from quantunet.ir import Graph
from quantunet.mask_pictures import Case
from quantunet.model import arrays
from quantunet.model.metrics import score
from quantunet.npz import open_npz
from quantunet.pixel_codes import picture_codes

_BATCH = 32 * WORKERS


@dataclass(frozen=True, eq=False)
class ClassSamples:
    """Images with class maps, for a network of any size, any number of channels and any number of classes.

    Attributes:
        source: The file's name.
        images: ``(n, height, width, channels)`` uint8.
        classes: ``(n, height, width)`` int64, 0 to the number of classes less one; of a network of one class 0 and 1.
        label: ``(n,)`` str; empty strings where the file has none.
        group: ``(n,)`` int64, the group of each image, as a patient; None where the file has none.
    """

    source: str
    images: NDArray[np.uint8]
    classes: NDArray[np.int64]
    label: NDArray[np.str_]
    group: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Scores of each image of a set, class by class.

    Attributes:
        dice: ``(n, classes)``, nan where the class does not occur in the reference.
        iou: Likewise.
        accuracy: ``(n,)`` share of the pixels whose class is right.
        reference: ``(n, classes)`` pixels of the class in the reference.
        predicted: ``(n, classes)`` pixels of the class in the prediction.
    """

    dice: NDArray[np.float64]
    iou: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    reference: NDArray[np.int64]
    predicted: NDArray[np.int64]


def load_class_samples(path: Path, name: str, shape: tuple[int, int, int], count: int) -> ClassSamples:
    """Read an ``.npz`` with ``images`` and ``masks`` (class indices) and, where present, ``label`` and ``group``.

    Args:
        path: The file; images uint8 ``(n, height, width)`` or ``(n, height, width, channels)``, masks bool or integer
            ``(n, height, width)``.
        name: Of the network that the images are for.
        shape: Height, width and channels of its images.
        count: Number of its classes, 2 with one foreground.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged or lacks an array.
        ImageError: Images or masks do not fit the network.
    """
    with open_npz(path) as archive:
        images, masks = archive.read("images"), archive.read("masks")
        label = archive.read("label") if "label" in archive.names else None
        samples = _checked(path.name, images, masks, label, name, shape, count)
        has_groups = "group" in archive.names
        return dataclasses.replace(samples, group=arrays.group(archive, len(images))) if has_groups else samples


def _checked(
    source: str,
    images: NDArray[Any],
    masks: NDArray[Any],
    label: NDArray[Any] | None,
    name: str,
    shape: tuple[int, int, int],
    count: int,
) -> ClassSamples:
    height, width, channels = shape
    if images.ndim == 3 and channels == 1:
        images = images[..., None]
    if images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
        raise ImageError(
            source,
            expected=f"uint8 images (n, {height}, {width}, {channels}), n >= 1, for {name}",
            got=f"{images.dtype} {images.shape}",
            hint=f"Write an .npz with images of {width}x{height} pixels (width x height) and {channels} channels.",
        )
    if masks.dtype.kind not in "biu" or masks.shape != (len(images), height, width):
        raise ImageError(
            source,
            expected=f"masks of integers ({len(images)}, {height}, {width}), the class of each pixel",
            got=f"{masks.dtype} {masks.shape}",
            hint="Write class indices, for example with numpy.argmax over the last axis of one-hot masks.",
        )
    low, high = int(masks.min()), int(masks.max())
    if low < 0 or high >= count:
        raise ImageError(
            source,
            expected=f"masks of the classes 0 to {count - 1}",
            got=f"{low} to {high}",
            hint="Number the classes from 0 in the order of the network's output channels."
            if count > 2
            else "Write 0 for the background and 1 for the foreground.",
        )
    if label is None:
        label = np.full(len(images), "")
    if label.shape != (len(images),) or label.dtype.kind not in "US":
        raise ImageError(source, expected=f"{len(images)} labels of text", got=f"{label.dtype} {label.shape}")
    return ClassSamples(source, images, masks.astype(np.int64), label.astype(np.str_))


def predict_classes(
    graph: Graph, images: NDArray[np.uint8], on_images: Callable[[int], None] = lambda count: None
) -> NDArray[np.int64]:
    """Segment images by integer inference.

    Args:
        graph: The network; it says what a byte means.
        images: ``(n, height, width, channels)`` uint8.
        on_images: Called with the number of images that are done.

    Returns:
        ``(n, height, width)``, the class of each pixel.
    """
    found = []
    for first in range(0, len(images), _BATCH):
        codes = picture_codes(graph, images[first : first + _BATCH])
        found.append(golden.classes(graph, golden.run_batch(graph, list(codes), [graph.logits.name])))
        on_images(min(first + _BATCH, len(images)))
    return np.concatenate(found)


def score_classes(predicted: NDArray[np.int64], reference: NDArray[np.int64], count: int) -> ClassScores:
    """Score each predicted class map.

    Args:
        predicted: ``(n, height, width)``, 0 to ``count - 1``.
        reference: Likewise.
        count: Number of classes.

    Raises:
        ShapeError: The shapes differ or are empty.

    >>> scores = score_classes(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]), 3)
    >>> scores.dice.round(3).tolist()
    [[0.667, 0.667, nan]]
    """
    if predicted.shape != reference.shape or not predicted.size:
        raise ShapeError("scores", expected=f"predicted class maps of {reference.shape}", got=str(predicted.shape))
    right = predicted == reference
    both, guessed, true = (_pixels(classes, where, count) for classes, where in
                           ((reference, right), (predicted, None), (reference, None)))  # fmt: skip
    true_or_nan = np.where(true > 0, true, np.nan)
    return ClassScores(
        dice=2 * both / (guessed + true_or_nan),
        iou=both / (guessed + true_or_nan - both),
        accuracy=right.mean(axis=(1, 2)),
        reference=true,
        predicted=guessed,
    )


def _pixels(classes: NDArray[np.int64], where: NDArray[np.bool_] | None, count: int) -> NDArray[np.int64]:
    """Count the pixels of each class in each image, ``(n, count)``; of some pixels only, if told."""
    rows = np.broadcast_to(np.arange(len(classes))[:, None, None] * count, classes.shape) + classes
    chosen = rows.ravel() if where is None else rows[where]
    return np.bincount(chosen, minlength=len(classes) * count).reshape(len(classes), count)


def summary(each: ClassScores) -> dict[str, Any]:
    """Return the scores of a set, as JSON values (nan as null).

    Dice and IoU of a class are means over the images whose reference holds the class; null where none does.
    ``mean_dice`` and ``mean_iou`` are means over the classes but class 0 that occur.
    """
    rows = [
        {
            "class": index,
            "images": int((each.reference[:, index] > 0).sum()),
            "dice": _mean(each.dice[:, index]),
            "iou": _mean(each.iou[:, index]),
            "reference_pixels": int(each.reference[:, index].sum()),
            "predicted_pixels": int(each.predicted[:, index].sum()),
        }
        for index in range(each.dice.shape[1])
    ]
    found = {"images": len(each.accuracy), "accuracy": _mean(each.accuracy)}
    for key in ("dice", "iou"):
        found[f"mean_{key}"] = _mean(np.array([row[key] for row in rows[1:]], dtype=np.float64))
    return found | {"classes": rows}


def mean_dice(predicted: NDArray[Any], reference: NDArray[np.uint8], count: int) -> float:
    """Return the one number by which networks are ranked; nan where nothing occurs that it counts.

    With one foreground the mean Dice over the images that have it, with several classes the mean over the classes but
    class 0 of the mean Dice over the images that have the class.

    Args:
        predicted: ``(n, height, width)``, bool or the class of each pixel.
        reference: ``(n, height, width)``, the class of each pixel.
        count: Number of classes, 2 with one foreground.
    """
    if count == 2:
        return score(predicted.astype(np.bool_), reference).dice
    found = summary(score_classes(predicted.astype(np.int64), reference.astype(np.int64), count))["mean_dice"]
    return math.nan if found is None else float(found)


def card_scores(predicted: NDArray[Any], reference: NDArray[np.uint8], count: int) -> dict[str, float | int | None]:
    """Return the scores of a part that the card of a network of several classes holds.

    The keys are those of :class:`~quantunet.model.metrics.Scores`: ``dice`` and ``iou`` are means over the classes but
    class 0, and ``dice_1``, ``iou_1`` and so on those of each class. What is said of images with and without a lesion
    is said of every class but 0 taken together. There is no Hausdorff distance.

    Args:
        predicted: ``(n, height, width)``, the class of each pixel.
        reference: Likewise.
        count: Number of classes.
    """
    found = summary(score_classes(predicted.astype(np.int64), reference.astype(np.int64), count))
    both = dataclasses.asdict(score(predicted > 0, (reference > 0).view(np.uint8)))
    plain = {
        key: value if isinstance(value, int) else None if math.isnan(value) else value for key, value in both.items()
    }
    rows = [(key, row[key], row["class"]) for row in found["classes"][1:] for key in ("dice", "iou")]
    return (
        plain
        | {"dice": found["mean_dice"], "iou": found["mean_iou"], "accuracy": found["accuracy"]}
        | {f"{key}_{index}": value for key, value, index in rows}
    )


def image_dice(each: ClassScores) -> NDArray[np.float64]:
    """Return the mean Dice of each image over its classes but class 0; nan where there is none."""
    known = ~np.isnan(each.dice[:, 1:])
    counts = known.sum(axis=1)
    sums = np.where(known, each.dice[:, 1:], 0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def image_scores(each: ClassScores) -> dict[str, NDArray[np.float64]]:
    """Return the scores of each image by which two networks are compared, nan where an image has none.

    The mean Dice over the classes but class 0 that occur in the image, the Dice of each class, and the accuracy.
    """
    classes = {f"dice_{index}": each.dice[:, index] for index in range(1, each.dice.shape[1])}
    return {"image_dice": image_dice(each), **classes, "accuracy": each.accuracy}


def from_best(each: ClassScores) -> NDArray[np.int64]:
    """Return the images from the best to the worst: by mean Dice, or by accuracy where only class 0 occurs."""
    dice = image_dice(each)
    return np.argsort(-np.where(np.isnan(dice), each.accuracy, dice), kind="stable")


def class_case(
    words: Sequence[str],
    picture: NDArray[np.uint8],
    reference: NDArray[np.int64],
    predicted: NDArray[np.int64],
    each: ClassScores,
    at: int,
) -> Case:
    """Return an image with its reference and predicted classes, to be looked at.

    Args:
        words: What it is called; empty ones are left out.
        picture: uint8 ``(height, width, channels)``.
        reference: ``(height, width)``, the class of each pixel.
        predicted: Likewise.
        each: Scores of some images.
        at: Which of them are those of this image.
    """
    dice = image_dice(each)[at]
    kind = "only class 0" if np.isnan(dice) else f"mean Dice {dice:.3f}"
    return Case("   ".join(filter(None, (*words, kind))), picture, reference, predicted)


def some_of(each: ClassScores, chosen: NDArray[np.int64]) -> ClassScores:
    """Return the scores of some images, by their places."""
    return ClassScores(**{one.name: getattr(each, one.name)[chosen] for one in dataclasses.fields(each)})


def images_csv(
    samples: ClassSamples, each: ClassScores, indices: NDArray[np.int64], names: NDArray[np.str_] | None
) -> str:
    """Return a table with a row for each image; a cell is empty where the class does not occur in the reference.

    Args:
        samples: The images.
        each: Their scores.
        indices: Their places in the data set.
        names: What they are called, for a column of its own; None where nobody says it.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    count = each.dice.shape[1]
    called = [] if names is None else ["name"]
    rows.writerow(
        ["index", *called, "label", "accuracy"]
        + [f"{key}_{index}" for key in ("dice", "iou") for index in range(count)]
    )
    for at, label in enumerate(samples.label):
        numbers = (*each.dice[at], *each.iou[at])
        cells = ["" if math.isnan(number) else f"{number:.6f}" for number in numbers]
        called = [] if names is None else [str(names[at])]
        rows.writerow([indices[at], *called, label, f"{each.accuracy[at]:.6f}", *cells])
    return text.getvalue()


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), 6) if len(known) else None
