"""Values of more than 8 bits become bytes: a window of values is spread over 0 to 255, exactly.

``byte = clamp(round_half_even(255 * (value - low) / (high - low)), 0, 255)``, in fractions. The function is a
staircase, so that comparing each value with its 255 steps gives the exact byte of integers and of floating-point
numbers alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from quantunet.errors import ImageError

_STEPS = 255
_LIMIT = 1 << 62  # beyond every integer that is taken


@dataclass(frozen=True)
class Scale:
    """What a stored number stands for: ``value = slope * stored + intercept``.

    Attributes:
        slope: Not 0.
        intercept: In the value's unit.
    """

    slope: Fraction = Fraction(1)
    intercept: Fraction = Fraction(0)


@dataclass(frozen=True)
class Window:
    """The values that become black and white; of a window without width, what is greater is white.

    Attributes:
        low: What becomes 0, and all below.
        high: What becomes 255, and all above; not less than ``low``.
    """

    low: Fraction
    high: Fraction


def check_finite(values: npt.NDArray[Any], where: str) -> None:
    """Refuse values that are no numbers, before they become bytes.

    Raises:
        ImageError: One is infinite or no number, or they are neither integers nor floating-point numbers.
    """
    kind = values.dtype.kind
    if kind not in "uif" or values.dtype.itemsize > (8 if kind == "f" else 4):
        expected = "integers of at most 32 bits, or floating-point numbers of at most 64"
        raise ImageError(where, expected=expected, got=str(values.dtype))
    if kind == "f" and not np.isfinite(values).all():
        raise ImageError(
            where,
            expected="finite values",
            got=f"{int((~np.isfinite(values)).sum())} of {values.size} values that are infinite or no numbers",
            hint="Replace them with the value of the background.",
        )


def extent(values: npt.NDArray[Any], scale: Scale) -> Window:
    """Return the window from the least to the greatest value, exactly.

    Args:
        values: Stored numbers, finite.
        scale: What they stand for.

    >>> extent(np.array([3, 7], np.int16), Scale(Fraction(-1, 2)))
    Window(low=Fraction(-7, 2), high=Fraction(-3, 2))
    """
    ends = [scale.slope * Fraction(end.item()) + scale.intercept for end in (values.min(), values.max())]
    return Window(min(ends), max(ends))


def bytes_of(values: npt.NDArray[Any], scale: Scale, window: Window) -> npt.NDArray[np.uint8]:
    """Return the byte of each value.

    Args:
        values: Stored numbers of any shape, finite; integers of at most 32 bits or floating-point numbers.
        scale: What they stand for.
        window: Which of them become 0 and 255.

    Returns:
        uint8 of the same shape.

    >>> bytes_of(np.array([-1, 0, 128, 256, 65535], np.int32), Scale(), Window(Fraction(0), Fraction(65535))).tolist()
    [0, 0, 0, 1, 255]
    >>> bytes_of(np.array([0.25, 0.5, 0.75]), Scale(), Window(Fraction(0), Fraction(1))).tolist()
    [64, 128, 191]
    """
    sign = -1 if scale.slope < 0 else 1
    width = window.high - window.low
    steps: list[tuple[Fraction, bool]] = []
    for byte in range(1, _STEPS + 1):
        border = window.low + (2 * byte - 1) * width / (2 * _STEPS)
        # Half-way values go to the even byte. In a window without width, only what is greater is white.
        steps.append((sign * (border - scale.intercept) / scale.slope, byte % 2 == 0 and width > 0))
    signed = values.astype(np.float64 if values.dtype.kind == "f" else np.int64) * sign
    return np.searchsorted(_least(steps, signed.dtype), signed, side="right").astype(np.uint8)


def _least(steps: Sequence[tuple[Fraction, bool]], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The least number of a type that is beyond each border, or on it where that counts."""
    if dtype.kind == "i":
        whole = [math.ceil(border) if counts else math.floor(border) + 1 for border, counts in steps]
        return np.array([min(max(step, -_LIMIT), _LIMIT) for step in whole], dtype)
    return np.array([_least_float(border, counts) for border, counts in steps], dtype)


def _least_float(border: Fraction, counts: bool) -> float:
    try:
        nearest = float(border)
    except OverflowError:
        return math.inf if border > 0 else -math.inf
    below = Fraction(nearest) < border or (not counts and Fraction(nearest) == border)
    return float(np.nextafter(nearest, math.inf)) if below else nearest
