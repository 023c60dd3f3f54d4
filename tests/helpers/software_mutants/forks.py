"""Processes that judge one mutant each: forks of one that has imported what takes time, with limits of their own."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType

ENDLESS = "it does not end"

_MEMORY = 6 << 30


@dataclass(frozen=True)
class Limits:
    """What a child may take.

    Attributes:
        cpu: Seconds of processor time.
        wall: Seconds.
    """

    cpu: int
    wall: float


def forked(work: Callable[[], str], limits: Limits) -> str:
    """Return what work says in a child, or what became of a child that did not come back.

    Args:
        work: Returns a line; an exception is told as one.
        limits: Of the child.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _in_the_child(work, limits, reader, writer)
    os.close(writer)
    try:
        said, ended = _read(reader, time.monotonic() + limits.wall)
    finally:
        os.close(reader)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not ended or os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return ENDLESS
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return said if os.WEXITSTATUS(status) == 0 else said or "the process ended"


def limit(cpu: int, memory: int) -> None:
    """Limit this process to seconds of processor time and bytes of memory, and let it leave no core behind."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _in_the_child(work: Callable[[], str], limits: Limits, reader: int, writer: int) -> None:
    os.close(reader)
    os.setpgrp()
    limit(limits.cpu, _MEMORY)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    code = 1
    try:
        said, code = work(), 0
    except BaseException as error:  # noqa: BLE001 whatever a mutant does
        said, code = f"{type(error).__name__}: {error}", 0
    with contextlib.suppress(OSError):
        os.write(writer, said[:2000].encode(errors="replace"))
    os._exit(code)


def _read(reader: int, until: float) -> tuple[str, bool]:
    """Return what comes, and whether it came to its end in time."""
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if not selector.select(max(until - time.monotonic(), 0)):
                return "", False
            data = os.read(reader, 4096)
            if not data:
                return said.decode(errors="replace"), True
            said += data


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module in another form."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 what it is for


def exchange(name: str, path: str, code: CodeType) -> None:
    """Forget all modules of the project and find one of them in another form when it is imported again."""
    for known in [each for each in sys.modules if each.partition(".")[0] in ("quantunet", "helpers")]:
        del sys.modules[known]
    sys.meta_path.insert(0, _Mutated(name, path, code))
