"""The arrays of a data set in an ``.npz``, each checked on its own. No torch here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ImageError
from quantunet.model.classes import check_values
from quantunet.model.masks import foreground
from quantunet.npz import Npz


def images(archive: Npz) -> NDArray[np.uint8]:
    """Read ``images``: uint8 ``(n, height, width)``, or in RGB ``(n, height, width, 3)``.

    Raises:
        FileFormatError: The array is damaged, or holds objects.
        ImageError: It has another shape or type.
    """
    header, where = archive.header("images"), f"{archive.path}:images"
    if len(header.shape) not in (3, 4) or header.shape[3:] not in ((), (3,)) or not all(header.shape):
        hint = ""
        if len(header.shape) == 4 and 1 in (header.shape[1], header.shape[3]):
            hint = f"Save images[{':, 0' if header.shape[1] == 1 else '..., 0'}]."
        raise ImageError(
            where, expected="(n, height, width), none of them 0", got=f"{header.dtype} {header.shape}", hint=hint
        )
    values = archive.read("images")
    if values.dtype == np.uint8:
        return values
    raise ImageError(where, expected="uint8", got=_range(values), hint=_to_bytes(values))


def _to_bytes(values: NDArray[Any]) -> str:
    """How an array of another type becomes bytes: that depends on what its black and its white are."""
    if values.dtype.kind not in "biuf":
        return "Save them as numbers from 0, black, to 255, white, and of type numpy.uint8."
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return "Replace what is not finite, and save numbers from 0, black, to 255, white, of type numpy.uint8."
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "b" or (values.dtype.kind == "f" and 0 <= low and high <= 1):
        return "If 0 is black and 1 is white, save numpy.rint(images * 255.0).astype(numpy.uint8)."
    scaled = (
        "save numpy.rint((images - black) * (255.0 / (white - black))).clip(0, 255).astype(numpy.uint8), "
        "black and white being those of the device for all images, such as 0 and 4095."
    )
    if 0 <= low and high <= 255:
        return f"If 0 is black and 255 is white, save numpy.rint(images).astype(numpy.uint8). Else {scaled}"
    return f"{scaled[0].upper()}{scaled[1:]}"


def masks(archive: Npz, name: str, shape: tuple[int, ...], classes: tuple[str, ...] = ()) -> NDArray[np.uint8]:
    """Read masks of any type with two values, or of several classes.

    Args:
        archive: The file.
        name: ``masks`` or ``masks_observer2``.
        shape: Of the images.
        classes: Names of the classes whose indices the masks hold; empty with one foreground.

    Returns:
        uint8 of 0 and 1, or of the classes' indices, ``shape``.

    Raises:
        FileFormatError: The array is damaged, or holds objects.
        ImageError: It has another shape, or other than two values.
    """
    header, where = archive.header(name), f"{archive.path}:{name}"
    if header.shape != shape:
        raise ImageError(
            where,
            expected=f"the shape of images, {shape}",
            got=f"{header.dtype} {header.shape}",
            hint=_reshape(name, header.shape, shape),
        )
    values = archive.read(name)
    if classes:
        return check_values(values, classes, where)
    if values.dtype.kind == "f":
        hint = f"Choose what is foreground: save numpy.nan_to_num({name}) > threshold."
    else:
        hint = (
            f"Choose what is foreground: save {name} > 0 for every class, {name} == 1 for one of them. Or train on all "
            "of them: --classes background,NAME,NAME."
        )
    return foreground(values, where, hint).view(np.uint8)


def _reshape(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    for index in ("..., 0", ":, 0"):
        without = shape[:-1] if index == "..., 0" else shape[:1] + shape[2:]
        if len(shape) == len(wanted) + 1 and without == wanted and (shape[-1] if index == "..., 0" else shape[1]) == 1:
            return f"Save {name}[{index}]."
    if shape == (wanted[0], wanted[2], wanted[1]):
        return f"Height and width are swapped: save {name}.transpose(0, 2, 1), if the pixels then lie on each other."
    return "Each image needs its mask, of its size and in its place."


def group(archive: Npz, count: int) -> NDArray[np.int64]:
    """Read ``group``: integers as they are, what else can be told apart by its place in the sorted order.

    Returns:
        ``(count,)`` int64.

    Raises:
        FileFormatError: The array is damaged, or holds objects.
        ImageError: It has another shape, or values that are not finite.
    """
    values = _column(archive, "group", count, "for each image a number or a string")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError(
            f"{archive.path}:group",
            expected="a group for each image",
            got=f"{int((~np.isfinite(values)).sum())} that are not finite",
            hint="Give every image without a known group a number of its own.",
        )
    if np.can_cast(values.dtype, np.int64):
        return values.astype(np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def fold(archive: Npz, count: int) -> NDArray[np.int64]:
    """Read ``fold``: a whole number for each image.

    Returns:
        ``(count,)`` int64.

    Raises:
        FileFormatError: The array is damaged, or holds objects.
        ImageError: It has another shape or type.
    """
    values = _column(archive, "fold", count, "for each image a whole number")
    if not np.can_cast(values.dtype, np.int64):
        raise ImageError(f"{archive.path}:fold", expected="whole numbers", got=_range(values))
    return values.astype(np.int64)


def label(archive: Npz, count: int, column: str = "label") -> NDArray[np.str_]:
    """Read ``label``, or another column of texts: strings, or numbers as strings.

    Returns:
        ``(count,)`` str.

    Raises:
        FileFormatError: The array is damaged, or holds objects.
        ImageError: It has another shape, or bytes that are no text.
    """
    values = _column(archive, column, count, "for each image a string")
    if values.dtype.kind != "S":
        return values.astype(np.str_)
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError as error:
        raise ImageError(
            f"{archive.path}:{column}", expected="strings in UTF-8", got=str(error), hint=f"Save {column}.astype(str)."
        ) from error


def _column(archive: Npz, name: str, count: int, expected: str) -> NDArray[Any]:
    header = archive.header(name)
    if header.shape != (count,) or header.dtype.kind == "c":
        flat = count in header.shape and header.shape.count(1) == len(header.shape) - 1
        raise ImageError(
            f"{archive.path}:{name}",
            expected=f"{expected}, ({count},)",
            got=f"{header.dtype} {header.shape}",
            hint=f"Save {name}.reshape(-1)." if flat and header.dtype.kind != "c" else "",
        )
    return archive.read(name)


def _range(values: NDArray[Any]) -> str:
    if values.dtype.kind not in "iuf":
        return str(values.dtype)
    return f"{values.dtype} from {values.min():g} to {values.max():g}"
