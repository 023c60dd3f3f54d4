"""What the values of a mask mean: the foreground is the greater of exactly two. No torch here.

Masks are published as 0 and 1, 0 and 255, truth values, indices of a palette, one colour on black, or in the alpha
channel. All of them are read by the values that stand in the mask; whatever else stands there is refused by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantunet.errors import ImageError
from quantunet.images import read_picture

_NAMED = 5
_COLOURS = {"LA": 1, "RGB": 3, "RGBA": 3}
"""Channels of colour in the modes that have several; what follows them is alpha."""

_GRAY = ".convert('RGB').convert('L')"


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask from a picture file; see :func:`read_marked`.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or no such picture.
        ImageError: It has not two values of which one is the greater; or one value, which is not 0.
    """
    return read_marked(path)[0]


def read_marked(path: Path) -> tuple[NDArray[np.bool_], float | None]:
    """Read a mask from a picture file, and the value that marks its foreground.

    Of several channels, all that vary must agree. A palette's indices are the values.

    Args:
        path: The file, of any format that :func:`~quantunet.images.read_picture` takes.

    Returns:
        bool ``(height, width)``: foreground; and its value in gray or by index, None of a colour or without foreground.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or no such picture.
        ImageError: It has not two values of which one is the greater; or one value, which is not 0.
    """
    picture = read_picture(path)
    if picture.mode == "PA" or (picture.mode == "P" and "transparency" in picture.info):
        picture = picture.convert("RGBA")
    if picture.mode == "P":
        return _with_value(_of_palette(picture, str(path)), np.asarray(picture))
    if picture.mode in _COLOURS:
        return _of_channels(np.asarray(picture), _COLOURS[picture.mode], str(path)), None
    if picture.mode in ("1", "L", "I", "F") or picture.mode.startswith("I;16"):
        values = np.asarray(picture)
        return _with_value(foreground(values, str(path)), values)
    raise ImageError(
        str(path),
        expected="a mask in gray, RGB, RGBA or with a palette",
        got=f"mode {picture.mode}",
        hint=f"Save it in gray: {_command(_GRAY, 'x')}",
    )


def _with_value(mask: NDArray[np.bool_], values: NDArray[Any]) -> tuple[NDArray[np.bool_], float | None]:
    return mask, float(values[mask][0]) if mask.any() else None


def foreground(values: NDArray[Any], where: str, hint: str = "") -> NDArray[np.bool_]:
    """Find the foreground of masks: the greater of exactly two values; nothing where all are 0.

    Args:
        values: Truth values, integers or floats, of any shape.
        where: File or array, for messages.
        hint: What to do about other values; that of picture files if left out.

    Returns:
        bool, of the same shape.

    Raises:
        ImageError: There is one value, which is not 0; or more than two; or one that is no number.

    >>> foreground(np.array([[3, 7, 3]], np.uint8), "mask.png").tolist()
    [[False, True, False]]
    """
    if values.dtype.kind not in "biuf":
        raise ImageError(where, expected="masks of numbers or truth values", got=str(values.dtype), hint=hint)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError(where, expected="finite values in masks", got="nan or infinity", hint=hint or _separate(""))
    two, more = _first(values.reshape(-1, 1))
    if len(two) > 2:
        raise _many(where, two, more, hint or _separate(""))
    if len(two) < 2:
        if two and two[0][0]:
            raise _constant(where, f"{two[0][0]:g} everywhere", hint)
        return np.zeros(values.shape, np.bool_)
    return np.asarray(values == max(two)[0])


