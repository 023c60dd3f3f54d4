"""Compare two tensors of integers, and name the first value that differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantunet.errors import ShapeError
from quantunet.ir import Array


@dataclass(frozen=True)
class Difference:
    """The first value that differs, in raster order with the channel innermost."""

    y: int
    x: int
    channel: int
    expected: int
    got: int

    def __str__(self) -> str:
        return f"y={self.y} x={self.x} channel={self.channel}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing one tensor.

    Attributes:
        name: The layer's or tensor's name.
        compared: Values compared; a comparison of nothing has failed.
        mismatches: Values that differ.
        first: The first one that differs.
    """

    name: str
    compared: int
    mismatches: int
    first: Difference | None

    @property
    def passed(self) -> bool:
        """Whether something was compared and nothing differs."""
        return self.compared > 0 and self.mismatches == 0


def compare(name: str, expected: Array, got: npt.NDArray[np.integer]) -> Comparison:
    """Compare integers with ``==``.

    Args:
        name: What is compared, for the message.
        expected: int64 ``(height, width, channels)``.
        got: Integers of the same shape.

    Raises:
        ShapeError: The shapes differ.

    >>> compare("y", np.array([[[1, 2]]]), np.array([[[1, 3]]])).first
    Difference(y=0, x=0, channel=1, expected=2, got=3)
    """
    if expected.shape != got.shape:
        raise ShapeError(name, expected=f"a tensor of shape {expected.shape}", got=str(got.shape))
    wrong = np.argwhere(expected != got)
    first = None
    if len(wrong):
        y, x, channel = (int(index) for index in wrong[0])
        first = Difference(y, x, channel, int(expected[y, x, channel]), int(got[y, x, channel]))
    return Comparison(name, int(expected.size), len(wrong), first)
