"""The options ``--window`` and ``--own-extent`` of the sub-commands that read values of more than 8 bits."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction

from quantunet.errors import OptionError
from quantunet.pixel_window import Window
from quantunet.scan import Windowing

_LONGEST = 80
_MOST = 1 << 64


def add_options(group: argparse._MutuallyExclusiveGroup) -> None:
    """Add the options, of which at most one is given."""
    group.add_argument(
        "--window",
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="values of more than 8 bits that become black and white, as DICOM and NIfTI scale them; without it, what "
        "the file itself says",
    )
    group.add_argument(
        "--own-extent", action="store_true", help="instead, the least and the greatest value of each file"
    )


def windowing(window: Sequence[object] | None, *, own_extent: bool) -> Windowing:
    """Return what the options say.

    Args:
        window: The values that become black and white.
        own_extent: Whether it is the least and the greatest value of each file instead.

    Raises:
        OptionError: They are no numbers, black is not below white, or both are given.
    """
    if window is None:
        return Windowing(own_extent=own_extent)
    if own_extent:
        raise OptionError("window and own extent", expected="one of them", got="both")
    low, high = (number("window", str(value)) for value in window)
    if low >= high:
        raise OptionError("window", expected="LOW below HIGH", got=f"{window[0]} and {window[1]}")
    return Windowing(Window(low, high))


def number(option: str, text: str) -> Fraction:
    """Read a decimal number exactly.

    Raises:
        OptionError: It is none.
    """
    try:
        value = Fraction(text) if len(text) <= _LONGEST and "e" not in text.lower() else None
    except (ValueError, ZeroDivisionError):
        value = None
    if value is None or abs(value) >= _MOST:
        raise OptionError(option, expected="a decimal number", got=repr(text[:40]))
    return value
