"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quantunet.errors import StorageError

logger = logging.getLogger(__name__)


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(
        str(path),
        expected="a place that can be written",
        got=error.strerror or str(error),
        hint="Free some space, check the permissions, or choose another folder.",
    )


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` that replaces it when the block ends without an error.

    Args:
        path: The final file. Missing parent folders are made.

    Yields:
        The path of an empty temporary file in the same folder, to be written by the caller.

    Raises:
        StorageError: The folder cannot be made or written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, whole or not at all.

    Raises:
        StorageError: The file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path``, whole or not at all.

    Raises:
        StorageError: The file cannot be written.
    """
    write_bytes(path, text.encode())


@contextlib.contextmanager
def locked(path: Path, waiting: str = "") -> Iterator[None]:
    """Let one process or thread at a time run the block; others wait.

    Args:
        path: The lock: an empty file that is made where it is missing, and stays.
        waiting: Logged as a warning when somebody else holds the lock; nothing is logged without it.

    Raises:
        StorageError: The lock cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    except OSError as error:
        raise _storage_error(path.parent, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                logger.warning("%s", waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def check_output(folder: Path, output: str) -> None:
    """Raise the error of a full disk where a program that writes to ``folder`` has complained of one.

    Args:
        folder: Where the program writes.
        output: What it printed.

    Raises:
        StorageError: The output holds the system's message for a full disk.
    """
    if os.strerror(errno.ENOSPC) in output:
        raise StorageError(
            str(folder),
            expected="a disk with space left",
            got=os.strerror(errno.ENOSPC),
            hint="Free some space, or choose another folder.",
        )
