"""Where the trainings of a sweep run: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

_TOOLS = ("numpy", "onnx", "torch", "brevitas")
"""Of which the workers of a cluster need the versions that are here."""


@contextmanager
def executor(processes: int, scheduler: str | None, folder: Path) -> Iterator[tuple[Executor, int, Callable[[], None]]]:
    """An executor of functions that see the same files as this process.

    Args:
        processes: Processes of this machine.
        scheduler: Address of a Dask scheduler, whose workers are used instead; see :mod:`quantunet.cluster`.
        folder: Holds the results; every worker needs to see it.

    Yields:
        The executor, how many functions it runs at a time, and what raises an error if it is gone.

    Raises:
        ClusterError: The address may not be used, no scheduler answers there, or it has no worker.
        StorageError: The folder cannot be made.
    """
    if scheduler is not None:
        from quantunet.cluster import connect

        with connect(scheduler, folder, _TOOLS) as cluster:
            yield cluster, cluster.capacity, cluster.check
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in an unknown state
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            yield pool, processes, lambda: None
        except BaseException:  # an interrupt too: nobody waits for trainings whose results nobody takes
            for worker in multiprocessing.active_children():
                worker.kill()
            raise


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
