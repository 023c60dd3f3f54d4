"""All cores for one calculation: one strip of work a thread, and one thread for each matrix product.

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
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Cores that this process may use."""

_turn = threading.Lock()
"""The number of BLAS threads belongs to the process: one calculation at a time sets it and puts it back."""


class Cores:
    """Spreads pieces of work that do not depend on each other."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def each(self, work: Callable[[Item], None], items: Sequence[Item]) -> None:
        """Call ``work`` with every item; return when all are done, or raise what the first one that failed raised."""
        if len(items) == 1:
            work(items[0])
        else:
            list(self._pool.map(work, items))


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def all_cores() -> Iterator[Cores]:
    """Give all cores to one calculation of this process; another one waits for its turn."""
    with _turn, _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(WORKERS) as pool:
        yield Cores(pool)
