"""Scans from ordinary pictures, and masks as pictures: of the same format where that keeps every value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from quantunet.errors import ImageError
from quantunet.images import picture_bytes, read_picture
from quantunet.mask_pictures import save_class_map, save_mask
from quantunet.scan import Bytes, Scan
from quantunet.storage import atomic_path

_SUFFIXES = {"TIFF": ".tif", "BMP": ".bmp"}
"""Formats that masks are written in, beside PNG: the others lose values (JPEG), or hold no masks that tools expect."""

_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


@dataclass(frozen=True)
class RasterResults:
    """Masks as pictures, and probabilities as PNG files of 16 bits.

    Attributes:
        format: Pillow's name of the masks' format.
    """

    format: str

    @property
    def suffix(self) -> str:
        """Ending of a mask's file."""
        return _SUFFIXES.get(self.format, ".png")

    @property
    def probability_suffix(self) -> str:
        """Ending of a file of probabilities."""
        return ".png"

    def write_classes(self, path: Path, classes: Bytes, count: int, *, as_index: bool) -> None:
        """Write the mask, or the class map with its palette."""
        if count == 2 and not as_index:
            save_mask(path, classes[0] > 0, self.format)
        else:
            save_class_map(path, classes[0], count, self.format)

    def write_probabilities(self, path: Path, values: npt.NDArray[np.uint16], name: str) -> None:
        """Write a probability, 65535 being 1; the file has no place for the name."""
        with atomic_path(path) as temporary:
            Image.fromarray(values[0]).save(temporary, format="PNG")


def read(path: Path) -> Scan:
    """Read a picture: gray or RGB, 8 or 16 bits, upright.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or no such picture.
        ImageError: Transparency, several frames, or values that Pillow would cut.
    """
    picture = read_picture(path)
    results = RasterResults(picture.format if picture.format in _SUFFIXES else "PNG")
    if picture.mode in _DEEP:
        return Scan(np.asarray(picture)[None], results)
    try:
        return Scan(picture_bytes(picture, 1, str(path))[None, :, :, 0], results, is_bytes=True)
    except ImageError:
        return Scan(picture_bytes(picture, 3, str(path))[None], results)
