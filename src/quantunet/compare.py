"""Compare tensors of integers with ``==``, and name the first value that differs: the only comparator there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantunet.errors import ShapeError


@dataclass(frozen=True)
class Difference:
    """The first value that differs, in raster order with the channel innermost.

    Attributes:
        frame: Its image, from 0; where only one is compared, 0.
        y: Its row.
        x: Its column.
        channel: Its channel.
        expected: Golden's value.
        got: The other one; ``None`` where what was compared ended before it.
    """

    frame: int
    y: int
    x: int
    channel: int
    expected: int
    got: int | None

    @classmethod
    def at(cls, position: int, shape: tuple[int, ...], expected: int, got: int | None) -> Difference:
        """Return the difference at a flat position.

        Args:
            position: From 0.
            shape: ``(height, width, channels)`` or ``(frames, height, width, channels)``.
            expected: Golden's value.
            got: The other one.

        >>> str(Difference.at(7, (2, 2, 3), 5, None)), str(Difference.at(7, (3, 1, 2, 2), 5, 6))
        ('y=1 x=0 channel=1: expected 5, got nothing', 'frame=1 y=0 x=1 channel=1: expected 5, got 6')
        """
        *frame, y, x, channel = (int(index) for index in np.unravel_index(position, shape))
        return cls(frame[0] if frame else 0, y, x, channel, expected, got)

    def __str__(self) -> str:
        got = "nothing" if self.got is None else str(self.got)
        frame = f"frame={self.frame} " if self.frame else ""
        return f"{frame}y={self.y} x={self.x} channel={self.channel}: expected {self.expected}, got {got}"


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing one tensor.

    Attributes:
        name: The layer's or tensor's name.
        compared: Values expected, all of which were looked at; a comparison of nothing has failed.
        mismatches: Values that differ or are missing.
        first: The first one of them.
    """

    name: str
    compared: int
    mismatches: int
    first: Difference | None

    @property
    def passed(self) -> bool:
        """Whether something was compared and nothing differs."""
        return self.compared > 0 and self.mismatches == 0


Integers = npt.NDArray[np.integer] | npt.NDArray[np.bool_]


def compare(name: str, expected: Integers, got: Integers) -> Comparison:
    """Compare integers with ``==``.

    Args:
        name: What is compared, for the message.
        expected: Integers ``(height, width, channels)`` or ``(frames, height, width, channels)``.
        got: Integers of the same shape.

    Raises:
        ShapeError: The shapes differ.

    >>> compare("y", np.array([[[1, 2]]]), np.array([[[1, 3]]])).first
    Difference(frame=0, y=0, x=0, channel=1, expected=2, got=3)
    """
    if expected.shape != got.shape:
        raise ShapeError(name, expected=f"a tensor of shape {expected.shape}", got=str(got.shape))
    return compare_stream(name, expected, got.reshape(-1))


def compare_stream(name: str, expected: Integers, values: Integers) -> Comparison:
    """Compare a tensor with a flat stream of its values that may have ended early.

    Args:
        name: What is compared, for the message.
        expected: Integers ``(height, width, channels)`` or ``(frames, height, width, channels)``.
        values: Integers, flat.

    Raises:
        ShapeError: There are more values than expected.

    >>> compare_stream("y", np.array([[[1, 2, 3]]]), np.array([1])).mismatches
    2
    """
    if values.ndim != 1 or values.size > expected.size:
        raise ShapeError(name, expected=f"at most {expected.size} values, flat", got=f"shape {values.shape}")
    flat = expected.reshape(-1)
    different = flat[: values.size] != values
    mismatches = int(np.count_nonzero(different)) + flat.size - values.size
    first = None
    if mismatches:
        position = int(different.argmax()) if different.any() else values.size
        got = int(values[position]) if position < values.size else None
        first = Difference.at(position, expected.shape, int(flat[position]), got)
    return Comparison(name, flat.size, mismatches, first)
