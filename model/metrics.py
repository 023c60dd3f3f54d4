"""Dice, IoU, pixel accuracy and HD95 of binary masks, with the baseline that calls everything background.

They are counted pixels and distances between pixels, so that NumPy is enough and ``quantunet evaluate`` needs no torch;
a test holds them equal to MONAI's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ShapeError

Values = NDArray[np.float64]

_PERCENTILE = 0.95


@dataclass(frozen=True)
class Scores:
    """Scores of a set of masks.

    Attributes:
        images: Images in the set.
        lesion_images: Images whose reference mask is not empty.
        dice: Mean Dice over the lesion images (nan where there is none).
        iou: Mean IoU over the lesion images (nan where there is none).
        accuracy: Share of pixels that are right, over all images.
        background_accuracy: The same for masks that are all background.
        clean_normals: Images with an empty reference mask whose predicted mask is empty too.
        false_positive_area: Mean share of pixels that are predicted foreground, over the images with an empty reference
            mask (nan where there is none).
        marked_normals: Share of the images with an empty reference mask whose predicted mask is not empty (nan where
            there is none).
        lesions_missed: Lesion images whose predicted mask has no pixel of the lesion.
        hd95: Mean 95th percentile of the Hausdorff distance in pixels, over the lesion images whose predicted mask is
            not empty (nan where there is none, or where distances were not asked for).
    """

    images: int
    lesion_images: int
    dice: float
    iou: float
    accuracy: float
    background_accuracy: float
    clean_normals: int
    false_positive_area: float
    marked_normals: float
    lesions_missed: int
    hd95: float


@dataclass(frozen=True, eq=False)
class ImageScores:
    """Scores of each image of a set.

    Attributes:
        lesion: ``(n,)`` bool: the reference mask is not empty.
        dice: ``(n,)``, nan where it is empty.
        iou: ``(n,)``, nan where it is empty.
        accuracy: ``(n,)`` share of the pixels that are right.
        foreground: ``(n,)`` share of the pixels that are foreground in the reference.
        false_positive: ``(n,)`` share of the pixels that are foreground in the prediction alone.
        missed: ``(n,)`` bool: there is a lesion, and the prediction has no pixel of it.
        hd95: ``(n,)`` 95th percentile of the Hausdorff distance in pixels; nan where a mask is empty, or where
            distances were not asked for.
    """

    lesion: NDArray[np.bool_]
    dice: Values
    iou: Values
    accuracy: Values
    foreground: Values
    false_positive: Values
    missed: NDArray[np.bool_]
    hd95: Values


def score_images(predicted: NDArray[np.bool_], reference: NDArray[np.uint8], *, distances: bool = False) -> ImageScores:
    """Score each predicted mask.

    Args:
        predicted: ``(n, height, width)`` bool.
        reference: ``(n, height, width)`` of 0 and 1.
        distances: Whether HD95 is computed, which takes much longer than the rest.

    Raises:
        ShapeError: The shapes differ or are empty.
    """
    if predicted.shape != reference.shape or not predicted.size:
        raise ShapeError("scores", expected=f"predicted masks of {reference.shape}", got=str(predicted.shape))
    truth = reference.astype(bool)
    pixels = truth.shape[1] * truth.shape[2]
    both, guessed, true = (each.sum(axis=(1, 2)).astype(float) for each in (predicted & truth, predicted, truth))
    lesion = true > 0
    true_or_nan = np.where(lesion, true, np.nan)
    return ImageScores(
        lesion=lesion,
        dice=2 * both / (guessed + true_or_nan),
        iou=both / (guessed + true_or_nan - both),
        accuracy=1 - (guessed + true - 2 * both) / pixels,
        foreground=true / pixels,
        false_positive=(guessed - both) / pixels,
        missed=lesion & (both == 0),
        hd95=np.array([hausdorff95(*pair) if distances else np.nan for pair in zip(predicted, truth, strict=True)]),
    )


def summarise(each: ImageScores) -> Scores:
    """Return the scores of a set from those of its images."""
    normal = ~each.lesion
    return Scores(
        images=len(each.lesion),
        lesion_images=int(each.lesion.sum()),
        dice=_mean(each.dice[each.lesion]),
        iou=_mean(each.iou[each.lesion]),
        accuracy=_mean(each.accuracy),
        background_accuracy=_mean(1 - each.foreground),
        clean_normals=int((each.false_positive[normal] == 0).sum()),
        false_positive_area=_mean(each.false_positive[normal]),
        marked_normals=_mean((each.false_positive[normal] > 0).astype(float)),
        lesions_missed=int(each.missed.sum()),
        hd95=_mean(each.hd95[~np.isnan(each.hd95)]),
    )


def score(predicted: NDArray[np.bool_], reference: NDArray[np.uint8], *, distances: bool = False) -> Scores:
    """Score a set of predicted masks.

    Args:
        predicted: ``(n, height, width)`` bool.
        reference: ``(n, height, width)`` of 0 and 1.
        distances: As in :func:`score_images`.

    Raises:
        ShapeError: The shapes differ or are empty.
    """
    return summarise(score_images(predicted, reference, distances=distances))


def hausdorff95(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the 95th percentile of the Hausdorff distance between the outlines of two masks.

    ``max(q95(distance from each pixel of one outline to the other outline), the same the other way round)``, as MONAI
    defines it. A pixel is of the outline if one of its four neighbours is not of the mask; outside the image none is.

    Args:
        first: ``(height, width)`` bool.
        second: Likewise.

    Returns:
        Pixels; nan where a mask is empty.

    Example:
        >>> row = np.zeros((1, 9), bool)
        >>> row[0, 0] = True
        >>> hausdorff95(row, np.roll(row, 3))
        3.0
    """
    outlines = [_outline(mask) for mask in (first, second)]
    if not all(outline.any() for outline in outlines):
        return float("nan")
    rows, columns = np.nonzero(outlines[0] | outlines[1])
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    near, far = (outline[box] for outline in outlines)
    there, back = _distances(far)[near], _distances(near)[far]
    return float(max(np.quantile(there, _PERCENTILE), np.quantile(back, _PERCENTILE)))


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _distances(marked: NDArray[np.bool_]) -> Values:
    """Return each pixel's distance to the nearest marked one: along the columns first, then along the rows."""
    height, width = marked.shape
    column = np.where(marked, 0.0, np.inf)
    for row in range(1, height):
        column[row] = np.minimum(column[row], column[row - 1] + 1)
    for row in range(height - 2, -1, -1):
        column[row] = np.minimum(column[row], column[row + 1] + 1)
    squares, at = column**2, np.arange(width, dtype=float)
    nearest = np.stack([(squares + (at - x) ** 2).min(axis=1) for x in range(width)], axis=1)
    return np.asarray(np.sqrt(nearest))


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else float("nan")
