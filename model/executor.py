"""Where the trainings of a sweep run: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from distributed import Client

from quantunet.errors import StorageError

_CONNECT_SECONDS = 20


@contextmanager
def executor(processes: int, scheduler: str | None = None) -> Iterator[tuple[Executor, int]]:
    """An executor of functions that see the same files as this process.

    Args:
        processes: Processes of this machine.
        scheduler: Address of a Dask scheduler, whose workers are used instead.

    Yields:
        The executor, and how many functions it runs at a time.

    Raises:
        StorageError: No scheduler answers at that address.
    """
    if scheduler is None:
        context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in an unknown state
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_end_with_parent) as pool:
            try:
                yield pool, processes
            except BaseException:  # an interrupt too: nobody waits for trainings whose results nobody takes
                for worker in multiprocessing.active_children():
                    worker.kill()
                raise
        return
    try:
        client: Any = Client(scheduler, timeout=_CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise StorageError(
            scheduler,
            expected="the address of a Dask scheduler, as tcp://HOST:8786",
            got=str(error),
            hint="Start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`.",
        ) from error
    with client, client.get_executor() as pool:
        client.wait_for_workers(1)
        yield pool, sum(client.nthreads().values())


def _end_with_parent() -> None:
    """Let this process end when its parent does, and leave Ctrl-C to the parent.

    A sweep that is killed would else leave trainings behind, which write to the folders that its successor resumes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
