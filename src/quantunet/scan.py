"""What a picture's file holds, whatever its format: planes of stored numbers, and how results go back beside them."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from quantunet.errors import FileFormatError, ImageError, QuantUNetError, StorageError
from quantunet.pixel_window import Scale, Window, bytes_of, check_finite, extent

Bytes = npt.NDArray[np.uint8]

PROBABILITY_STEPS = 65535
"""A probability of 1, as an unsigned number of 16 bits."""

_MESSAGE = 200


class Results(Protocol):
    """Writes results in the format of the file that a scan came from.

    Attributes:
        suffix: Ending of a file of masks or class maps, with its dot.
        probability_suffix: Ending of a file of probabilities.
    """

    @property
    def suffix(self) -> str: ...  # noqa: D102

    @property
    def probability_suffix(self) -> str: ...  # noqa: D102

    def write_classes(self, path: Path, classes: Bytes, count: int, *, as_index: bool) -> None:
        """Write the class of each pixel.

        Args:
            path: The file.
            classes: uint8 ``(planes, height, width)``.
            count: How many classes there are; of two, the second is the foreground.
            as_index: Write a picture's foreground as 1 instead of 255.
        """

    def write_probabilities(self, path: Path, values: npt.NDArray[np.uint16], name: str) -> None:
        """Write the probability of one class.

        Args:
            path: The file.
            values: uint16 ``(planes, height, width)``, in 1 / 65535.
            name: Of the class.
        """


@dataclass(frozen=True, eq=False)
class Scan:
    """The planes of one file.

    Attributes:
        values: Stored numbers ``(planes, height, width)``, or uint8 ``(planes, height, width, 3)`` in colour.
        results: Writes what becomes of them.
        scale: What a stored number stands for.
        window: What the file says that is black and white; None where it says nothing.
        is_bytes: Whether the numbers are the bytes of a picture, black 0 and white 255.
        is_inverted: Whether the least value is shown white.
        spacing: Height and width of a pixel in mm; None where the file does not say it.
    """

    values: npt.NDArray[Any]
    results: Results
    scale: Scale = dataclasses.field(default_factory=Scale)
    window: Window | None = None
    is_bytes: bool = False
    is_inverted: bool = False
    spacing: tuple[Fraction, Fraction] | None = None


@dataclass(frozen=True)
class Windowing:
    """What the user says of values that are no bytes.

    Attributes:
        window: Black and white; None for what the file says.
        own_extent: Black is the least and white the greatest value of each file.
    """

    window: Window | None = None
    own_extent: bool = False


_WITH_OPTIONS = "For all that 16 bits hold: --window 0 65535. To spread each file's own values: --own-extent."
_WITHOUT_OPTIONS = (
    "Make an .npz, where that can be said: quantunet data folder FOLDER --out data.npz --window LOW HIGH, or "
    "--own-extent; it has --size and --fit too."
)


def scan_bytes(scan: Scan, windowing: Windowing | None, where: str) -> Bytes:
    """Return the planes of a scan as bytes.

    Args:
        scan: What was read.
        windowing: What to do where it has no bytes; None where the command has no options that say it.
        where: Its file, for the message.

    Returns:
        uint8 ``(planes, height, width, channels)``, of 1 or 3 channels.

    Raises:
        ImageError: Nobody says what is black and white, or a value is no number.
    """
    if scan.values.ndim == 4:
        return np.asarray(scan.values, np.uint8)
    if scan.is_bytes:
        found = scan.values.astype(np.uint8)
    else:
        check_finite(scan.values, where)
        own = extent(scan.values, scan.scale)
        asked = windowing or Windowing()
        window = own if asked.own_extent else asked.window or scan.window
        if window is None:
            low, high = (f"{float(end):g}" for end in (own.low, own.high))
            raise ImageError(
                where,
                expected="8 bits a value, or --window LOW HIGH: what is black and what is white"
                if windowing
                else "8 bits a value, or a file that says what is black and what is white",
                got=f"{scan.values.dtype} values from {low} to {high}",
                hint=_WITH_OPTIONS if windowing else _WITHOUT_OPTIONS,
            )
        found = bytes_of(scan.values, scan.scale, window)
    return (255 - found if scan.is_inverted else found)[..., None]


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Say in one sentence what a library raises of a damaged file: about a dozen kinds of error, and warnings.

    Args:
        path: The file.
        what: What it should be.

    Raises:
        StorageError: The system cannot read it.
        FileFormatError: It is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (QuantUNetError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
        raise FileFormatError(
            str(path),
            expected=what,
            got=" ".join(f"{error or type(error).__name__}".split())[:_MESSAGE],
            hint="Copy it again, or export it with the program that made it.",
        ) from error
