"""Images go in and masks come out: PNG files, and entries of ``.npz`` data sets."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from quantunet.errors import FileFormatError, ImageError, StorageError
from quantunet.storage import atomic_path

Bytes = npt.NDArray[np.uint8]

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
    try:
        with np.load(path, allow_pickle=False) as data:
            images = data["images"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise FileFormatError(str(path), expected="an .npz file with 'images'", got=str(error)) from error
    if images.dtype != np.uint8 or images.ndim != 3:
        raise FileFormatError(
            str(path), expected="'images' as uint8 (count, height, width)", got=f"{images.dtype} {images.shape}"
        )
    if index >= len(images):
        raise ImageError(str(path), expected=f"an index below {len(images)}", got=str(index))
    return np.asarray(images[index])


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
    inside = np.kron(mask, np.ones((zoom, zoom), dtype=np.bool_))
    left = np.repeat(gray[:, :, None], 3, axis=2)
    tint = np.array([255, 80, 60])
    right = np.where(inside[:, :, None], left * 0.7 + tint * 0.3, left).astype(np.uint8)
    padded = np.pad(inside, 1, mode="edge")
    interior = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    right[inside & ~interior] = tint
    gap = np.full((gray.shape[0], zoom, 3), 255, dtype=np.uint8)
    _save(path, Image.fromarray(np.concatenate([left, gap, right], axis=1)))


def _save(path: Path, picture: Image.Image) -> None:
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")
