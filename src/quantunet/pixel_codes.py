"""Pictures become codes: the one function for inference, comparison, evaluation, co-simulation and export checks.

What the byte of a picture means is said by the network (:class:`quantunet.pixels.Pixels`) or by the user. For channel
``c``, in exact arithmetic over fractions::

    x    = gain[c] * (byte * scale) + offset[c]
    code = clamp(R(x / step), low, high)

``R`` rounds as the input's quantizer says, half to even as a rule; ``step`` is the real value of the input's integer 1.
``low`` and ``high`` are the limits of the input's type; a narrow quantizer has one code fewer, and one with a zero
point has limits of its own.
"""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from quantunet.errors import ImageError, ModelError, PixelScaleError, ShapeError
from quantunet.fraction_rounding import ROUNDINGS
from quantunet.ir import Array, Graph, QType
from quantunet.npz import read_npy
from quantunet.pixels import Pixels

_BYTES = 256
_TEXT = re.compile(r"[0-9]{1,40}/[0-9]{1,40}|(?:[0-9]{1,40}(?:\.[0-9]{0,80})?|\.[0-9]{1,80})(?:[eE][+-]?[0-9]{1,2})?")
_SHOWN = 40


def pixel_table(
    pixels: Pixels, qtype: QType, channels: int, where: str = "picture", unit: Fraction | None = None
) -> Array:
    """Return the code of every byte in every channel.

    Args:
        pixels: What a byte means; its scale is known.
        qtype: Type of the network's input.
        channels: How many.
        where: The network, for the message.
        unit: The real value of the input's integer 1, where the type does not say it.

    Returns:
        int64 ``(channels, 256)``.

    Raises:
        PixelScaleError: The scale is unknown.
        ModelError: There is not one gain, or one offset, for each channel.

    The project's own networks read a byte as a value below 1, and their type has the same 256 steps:

    >>> pixel_table(Pixels(Fraction(1, 256)), QType(8, signed=False, frac=8), 1)[0, [0, 1, 255]].tolist()
    [0, 1, 255]

    A signed type of 8 bits for values of 0 to 1 has half of them; halves go to the even code:

    >>> pixel_table(Pixels(Fraction(1, 256)), QType(8, signed=True, frac=7), 1)[0, [1, 2, 3, 254, 255]].tolist()
    [0, 1, 2, 127, 127]
    """
    if pixels.scale is None:
        raise PixelScaleError(
            where,
            expected="a network that says what the byte of a picture means, or --pixel-scale",
            got="neither",
            hint="Say --pixel-scale 1/255 if it was trained on bytes / 255 (torchvision's ToTensor), or 1/256 if on "
            "bytes / 256 (as this project's networks).",
        )
    low, high = code_limits(pixels, qtype)
    gains = _for_channels(f"{where}, gain", pixels.gain or (Fraction(1),) * channels, channels)
    offsets = _for_channels(f"{where}, offset", pixels.offset or (Fraction(0),) * channels, channels)
    step = Fraction(2) ** -qtype.frac if unit is None else unit
    rounded = ROUNDINGS[pixels.rounding]
    rows = [
        [min(max(rounded((gain * byte * pixels.scale + offset) / step), low), high) for byte in range(_BYTES)]
        for gain, offset in zip(gains, offsets, strict=True)
    ]
    return np.array(rows, dtype=np.int64)


def code_limits(pixels: Pixels, qtype: QType) -> tuple[int, int]:
    """Return the least and the greatest code of the input's quantizer.

    >>> code_limits(Pixels(narrow=True), QType(4, signed=True, frac=3))
    (-7, 7)
    >>> code_limits(Pixels(narrow=True), QType(4, signed=False, frac=3))
    (0, 14)
    """
    if pixels.bounds is not None:
        return pixels.bounds
    low, high = qtype.qmin, qtype.qmax
    if pixels.narrow:
        return (low + 1, high) if qtype.signed else (low, high - 1)
    return low, high


def _for_channels(where: str, values: tuple[Fraction, ...], channels: int) -> tuple[Fraction, ...]:
    if len(values) != channels:
        raise ModelError(where, expected=f"one value for each of {channels} channels", got=str(len(values)))
    return values


