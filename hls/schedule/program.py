"""The program that solves schedules: C++, compiled once for its content and kept in the user's cache folder."""

from __future__ import annotations

import functools
import logging
import os
import shutil
from pathlib import Path

from quantunet import cache, processes
from quantunet.errors import ToolFailedError, ToolMissingError
from quantunet.storage import check_output

logger = logging.getLogger(__name__)

SOURCES = Path(__file__).resolve().parent / "cpp"
FLAGS = ("-std=c++17", "-O2")

_PROGRAM = "qun_schedule"
_MAIN = SOURCES / "qun_schedule.cpp"


@functools.cache
def schedule_program() -> Path:
    """Return the program; the first call on a machine compiles it, which takes seconds.

    Raises:
        ToolMissingError: g++ is not installed.
        ToolFailedError: It does not compile.
        StorageError: The cache folder, ``$XDG_CACHE_HOME/quantunet`` or ``~/.cache/quantunet``, cannot be written.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        raise ToolMissingError(
            "g++", expected="the GNU C++ compiler on PATH", got="none", hint="Install it: apt-get install g++"
        )
    key = cache.key(FLAGS, os.uname().machine, cache.files(SOURCES, "*.h", "*.cpp"))

    def make(work: Path) -> None:
        command: list[str | Path] = [compiler, *FLAGS, _MAIN, "-o", work / _PROGRAM]
        done = processes.run(command, env={**os.environ, "TMPDIR": str(work)})
        if done.code:
            check_output(work, done.output)
            raise ToolFailedError(_MAIN.name, expected="C++ that compiles", got=done.output[-2000:])
        logger.info("compiled %s", _MAIN.name)

    kept = cache.folder("schedules") / key[:16]
    cache.keep(kept, key, make)
    return kept / _PROGRAM


def known_rules() -> set[str]:
    """Return the names of the rules that the program has; the modules' sheets must name no other.

    Raises:
        QuantUNetError: As :func:`schedule_program`.
    """
    return set(processes.run([schedule_program(), "--rules"]).stdout.decode().split())
