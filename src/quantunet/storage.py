"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quantunet.errors import StorageError

logger = logging.getLogger(__name__)

_TEMPORARY = ".quantunet"
"""How the names of temporary folders end."""

_NAME = 50
"""Characters of a file's name that the name of its temporary folder holds."""


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(
        str(path),
        expected="a place that can be written",
        got=error.strerror or str(error),
        hint="Free some space, check the permissions, or choose another folder.",
    )


@contextlib.contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside ``path``, which goes at the end of the block with what is left in it.

    It is locked meanwhile. Others of its kind that nobody has locked were left by processes that were killed: they are
    removed first.

    Args:
        path: The file or folder that is written by way of it. Its parent must exist.

    Raises:
        OSError: The parent cannot be written.
    """
    _remove_leftovers(path.parent)
    folder, handle = _locked_folder(path)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _locked_folder(path: Path) -> tuple[Path, int]:
    """Make a temporary folder and lock it; another process may take it for a leftover before it is locked."""
    while True:
        folder = Path(tempfile.mkdtemp(_TEMPORARY, f".{path.name[:_NAME]}.", path.parent))
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        with contextlib.suppress(OSError):  # where nothing can be locked, nothing is removed either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if folder.exists():
            return folder, handle
        os.close(handle)


def _remove_leftovers(parent: Path) -> None:
    """Remove the temporary folders of this user that nobody has locked."""
    found: list[str] = []
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        found += [entry.path for entry in entries if entry.name.startswith(".") and entry.name.endswith(_TEMPORARY)]
    for leftover in found:
        with contextlib.suppress(OSError):
            handle = os.open(leftover, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(handle).st_uid == os.getuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(leftover)
            finally:
                os.close(handle)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces ``path`` when the block ends without an error.

    Args:
        path: The final file. Missing parent folders are made.

    Yields:
        The path of an empty temporary file of the same name, in a hidden folder beside it, to be written by the caller.

    Raises:
        StorageError: The folder cannot be made or written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path) as folder:
            temporary = folder / path.name
            temporary.touch()
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
    except OSError as error:
        raise _storage_error(path, error) from error


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
        path: The lock: an empty file, which is there while somebody holds it.
        waiting: Logged as a warning when somebody else holds the lock; nothing is logged without it.

    Raises:
        StorageError: The lock cannot be made.
    """
    from filelock import FileLock, Timeout  # the import takes as long as that of all the rest here

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting:
                logger.warning("%s", waiting)
            lock.acquire()
    except OSError as error:
        raise _storage_error(path.parent, error) from error
    try:
        yield
    finally:
        try:
            path.unlink(missing_ok=True)  # those who wait for it notice, and make another
        finally:
            lock.release()


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
