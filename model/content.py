"""What of a data set's content is worth a warning before anything is trained on it. No torch here."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_MARKED = {"benign", "malignant", "lesion"}
_UNMARKED = {"normal"}
_NAMED = 4


def warn_of_content(
    source: str,
    images: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    labels_of: NDArray[np.str_],
    name: NDArray[np.str_] | None,
) -> None:
    """Log masks that contradict their labels, a set without any lesion, and images without light.

    Args:
        source: What the data set is called.
        images: ``(n, height, width)``.
        masks: Likewise, of 0 and 1.
        labels_of: ``(n,)``.
        name: ``(n,)``, or None where images have no names.
    """
    lesion = masks.any(axis=(1, 2))
    label = np.char.lower(np.char.strip(labels_of))
    for labels, wrong, what in ((_MARKED, ~lesion, "have an empty mask"), (_UNMARKED, lesion, "have a lesion in it")):
        chosen = np.isin(label, sorted(labels))
        found = np.flatnonzero(chosen & wrong)
        if len(found):
            names = [f"image {i}" if name is None else str(name[i]) for i in found[:_NAMED].tolist()]
            logger.warning(
                "%s: %d of %d images with the label %s %s: %s%s",
                source,
                len(found),
                int(chosen.sum()),
                " or ".join(sorted(set(labels_of[found].tolist()))),
                what,
                ", ".join(names),
                ", ..." if len(found) > _NAMED else "",
            )
    if not lesion.any():
        logger.warning("%s: no image of %d has a lesion: every mask is empty", source, len(images))
    if images.max() <= 1:
        logger.warning("%s: no byte of the images is greater than 1; white is 255", source)