def _of_palette(picture: Image.Image, where: str) -> NDArray[np.bool_]:
    """By index; but not against the colours: a palette that begins with white is one that a program has made up."""
    values = np.asarray(picture)
    two, more = _first(values.reshape(-1, 1))
    if len(two) > 2:
        raise _many(where, two, more, _separate(_GRAY))
    gray = np.asarray(picture.convert("RGB").convert("L"))
    light = {index: int(gray[values == index].max()) for (index,) in two}
    low, high = min(light), max(light)
    if low == high:
        if low or light[low]:
            raise _constant(where, f"index {low} everywhere, in gray {light[low]}")
        return np.zeros(values.shape, np.bool_)
    if light[low] > light[high]:
        raise ImageError(
            where,
            expected="a palette in which the greater index is not the darker colour",
            got=f"index {low} in gray {light[low]} and index {high} in gray {light[high]}",
            hint=f"If the lighter colour is the foreground: {_command(_GRAY, 'x')}. "
            f"If the greater index is: {_command('', f'255 * (x == {high})')}",
        )
    return np.asarray(values == high)


def _of_channels(values: NDArray[np.uint8], colours: int, where: str) -> NDArray[np.bool_]:
    """Two colours, of which one is the greater in every channel that varies."""
    two, more = _first(values.reshape(-1, values.shape[2]))
    channel = int(np.ptp(values.reshape(-1, values.shape[2]), axis=0).argmax())
    if len(two) > 2:
        raise _many(where, two, more, _separate("", f"[..., {channel}]"))
    low, high = sorted(two)[0], sorted(two)[-1]
    if low == high:
        if any(low[:colours]) and low[colours:] != (0,):
            raise _constant(where, f"{_text(low)} everywhere")
        return np.zeros(values.shape[:2], np.bool_)
    white, coloured = len(set(high[:colours])) == 1, len(set(low[:colours])) > 1
    if any(a > b for a, b in zip(low, high, strict=True)) or (white and coloured):
        raise ImageError(
            where,
            expected="a foreground that is the greater in every channel: white or a colour on black, or opaque",
            got=f"the colours {_text(low)} and {_text(high)}",
            hint=f"If the first is the foreground: {_command('', f'255 * (x == {_text(low)}).all(-1)')}. "
            "For the second, put it into that command.",
        )
    return np.asarray(values[:, :, channel] == high[channel])


def _first(pixels: NDArray[Any]) -> tuple[list[tuple[Any, ...]], bool]:
    """The first different rows of ``(n, channels)``, a few of them, and whether there are more."""
    found: list[tuple[Any, ...]] = []
    left = np.ones(len(pixels), np.bool_)
    while len(found) < _NAMED and left.any():
        row = pixels[int(left.argmax())]
        found.append(tuple(row.tolist()))
        differs = np.zeros(len(pixels), np.bool_)
        for channel, value in enumerate(row):
            differs |= pixels[:, channel] != value
        left &= differs
    return found, bool(left.any())


def _many(where: str, found: list[tuple[Any, ...]], more: bool, hint: str) -> ImageError:
    return ImageError(
        where,
        expected="two values, of which the greater is the foreground",
        got=", ".join(_text(row) for row in sorted(found)) + (", ..." if more else ""),
        hint=hint,
    )


def _constant(where: str, got: str, hint: str = "") -> ImageError:
    return ImageError(
        where,
        expected="two values, or 0 everywhere in a mask without foreground",
        got=got,
        hint=hint or f"If nothing is marked: {_command('', '0 * x')}. If everything is, leave the image out.",
    )


def _separate(convert: str, channel: str = "") -> str:
    """What to do with a mask that was blurred or compressed, or that has several classes."""
    halved = _command(convert, "255 * (x > x.min() + np.ptp(x) / 2)", channel)
    return (
        f"Save it with two values, as PNG: {halved}. Of several classes name one: x == 2 in the place of x > ... Or "
        "where the values are the indices of classes, name all of them: --classes background,NAME,NAME"
    )


def _command(convert: str, values: str, channel: str = "") -> str:
    """A command that writes ``values`` of a picture ``x`` as gray PNG."""
    opened = f"ImageOps.exif_transpose(Image.open('in.png')){convert}"
    return (
        f'python -c "import numpy as np; from PIL import Image, ImageOps; x = np.asarray({opened}){channel}; '
        f"Image.fromarray(np.uint8({values})).save('out.png')\""
    )


def _text(row: tuple[Any, ...]) -> str:
    return f"{row[0]:g}" if len(row) == 1 else f"({', '.join(map(str, row))})"
