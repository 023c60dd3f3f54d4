"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from quantunet.errors import StorageError

if TYPE_CHECKING:
    from filelock import BaseFileLock

logger = logging.getLogger(__name__)

_TEMPORARY = ".quantunet"
"""How the names of temporary folders end."""

_NAME = 50
"""Characters of a file's name that the name of its temporary folder holds."""

_LOCK = "quantunet.lock"
"""In a temporary folder, the file that whoever uses it has locked."""


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
    folder, lock = _locked_folder(path)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        _remove_emptied(folder)


def _locked_folder(path: Path) -> tuple[Path, BaseFileLock]:
    """Make a temporary folder and lock it; another process may take it for a leftover before it is locked."""
    from filelock import FileLock  # the import takes as long as that of all the rest here

    while True:
        folder = Path(tempfile.mkdtemp(_TEMPORARY, f".{path.name[:_NAME]}.", path.parent))
        lock = FileLock(folder / _LOCK)
        with contextlib.suppress(
            OSError, NotImplementedError
        ):  # where nothing can be locked, nothing is removed either
            lock.acquire()
        if folder.exists():
            return folder, lock
        lock.release()


def _remove_leftovers(parent: Path) -> None:
    """Remove the temporary folders of this user that nobody has locked."""
    from filelock import FileLock, Timeout

    found: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        hidden = (entry for entry in entries if entry.name.startswith(".") and entry.name.endswith(_TEMPORARY))
        found += [Path(entry.path) for entry in hidden if _is_own_folder(entry)]
    for leftover in found:
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            lock = FileLock(leftover / _LOCK)
            with lock.acquire(timeout=0):
                shutil.rmtree(leftover, ignore_errors=True)
            _remove_emptied(leftover)


def _remove_emptied(folder: Path) -> None:
    """Remove a folder that is there still, with nothing in it: on Windows a lock that is held cannot be removed."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, and no link to one, of the user who asks; Windows numbers no users."""
    return entry.is_dir(follow_symlinks=False) and (
        not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()
    )


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
            with contextlib.suppress(PermissionError):  # on Windows it goes when it is released
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
