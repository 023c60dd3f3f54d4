"""Typed errors: each names the layer or file, what was expected, what came, and what to do."""

from __future__ import annotations

import re
from typing import Any


class QuantUNetError(Exception):
    """Base of every error that a user can cause and mend.

    The command line prints it as one sentence and exits with code 2.

    Args:
        where: The layer, tensor, file or tool that the error is about.
        expected: What would have been right.
        got: What came instead.
        hint: What the user can do about it.
    """

    def __init__(self, where: str, *, expected: str, got: str, hint: str = "") -> None:
        self.where = where
        self.expected = expected
        self.got = got
        self.hint = hint
        super().__init__(where, expected, got, hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross the border of a process with their keyword arguments."""
        return _rebuilt, (type(self), self.where, self.expected, self.got, self.hint)

    def __str__(self) -> str:
        where, expected, got = (_readable(text) for text in (self.where, self.expected, self.got))
        text = f"{where}: expected {expected}, got {got or EMPTY}"
        return f"{text}. {self.hint}" if self.hint else text


EMPTY = "''"
"""How a message shows a text that is empty."""

_LONGEST = 3000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _readable(text: str) -> str:
    """Cut a long text, and spell characters that a terminal would obey: names in a file may be anything."""
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def _rebuilt(kind: type[QuantUNetError], where: str, expected: str, got: str, hint: str) -> QuantUNetError:
    return kind(where, expected=expected, got=got, hint=hint)


class ModelError(QuantUNetError):
    """The network as a whole cannot be represented (missing quantizer, wrong structure, overflow)."""


class UnsupportedOpError(ModelError):
    """An operation, attribute or pattern that the hardware does not have."""


class LayoutError(UnsupportedOpError):
    """A tensor whose axes stand in another order than the operation reads them."""


class ShapeError(ModelError):
    """A tensor's height, width or channel count does not fit the operation."""


class TypeMismatchError(ModelError):
    """Two tensors that must share one integer type do not."""


class WidthError(ModelError):
    """A bit-width outside the range that is supported."""


class ScaleError(ModelError):
    """A scale that is not a power of two, or a zero point that is not zero."""


class ImageError(QuantUNetError):
    """An input image with the wrong size, mode or value range."""


class PixelScaleError(QuantUNetError):
    """Nobody says what the byte of a picture means to a network, or what is said is nonsense or contradicts it."""


class FoldingError(QuantUNetError):
    """PE or SIMD do not divide the channels, or a layer of the folding does not exist."""


class FileFormatError(QuantUNetError):
    """A file that is truncated, damaged or of another format."""


class StorageError(QuantUNetError):
    """A file or folder that cannot be read or written (permissions, full disk)."""


class ToolMissingError(QuantUNetError):
    """A program that the step needs is not installed."""


class ToolFailedError(QuantUNetError):
    """A program that the step runs has failed; ``got`` holds the end of its output."""


class ClusterError(QuantUNetError):
    """A Dask cluster that may not be used, that nobody answers from, or whose workers are not what they should be."""


class DataSplitError(QuantUNetError):
    """A split of a data set that would leak one group into both sides."""


class OptionError(QuantUNetError):
    """An argument outside its range, or two that contradict each other."""


class BoardError(QuantUNetError):
    """An unknown board or a board file that lacks a value."""


class TrainingError(QuantUNetError):
    """A training that cannot start or resume (configuration, checkpoint)."""


class DeviceError(QuantUNetError):
    """A board behind a serial port that cannot be worked with."""


class DeviceSilentError(DeviceError):
    """A port that cannot be opened or used, or behind which nothing answers."""


class DeviceLineError(DeviceError):
    """Frames that came damaged, or that the board refused."""


class DeviceNetworkError(DeviceError):
    """A board that holds another network."""
