"""What TensorBoard shows beside the curves: pictures of validation images, and histograms of the learned widths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from quantunet.class_colours import MAX_CLASSES, palette
from quantunet.mask_pictures import Case, case_picture, rgb
from quantunet.model.data import Samples

IMAGES = 4
"""Validation images that are shown: the first ones of the part."""

_GAP = 2
_WIDTHS = np.arange(0.5, 17.5)


def add_pictures(
    board: SummaryWriter,
    samples: Samples,
    indices: NDArray[np.int64],
    masks: NDArray[np.bool_] | NDArray[np.uint8],
    step: int,
) -> None:
    """Show images with their masks: the image, the reference, the prediction, and both masks over the image.

    Args:
        board: Where to.
        samples: The data.
        indices: The images.
        masks: ``(n, height, width)``: the predicted masks or classes of the first n of them.
        step: The epoch, over all phases.
    """
    for index, predicted in zip(indices.tolist(), masks, strict=False):
        image, reference = samples.picture(index), samples.masks[index].astype(predicted.dtype)
        parts = [rgb(image), _flat(reference), _flat(predicted), case_picture(Case("", image, reference, predicted))]
        gap = np.full((image.shape[0], _GAP, 3), 128, np.uint8)
        row = [piece for part in parts for piece in (part, gap)][:-1]
        board.add_image(f"validation/image_{index}", np.concatenate(row, axis=1), step, dataformats="HWC")


def add_widths(board: SummaryWriter, widths: Mapping[str, tuple[int, int]], step: int) -> None:
    """Show how many layers have which width, for weights and for activations; nothing for a float network.

    Args:
        board: Where to.
        widths: Weight and activation width of each layer, in bits.
        step: The epoch, over all phases.
    """
    for at, name in enumerate(("weight", "activation")):
        if widths:
            values = np.array([pair[at] for pair in widths.values()])
            board.add_histogram(f"widths/{name}", values, step, bins=_WIDTHS)


def _flat(mask: NDArray[np.bool_] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask in white on black, or classes in their colours."""
    if mask.dtype == np.bool_:
        return rgb(mask.astype(np.uint8)[:, :, None] * 255)
    return np.asarray(palette(MAX_CLASSES)[mask])
