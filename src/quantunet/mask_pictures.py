"""Masks and class maps go out: PNG files to compute with, and pictures to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from quantunet.class_colours import LINE, MAX_CLASSES, Bytes, drawn_legend, palette
from quantunet.errors import OptionError, UnsupportedOpError
from quantunet.storage import atomic_path

Classes = npt.NDArray[np.integer] | npt.NDArray[np.bool_]
"""``(height, width)``: the class of each pixel; a mask of one class is bool, and its foreground is class 1."""

EXACT = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"}
"""Endings of files that keep a mask as it is, and what Pillow calls their formats."""

SHOWN = {**EXACT, ".jpg": "JPEG", ".jpeg": "JPEG"}
"""Likewise of pictures that are only looked at."""

_REFERENCE = (80, 255, 120)
_CASE_PIXELS = 384


def check_classes(where: str, classes: int) -> None:
    """Refuse more classes than a class map holds.

    Raises:
        UnsupportedOpError: There are more than 256.
    """
    if classes > MAX_CLASSES:
        raise UnsupportedOpError(
            where,
            expected=f"at most {MAX_CLASSES} classes, the entries of a picture's palette",
            got=str(classes),
            hint="quantunet.golden.run gives the logits of any number.",
        )


def form_of(path: Path, forms: Mapping[str, str] = EXACT) -> str:
    """Return the format that a file's ending says.

    Args:
        path: The file.
        forms: :data:`EXACT` of masks and class maps, :data:`SHOWN` of pictures to look at.

    Raises:
        OptionError: It says none, or one that loses something of a mask.

    >>> form_of(Path("mask.TIF"))
    'TIFF'
    """
    form = forms.get(path.suffix.lower())
    if form is None:
        lossy = path.suffix.lower() in SHOWN
        raise OptionError(
            str(path),
            expected=f"a name that ends in {', '.join(forms)}",
            got=f"the ending '{path.suffix}'" if path.suffix else "a name without an ending",
            hint="JPEG does not keep a mask: its values are no classes any more." if lossy else "",
        )
    return form


def save_mask(path: Path, mask: npt.NDArray[np.bool_], form: str = "PNG") -> None:
    """Write a mask as a picture with 0 for background and 255 for foreground.

    Args:
        path: The file.
        mask: bool ``(height, width)``.
        form: The picture's format, one that loses nothing, as Pillow calls it.

    Raises:
        StorageError: The file cannot be written.
    """
    _save(path, Image.fromarray(mask.astype(np.uint8) * 255), form)


def save_class_map(path: Path, classes: npt.NDArray[np.integer], count: int, form: str = "PNG") -> None:
    """Write a class map as a picture with a palette; the value of a pixel is the index of its class.

    Args:
        path: The file.
        classes: ``(height, width)``, 0 to ``count - 1``.
        count: Number of classes, at most 256.
        form: As in :func:`save_mask`.

    Raises:
        StorageError: The file cannot be written.
    """
    picture = Image.fromarray(classes.astype(np.uint8))  # mode L
    picture.putpalette(palette(count).tobytes())
    _save(path, picture, form)


def save_overlay(
    path: Path, image: Bytes, classes: Classes, zoom: int = 4, form: str = "PNG", names: Sequence[str] = ()
) -> None:
    """Write the image beside itself with the foreground's classes tinted and outlined.

    Args:
        path: The file.
        image: uint8 ``(height, width, channels)``; of 3 or more channels the first three are shown as RGB, of fewer the
            first as gray.
        classes: The class of each pixel; 0 is left as it is.
        zoom: How often a pixel is repeated.
        form: The picture's format, as Pillow calls it.
        names: Of all classes, for a legend below; none without it.

    Raises:
        StorageError: The file cannot be written.
    """
    left = _enlarged(rgb(image), zoom)
    gap = np.full((left.shape[0], zoom, 3), 255, dtype=np.uint8)
    both = np.concatenate([left, gap, _tinted(left, classes, classes)], axis=1)
    _save(path, Image.fromarray(np.concatenate([both, drawn_legend(names, both.shape[1])])), form)


@dataclass(frozen=True, eq=False)
class Case:
    """An image with two masks or class maps, to be looked at.

    Attributes:
        title: A few words.
        image: uint8 ``(height, width, channels)``.
        reference: The class of each pixel, or a mask.
        predicted: Likewise.
    """

    title: str
    image: Bytes
    reference: Classes
    predicted: Classes


def save_cases(path: Path, cases: Sequence[Case], names: Sequence[str] = ()) -> None:
    """Write images side by side; below each, the predicted mask as a tint and the reference as a contour.

    Args:
        path: The PNG file.
        cases: At least one; all of one size, and all with masks or all with class maps.
        names: Of all classes, for a legend; none without it.

    Raises:
        StorageError: The file cannot be written.
    """
    height, width = cases[0].image.shape[:2]
    zoom = max(1, _CASE_PIXELS // width)
    height, width, gap = zoom * height, zoom * width, 4
    picture = Image.new("RGB", (len(cases) * (width + gap) - gap, 2 * LINE + 2 * height + gap), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    masks = cases[0].predicted.dtype == np.bool_
    said = (
        "the predicted mask in red, the contour of the reference in green"
        if masks
        else "the predicted classes as tints, the contours of the reference in the same colours"
    )
    draw.text((gap, 2), f"below: {said}", fill=(0, 0, 0))
    for column, case in enumerate(cases):
        left, top = column * (width + gap), 2 * LINE
        draw.text((left + gap, LINE), case.title, fill=(0, 0, 0))
        picture.paste(Image.fromarray(_enlarged(rgb(case.image), zoom)), (left, top))
        picture.paste(Image.fromarray(case_picture(case, zoom)), (left, top + height + gap))
    _save(path, _with_legend(picture, names))


def case_picture(case: Case, zoom: int = 1) -> Bytes:
    """Return an image with the prediction as a tint and the reference as a contour.

    Args:
        case: The image and its masks; they may be smaller than it by a whole factor.
        zoom: How often a pixel is repeated.

    Returns:
        uint8 ``(height, width, 3)``.
    """
    line = _REFERENCE if case.predicted.dtype == np.bool_ else None
    return _tinted(_enlarged(rgb(case.image), zoom), case.predicted, case.reference, line)


def save_sheet(
    path: Path, rows: Sequence[tuple[str, Sequence[Case]]], side: int = 128, names: Sequence[str] = ()
) -> None:
    """Write a contact sheet: below each heading a row of images with their reference as tint and outline.

    Args:
        path: The PNG file.
        rows: Headings, and the images of each; all images are of one size.
        side: Least height of an image in the sheet; smaller ones are enlarged by a whole factor.
        names: Of all classes, for a legend; none without it.

    Raises:
        StorageError: The file cannot be written.
    """
    height, width = rows[0][1][0].image.shape[:2]
    zoom, gap = max(1, side // height), 4
    height, width = zoom * height, zoom * width
    columns, block = max(len(cases) for _, cases in rows), height + 2 * LINE + gap
    picture = Image.new("RGB", (columns * (width + gap) + gap, len(rows) * block), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    for row, (heading, cases) in enumerate(rows):
        draw.text((gap, row * block + 2), heading, fill=(0, 0, 0))
        for column, case in enumerate(cases):
            left, top = gap + column * (width + gap), row * block + 2 * LINE
            draw.text((left, top - LINE), case.title[: max(1, width // 6)], fill=(0, 0, 0))
            tinted = _tinted(_enlarged(rgb(case.image), zoom), case.reference, case.reference)
            picture.paste(Image.fromarray(tinted), (left, top))
    _save(path, _with_legend(picture, names))


def _with_legend(picture: Image.Image, names: Sequence[str]) -> Image.Image:
    """Return a picture with the legend of the classes above it."""
    whole = np.concatenate([drawn_legend(names, picture.width), np.asarray(picture)])
    return Image.fromarray(whole)


def rgb(image: Bytes) -> Bytes:
    """Return an image as ``(height, width, 3)``: the first three channels, or of fewer the first one as gray."""
    return image[:, :, :3] if image.shape[2] >= 3 else np.repeat(image[:, :, :1], 3, axis=2)


def _enlarged(values: npt.NDArray[np.uint8], zoom: int) -> npt.NDArray[np.uint8]:
    return np.asarray(values.repeat(zoom, axis=0).repeat(zoom, axis=1))


def _tinted(colour: Bytes, inside: Classes, outlined: Classes, line: tuple[int, int, int] | None = None) -> Bytes:
    """Return a picture with one class map as tints and one as outlines; the maps may be smaller by a whole factor.

    Args:
        colour: uint8 ``(height, width, 3)``.
        inside: The class of each pixel.
        outlined: Likewise.
        line: Colour of the outlines; that of each class where it is left out.
    """
    zoom = colour.shape[0] // inside.shape[0]
    inside, outlined = (_enlarged(each.astype(np.uint8), zoom) for each in (inside, outlined))
    colours = palette(MAX_CLASSES)
    colour = np.where(inside[:, :, None] > 0, colour * 0.7 + colours[inside] * 0.3, colour).astype(np.uint8)
    padded = np.pad(outlined, 1, mode="edge")
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    edge = (outlined > 0) & np.any([each != outlined for each in neighbours], axis=0)
    colour[edge] = colours[outlined[edge]] if line is None else line
    return np.asarray(colour)


def _save(path: Path, picture: Image.Image, form: str = "PNG") -> None:
    with atomic_path(path) as temporary:
        picture.save(temporary, format=form)