def picture_codes(graph: Graph, pictures: npt.NDArray[np.uint8]) -> Array:
    """Return the codes of a picture, or of several, by the table of the network's input.

    Args:
        graph: The network.
        pictures: uint8 ``(..., height, width, channels)``; for a network of one channel also ``(..., height, width)``.

    Returns:
        int64 ``(..., height, width, channels)``, as golden takes them.

    Raises:
        PixelScaleError: Nobody says what a byte means.
        ShapeError: The pictures have another shape than the network's input.
    """
    source = graph.tensor(graph.input)
    if pictures.dtype != np.uint8:
        raise ShapeError(source.name, expected="the bytes of a picture", got=str(pictures.dtype))
    if source.shape[2] == 1 and pictures.shape[-2:] == source.shape[:2]:
        pictures = pictures[..., None]
    if pictures.shape[-3:] != source.shape:
        raise ShapeError(
            source.name,
            expected=f"pictures of shape {source.shape} (height, width, channels)",
            got=str(pictures.shape),
            hint="Resize the picture, or use a network of that size.",
        )
    table = pixel_table(graph.pixels, source.qtype, source.shape[2], graph.name, source.unit)
    return table[np.arange(source.shape[2]), pictures]


def read_codes(graph: Graph, path: Path) -> Array:
    """Return the codes of a network's input from a file: for what is no picture, and has no bytes.

    Args:
        graph: The network.
        path: A ``.npy`` file with integers ``(height, width, channels)``; sides of 1 may be left out.

    Returns:
        int64, of the input's shape.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged, or no ``.npy`` file.
        ImageError: It holds no integers, has another shape, or codes that the input's quantizer never gives.
    """
    array, tensor = read_npy(path), graph.tensor(graph.input)
    if array.dtype.kind not in "iu":
        raise ImageError(
            str(path), expected="integers: the codes of the network's input", got=str(array.dtype),
            hint="Divide by the input's scale and round: numpy.rint(values / scale).astype(int).",
        )  # fmt: skip
    if [side for side in array.shape if side != 1] != [side for side in tensor.shape if side != 1]:
        raise ImageError(
            str(path),
            expected=f"an array of {'x'.join(map(str, tensor.shape))} (height, width, channels)",
            got="x".join(map(str, array.shape)),
        )
    low, high = code_limits(graph.pixels, tensor.qtype)
    least, most = int(array.min()), int(array.max())
    if least < low or most > high:
        raise ImageError(str(path), expected=f"codes in {low}..{high}", got=f"{least}..{most}")
    return array.reshape(tensor.shape).astype(np.int64)


def with_pixel_scale(graph: Graph, scale: Fraction | None) -> Graph:
    """Return the network with the user's word on what a byte means.

    Args:
        graph: The network.
        scale: The value of one step of a byte; None where the user says nothing.

    Raises:
        PixelScaleError: The network says something else: nothing is guessed.
    """
    known = graph.pixels.scale
    if scale is None or scale == known:
        return graph
    if known is not None:
        raise PixelScaleError(
            graph.name,
            expected=f"--pixel-scale {known}, which the network's file says itself",
            got=str(scale),
            hint="Leave --pixel-scale out.",
        )
    return dataclasses.replace(graph, pixels=dataclasses.replace(graph.pixels, scale=scale))


def parse_pixel_scale(text: str, where: str = "--pixel-scale") -> Fraction:
    """Read a scale exactly.

    Args:
        text: A fraction (``1/255``) or a decimal number (``0.00390625``), greater than 0.
        where: What the text is, for the message.

    Raises:
        PixelScaleError: It is neither, or not greater than 0.

    >>> parse_pixel_scale("1/255"), parse_pixel_scale("0.00390625"), parse_pixel_scale("1")
    (Fraction(1, 255), Fraction(1, 256), Fraction(1, 1))
    """
    scale = Fraction(0)
    if _TEXT.fullmatch(text):
        numerator, _, denominator = text.partition("/")
        scale = Fraction(0) if denominator and not int(denominator) else Fraction(text)
    if scale <= 0:
        raise PixelScaleError(
            where,
            expected="a fraction or a decimal number greater than 0, for example 1/255 or 1/256",
            got=repr(text[:_SHOWN]) + ("..." if len(text) > _SHOWN else ""),
        )
    return scale
