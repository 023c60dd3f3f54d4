"""All cores for one calculation: one piece of work a thread, and one thread for each matrix product.

BLAS would spread a single product over the cores instead and wait actively for the slowest of them: twenty times slower
as soon as another process wants a core.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar, cast

from threadpoolctl import ThreadpoolController

from quantunet.golden.scratch import Scratch

Item = TypeVar("Item")

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Cores that this process may use."""

_turn = threading.Lock()
"""The number of BLAS threads belongs to the process: one calculation at a time sets it and puts it back."""


class Cores:
    """Spreads pieces of work that do not depend on each other.

    Args:
        count: Pieces that go on at the same time.
        pool: Threads for them; None for the calling thread alone.
    """

    def __init__(self, count: int, pool: ThreadPoolExecutor | None) -> None:
        self.count = count
        self._pool = pool
        self._own = threading.local()

    @property
    def scratch(self) -> Scratch:
        """The calling thread's own memory, as long as the calculation lasts."""
        if not hasattr(self._own, "scratch"):
            self._own.scratch = Scratch()
        return cast(Scratch, self._own.scratch)

    def alone(self) -> Cores:
        """Return the core that the calling thread is on, for a whole calculation without the others."""
        if not hasattr(self._own, "alone"):
            self._own.alone = Cores(1, None)
        return cast(Cores, self._own.alone)

    def each(self, work: Callable[[Item], None], items: Sequence[Item]) -> None:
        """Call ``work`` with every item; return when all are done, or raise what the first one that failed raised."""
        if len(items) == 1 or self._pool is None:
            for item in items:
                work(item)
        else:
            list(self._pool.map(work, items))


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def all_cores() -> Iterator[Cores]:
    """Give all cores to one calculation of this process; another one waits for its turn."""
    with _turn, _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(WORKERS) as pool:
        yield Cores(WORKERS, pool)
