"""Memory that one thread uses again and again: a fresh page of the system costs more than the work done in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


class Scratch:
    """Arrays by name, of any shape and type, each in memory that only grows."""

    def __init__(self) -> None:
        self._memory: dict[str, npt.NDArray[np.uint8]] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array without content; the last one of the same name is gone.

        Args:
            name: What it is for.
            shape: Its shape.
            dtype: Its type.

        >>> scratch = Scratch()
        >>> first = scratch.take("sums", (2, 3), np.float32)
        >>> np.shares_memory(first, scratch.take("sums", (5,), np.int8))
        True
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = np.empty(size, np.uint8)
        return memory[:size].view(dtype).reshape(shape)
