"""Dice, IoU and pixel accuracy of binary masks (MONAI), with the baseline that calls everything background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from monai.metrics import compute_dice, compute_iou
from numpy.typing import NDArray

from quantunet.errors import ShapeError


@dataclass(frozen=True)
class Scores:
    """Scores of a set of masks.

    Args:
        images: Images in the set.
        lesion_images: Images whose reference mask is not empty.
        dice: Mean Dice over the lesion images (nan where there is none).
        iou: Mean IoU over the lesion images (nan where there is none).
        accuracy: Share of pixels that are right, over all images.
        background_accuracy: The same for masks that are all background.
        clean_normals: Images with an empty reference mask whose predicted mask is empty too.
    """

    images: int
    lesion_images: int
    dice: float
    iou: float
    accuracy: float
    background_accuracy: float
    clean_normals: int


def score(predicted: NDArray[np.bool_], reference: NDArray[np.uint8]) -> Scores:
    """Score predicted masks.

    Args:
        predicted: ``(n, height, width)`` bool.
        reference: ``(n, height, width)`` of 0 and 1.

    Raises:
        ShapeError: The shapes differ or are empty.
    """
    if predicted.shape != reference.shape or not predicted.size:
        raise ShapeError("scores", expected=f"predicted masks of {reference.shape}", got=str(predicted.shape))
    truth = reference.astype(bool)
    lesion = truth.any(axis=(1, 2))
    y_pred = torch.from_numpy(predicted[lesion][:, None].astype(np.float32))
    y = torch.from_numpy(truth[lesion][:, None].astype(np.float32))
    return Scores(
        images=len(truth),
        lesion_images=int(lesion.sum()),
        dice=float(compute_dice(y_pred, y).mean()) if lesion.any() else float("nan"),
        iou=float(compute_iou(y_pred, y).mean()) if lesion.any() else float("nan"),
        accuracy=float((predicted == truth).mean()),
        background_accuracy=float((~truth).mean()),
        clean_normals=int((~predicted[~lesion].any(axis=(1, 2))).sum()),
    )
