"""What a command is doing, shown on a terminal while it prints nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done until the block ends: on standard error, and only where that is a terminal.

    Args:
        text: What is being done, as ``reading the network``.

    Yields:
        A function that shows another text instead.
    """
    with Console(stderr=True).status(text, spinner="line") as status:
        yield status.update
