"""The program that solves schedules: C++, compiled once for its content into the user's cache folder."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import subprocess
from pathlib import Path

from quantunet.errors import ToolFailedError, ToolMissingError
from quantunet.storage import atomic_path, locked

logger = logging.getLogger(__name__)

SOURCES = Path(__file__).resolve().parent / "schedule"
FLAGS = ("-std=c++17", "-O2")

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
    digest = hashlib.sha256(repr((FLAGS, os.uname().machine)).encode())
    for path in sorted(SOURCES.glob("qun_*")):
        digest.update(path.read_bytes())
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quantunet" / "schedule"
    program = folder / digest.hexdigest()[:16]
    if os.access(program, os.X_OK):
        return program
    with locked(folder / "lock"):
        if not os.access(program, os.X_OK):
            with atomic_path(program) as temporary:
                command = [compiler, *FLAGS, str(_MAIN), "-o", str(temporary)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise ToolFailedError(_MAIN.name, expected="C++ that compiles", got=done.stderr[-2000:])
            program.chmod(0o755)
            logger.info("compiled %s", _MAIN.name)
    return program
