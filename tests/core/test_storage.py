"""Files are written whole or not at all, on a full disk too."""

import errno
import os
import threading
from pathlib import Path

import pytest

from quantunet.errors import StorageError
from quantunet.storage import atomic_path, check_output, locked, write_bytes


def test_written_whole(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b.bin", b"123")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"123"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.bin"]


def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    write_bytes(path, b"old")
    with pytest.raises(StorageError, match="No space left") as caught, atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["x.bin"]


def test_a_device_that_is_full(tmp_path: Path) -> None:
    """A real ENOSPC from the kernel, not a simulated one."""
    with pytest.raises(StorageError, match="No space left"), atomic_path(tmp_path / "x.bin") as temporary:
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        temporary.write_bytes(b"x" * 10)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_bytes(tmp_path / "file" / "x.bin", b"")


def test_a_program_that_ran_out_of_space(tmp_path: Path) -> None:
    check_output(tmp_path, "error: something else")
    with pytest.raises(StorageError, match="No space left") as caught:
        check_output(tmp_path, "x.h:5: fatal error: cannot write PCH file: No space left on device")
    assert caught.value.where == str(tmp_path)


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "a" / "lock", "waiting for the first"):
            order.append("second")

    with locked(tmp_path / "a" / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        while "waiting for the first" not in caplog.text:
            thread.join(0.01)
            assert thread.is_alive()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError), locked(tmp_path / "file" / "lock"):
        pass
