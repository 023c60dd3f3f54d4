"""The options ``--window`` and ``--own-extent`` of the sub-commands that read values of more than 8 bits."""

from __future__ import annotations

import argparse
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


def parse(args: argparse.Namespace) -> Windowing:
    """Return what the options say.

    Raises:
        OptionError: They say no numbers, or black is not below white.
    """
    if not args.window:
        return Windowing(own_extent=args.own_extent)
    low, high = (number("--window", text) for text in args.window)
    if low >= high:
        raise OptionError("--window", expected="LOW below HIGH", got=f"{args.window[0]} and {args.window[1]}")
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
