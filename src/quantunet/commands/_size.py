"""``--size``: height and width of images, or one number for both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class _Sides(argparse.Action):
    """Takes one number or two."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Keep a number, or a pair of them."""
        assert values is not None
        if len(values) > 2:
            parser.error(f"argument {option_string}: expected a height and a width, got {len(values)} numbers")
        setattr(namespace, self.dest, values[0] if len(values) == 1 else tuple(values))


def add_size(
    parser: argparse.ArgumentParser, option: str, text: str, *, dest: str, default: object = argparse.SUPPRESS
) -> None:
    """Add an option that takes ``HEIGHT WIDTH``, or one number for a square.

    Args:
        parser: Gets the option.
        option: Its name.
        text: Its help.
        dest: Where the number, or the pair of numbers, goes.
        default: What is there without the option.
    """
    metavar = ("HEIGHT", "WIDTH")
    parser.add_argument(
        option, dest=dest, type=int, nargs="+", action=_Sides, metavar=metavar, default=default, help=text
    )
