"""A data set in memory, whichever its source. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ImageError
from quantunet.golden.pictures import Fit


@dataclass(frozen=True, eq=False)
class Samples:
    """A data set in memory.

    Attributes:
        source: Where it came from, for logs and the model card.
        images: ``(n, height, width)`` uint8, or in RGB ``(n, height, width, 3)``.
        masks: ``(n, height, width)`` uint8, 0 or 1; of several classes the index of each pixel's class.
        group: ``(n,)`` int64; images of one group stay on one side of a split.
        label: ``(n,)`` str; empty strings where the source has none.
        masks_observer2: Masks of a second observer, as ``masks``; None where the source has none.
        name: ``(n,)`` str, for messages; None where the source has none.
        fold: ``(n,)`` int64, the fold of a cross-validation; None where the source has none.
        fit: How pictures got to the size of the images; None where the source does not say it.
        classes: Names of the classes in the order of their indices, the background first; empty with one foreground.

    Raises:
        ImageError: The arrays have other types, values or shapes.
    """

    source: str
    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    group: NDArray[np.int64]
    label: NDArray[np.str_]
    masks_observer2: NDArray[np.uint8] | None = None
    name: NDArray[np.str_] | None = None
    fold: NDArray[np.int64] | None = None
    fit: Fit | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, last = len(self.images), max(1, len(self.classes) - 1)
        shape = self.images.shape[:3]
        if self.images.shape not in (shape, (*shape, 3)) or not self.images.size or self.images.dtype != np.uint8:
            raise ImageError(
                f"{self.source}: images",
                expected="uint8 (n, height, width), none of them 0, or in RGB with an axis of 3 behind",
                got=f"{self.images.dtype} {self.images.shape}",
            )
        for name, masks in (("masks", self.masks), ("masks_observer2", self.masks_observer2)):
            if masks is None:
                continue
            if masks.shape != shape or masks.dtype != np.uint8 or masks.max() > last:
                raise ImageError(
                    f"{self.source}: {name}",
                    expected=f"uint8 of 0 and 1, {shape}" if last == 1 else f"uint8 of 0 to {last}, {shape}",
                    got=f"{masks.dtype} {masks.shape}" + (f" up to {masks.max()}" if masks.size else ""),
                )
        columns = (("group", self.group), ("label", self.label), ("name", self.name), ("fold", self.fold))
        for name, column in columns:
            if column is not None and column.shape != (n,):
                raise ImageError(
                    f"{self.source}: {name}", expected=f"one for each of {n} images", got=str(column.shape)
                )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> int:
        """1 of gray images, 3 of RGB."""
        return 1 if self.images.ndim == 3 else 3

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Return one image as ``(height, width, channels)``."""
        return np.asarray(self.images[index].reshape(*self.images.shape[1:3], self.channels))


def check_channels(samples: Samples, *, rgb: bool) -> None:
    """Refuse gray images for a network of RGB, and the other way round.

    Raises:
        ImageError: They are.
    """
    if (samples.channels == 3) == rgb:
        return
    if rgb:
        expected, hint = "RGB", "Take pictures of your own, or an .npz with images (n, height, width, 3)."
    else:
        expected, hint = (
            "gray",
            ("Train on them with --rgb, or save numpy.rint(images @ [0.299, 0.587, 0.114]).astype(numpy.uint8)."),
        )
    got = "gray" if samples.channels == 1 else "RGB"
    raise ImageError(samples.source, expected=f"{expected} images", got=got, hint=hint)
