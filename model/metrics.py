"""Dice, IoU and pixel accuracy of binary masks, with the baseline that calls everything background.

They are ratios of counted pixels, so that NumPy is enough and ``quantunet evaluate`` needs no torch; a test holds them
equal to MONAI's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ShapeError

Values = NDArray[np.float64]


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
    """

    images: int
    lesion_images: int
    dice: float
    iou: float
    accuracy: float
    background_accuracy: float
    clean_normals: int
    false_positive_area: float


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
    """

    lesion: NDArray[np.bool_]
    dice: Values
    iou: Values
    accuracy: Values
    foreground: Values
    false_positive: Values


def score_images(predicted: NDArray[np.bool_], reference: NDArray[np.uint8]) -> ImageScores:
    """Score each predicted mask.

    Args:
        predicted: ``(n, height, width)`` bool.
        reference: ``(n, height, width)`` of 0 and 1.

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
    )


def score(predicted: NDArray[np.bool_], reference: NDArray[np.uint8]) -> Scores:
    """Score a set of predicted masks.

    Args:
        predicted: ``(n, height, width)`` bool.
        reference: ``(n, height, width)`` of 0 and 1.

    Raises:
        ShapeError: The shapes differ or are empty.
    """
    return summarise(score_images(predicted, reference))


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else float("nan")
