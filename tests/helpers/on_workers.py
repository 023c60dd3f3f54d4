"""Functions that tests run on the workers of a cluster."""

from __future__ import annotations

import os
import time

from quantunet.errors import ImageError


def pid_after(seconds: float) -> int:
    """Return the number of the worker's process, some seconds later."""
    time.sleep(seconds)
    return os.getpid()


def power(shared: dict[str, int], exponent: int) -> int:
    """Return a power of a value that all workers have."""
    return shared["two"] ** exponent


def refuse() -> None:
    """Raise an error of a user's."""
    raise ImageError("here", expected="a", got="b")
