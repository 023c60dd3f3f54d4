"""What ``quantunet predict`` makes of the planes of a scan: the network, how pictures get to its size, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantunet import golden
from quantunet.errors import ImageError, OptionError, ShapeError
from quantunet.golden.pictures import FITS, Fit, Frame, frame, luma, to_image, to_picture
from quantunet.golden.probabilities import probabilities
from quantunet.ir import Graph
from quantunet.model.card_file import Card
from quantunet.pixel_codes import picture_codes, pixel_table
from quantunet.scan import Bytes

_AT_ONCE = 8
"""Planes that the network gets at a time."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of the planes of one file, at the file's size.

    Attributes:
        pictures: uint8 ``(planes, height, width, channels)``, as the network's channels are.
        classes: uint8 ``(planes, height, width)``.
        probabilities: uint16 ``(planes, height, width, channels)`` in 1 / 65535; None where nobody asked.
    """

    pictures: Bytes
    classes: Bytes
    probabilities: npt.NDArray[np.uint16] | None


def choose_fit(card: Card | None, asked: Fit | None, where: str) -> Fit | None:
    """Return how pictures get to the network's size: as its card says, or as the user does.

    Returns:
        None where nobody says it; then only pictures of the network's size are taken.

    Raises:
        OptionError: Card and user contradict each other.
    """
    known = None if card is None else card.fit
    if known is not None and asked is not None and known != asked:
        raise OptionError(
            f"{where}, --fit",
            expected=f"{known}, which the network was trained with, by its card",
            got=asked,
            hint="Leave --fit out.",
        )
    return known or asked


def check_input(graph: Graph) -> None:
    """Refuse a network whose input is neither gray nor RGB, or that does not know what a byte means.

    Raises:
        ShapeError: It has other channels.
        PixelScaleError: Nobody says what a byte means.
    """
    source = graph.tensor(graph.input)
    channels = source.shape[2]
    if channels not in (1, 3):
        raise ShapeError(
            graph.name,
            expected="a network of 1 channel (gray) or 3 (RGB)",
            got=f"{channels} channels",
            hint="`quantunet infer` takes FILE.npz:INDEX of any number of channels.",
        )
    pixel_table(graph.pixels, source.qtype, channels, graph.name, source.unit)


def predict(graph: Graph, pictures: Bytes, fit: Fit | None, where: str, *, with_probabilities: bool) -> Prediction:
    """Segment the planes of one file.

    Args:
        graph: The network, of 1 or 3 channels.
        pictures: uint8 ``(planes, height, width, channels)``, of 1 or 3 channels.
        fit: How they get to the network's size.
        where: The file, for the message.
        with_probabilities: Whether to make probabilities too.

    Raises:
        ImageError: They have another size than the network, and nobody says how they get there.
    """
    height, width, channels = graph.tensor(graph.input).shape
    size = pictures.shape[1:3]
    if fit is None and size != (height, width):
        raise ImageError(
            where,
            expected=f"a picture of {width}x{height} pixels (width x height), or --fit {' or '.join(FITS)}",
            got=f"{size[1]}x{size[0]}",
            hint="The network has no card that says how its pictures were brought to its size: say it as it was "
            "trained.",
        )
    pictures = _with_channels(pictures, channels)
    place = frame((size[0], size[1]), (height, width), fit or "stretch")
    parts = list(_parts(graph, pictures, place, with_probabilities=with_probabilities))
    classes, maps = zip(*parts, strict=True)
    return Prediction(
        pictures,
        np.concatenate(classes),
        np.concatenate([each for each in maps if each is not None]) if with_probabilities else None,
    )


def _with_channels(pictures: Bytes, channels: int) -> Bytes:
    """Return gray of colour by luma, and gray in all three channels of colour."""
    if pictures.shape[3] == channels:
        return pictures
    return luma(pictures) if channels == 1 else np.repeat(pictures, channels, axis=3)


def _parts(
    graph: Graph, pictures: Bytes, place: Frame, *, with_probabilities: bool
) -> Iterator[tuple[Bytes, npt.NDArray[np.uint16] | None]]:
    """Some planes at a time: their classes and probabilities, at the pictures' size."""
    for first in range(0, len(pictures), _AT_ONCE):
        images = np.stack([to_image(each, place) for each in pictures[first : first + _AT_ONCE]])
        taps = golden.run_batch(graph, list(picture_codes(graph, images)))
        classes = golden.classes(graph, taps).astype(np.uint8)
        maps = None
        if with_probabilities:
            maps = np.stack([to_picture(each, place) for each in probabilities(graph, taps)])
        yield np.stack([to_picture(each, place) for each in classes]), maps
