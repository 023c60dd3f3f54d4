"""Images go in and masks come out: PNG files, and entries of ``.npz`` data sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, UnidentifiedImageError

from quantunet.errors import FileFormatError, ImageError, StorageError
from quantunet.npz import open_npz
from quantunet.storage import atomic_path

Bytes = npt.NDArray[np.uint8]

_PREDICTED = (255, 80, 60)
_REFERENCE = (80, 255, 120)
_CASE_PIXELS = 384
_LINE = 16  # height of a line of text in Pillow's own font, with some space

_ENTRY = re.compile(r"(?P<file>.+\.npz):(?P<index>\d+)\Z")


def load_image(source: str, height: int, width: int) -> Bytes:
    """Read one grayscale image of exactly the given size.

    Args:
        source: A picture file in mode ``L`` (8-bit grayscale), or ``FILE.npz:INDEX`` for one of the ``images`` of a
            data set.
        height: Height in pixels that the network expects.
        width: Width in pixels that the network expects.

    Returns:
        uint8 ``(height, width)``.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged or lacks ``images``.
        ImageError: Wrong size or mode, or an index outside the data set.
    """
    entry = _ENTRY.match(source)
    path = Path(entry["file"] if entry else source)
    if not path.is_file():
        raise StorageError(str(path), expected="an image file", got="no such file", hint="Check the path.")
    image = _npz_entry(path, int(entry["index"])) if entry else _picture(path)
    if image.shape != (height, width):
        raise ImageError(
            source,
            expected=f"an image of {width}x{height} pixels (width x height)",
            got="x".join(str(size) for size in reversed(image.shape)),
            hint="Resize it, or use a network of that size.",
        )
    return image


def _picture(path: Path) -> Bytes:
    try:
        with Image.open(path) as picture:
            mode = picture.mode
            image = np.array(picture) if mode == "L" else None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise FileFormatError(str(path), expected="a whole picture file, for example PNG", got=str(error)) from error
    if image is None:
        raise ImageError(
            str(path),
            expected="8-bit grayscale (mode L)",
            got=f"mode {mode}",
            hint="Convert it: python -c \"from PIL import Image; Image.open('in.png').convert('L').save('out.png')\"",
        )
    return image


def _npz_entry(path: Path, index: int) -> Bytes:
    with open_npz(path) as archive:
        header = archive.header("images")
        if header.dtype != np.uint8 or len(header.shape) != 3:
            raise FileFormatError(
                str(path), expected="'images' as uint8 (count, height, width)", got=f"{header.dtype} {header.shape}"
            )
        return archive.read_one("images", index)


def save_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    """Write a mask as a PNG with 0 for background and 255 for foreground.

    Args:
        path: The file.
        mask: bool ``(height, width)``.

    Raises:
        StorageError: The file cannot be written.
    """
    _save(path, Image.fromarray(mask.astype(np.uint8) * 255))


def save_overlay(path: Path, image: Bytes, mask: npt.NDArray[np.bool_], zoom: int = 4) -> None:
    """Write the image beside itself with the mask tinted and outlined.

    Args:
        path: The PNG file.
        image: uint8 ``(height, width)``.
        mask: bool ``(height, width)``.
        zoom: How often a pixel is repeated.

    Raises:
        StorageError: The file cannot be written.
    """
    gray = np.kron(image, np.ones((zoom, zoom), dtype=np.uint8))
    left = np.repeat(gray[:, :, None], 3, axis=2)
    gap = np.full((gray.shape[0], zoom, 3), 255, dtype=np.uint8)
    _save(path, Image.fromarray(np.concatenate([left, gap, _tinted(gray, mask, mask, _PREDICTED)], axis=1)))


@dataclass(frozen=True, eq=False)
class Case:
    """An image with two masks, to be looked at.

    Attributes:
        title: A few words.
        image: uint8 ``(height, width)``.
        reference: bool ``(height, width)``.
        predicted: bool ``(height, width)``.
    """

    title: str
    image: Bytes
    reference: npt.NDArray[np.bool_]
    predicted: npt.NDArray[np.bool_]


def save_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write images side by side; below each, the predicted mask as a tint and the reference as a contour.

    Args:
        path: The PNG file.
        cases: At least one; all of one size.

    Raises:
        StorageError: The file cannot be written.
    """
    height, width = cases[0].image.shape
    zoom = max(1, _CASE_PIXELS // width)
    height, width, gap = zoom * height, zoom * width, 4
    picture = Image.new("RGB", (len(cases) * (width + gap) - gap, 2 * _LINE + 2 * height + gap), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    draw.text((gap, 2), "below: the predicted mask in red, the contour of the reference in green", fill=(0, 0, 0))
    for column, case in enumerate(cases):
        left, top = column * (width + gap), 2 * _LINE
        gray = np.kron(case.image, np.ones((zoom, zoom), dtype=np.uint8))
        draw.text((left + gap, _LINE), case.title, fill=(0, 0, 0))
        picture.paste(Image.fromarray(gray), (left, top))
        picture.paste(
            Image.fromarray(_tinted(gray, case.predicted, case.reference, _REFERENCE)), (left, top + height + gap)
        )
    _save(path, picture)


def _tinted(
    gray: Bytes, inside: npt.NDArray[np.bool_], outlined: npt.NDArray[np.bool_], line: tuple[int, int, int]
) -> Bytes:
    """Return a picture with one mask as a tint and one as an outline; the masks may be smaller by a whole factor."""
    zoom = gray.shape[0] // inside.shape[0]
    inside, outlined = (np.kron(mask, np.ones((zoom, zoom), dtype=np.bool_)) for mask in (inside, outlined))
    colour = np.repeat(gray[:, :, None], 3, axis=2)
    tint = np.array(_PREDICTED)
    colour = np.where(inside[:, :, None], colour * 0.7 + tint * 0.3, colour).astype(np.uint8)
    padded = np.pad(outlined, 1, mode="edge")
    interior = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    colour[outlined & ~interior] = line
    return np.asarray(colour)


def _save(path: Path, picture: Image.Image) -> None:
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")
