"""Files are written whole or not at all, on a full disk too."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from quantunet.errors import StorageError
from quantunet.storage import atomic_path, check_output, locked, temporary_folder, write_bytes


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
        thread = threading.Thread(target=second, daemon=True)
        thread.start()
        until = time.monotonic() + 60
        while "waiting for the first" not in caplog.text:
            thread.join(0.01)
            assert thread.is_alive()
            assert time.monotonic() < until, "nothing was said"
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert list((tmp_path / "a").iterdir()) == [], "a lock goes with its holder"


COUNTING = """
import sys
from pathlib import Path
from quantunet.storage import locked, write_text
file = Path(sys.argv[1]) / "count"
for _ in range(50):
    with locked(file.with_name("lock")):
        write_text(file, str(int(file.read_text()) + 1))
"""


def test_processes_take_turns_at_a_lock_that_comes_and_goes(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    command = [sys.executable, "-c", COUNTING, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "150"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


WRITING = """
import sys
from pathlib import Path
from quantunet.storage import atomic_path
with atomic_path(Path(sys.argv[1]) / "x.bin") as file:
    file.unlink()
    file.write_bytes(b"half")
    print("writing", flush=True)
    sys.stdin.read()
    file.write_bytes(b"whole")
"""


def test_what_a_killed_writer_leaves_is_removed_by_the_next_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None and killed.stdout.readline() == b"writing\n"
        killed.send_signal(signal.SIGKILL)
    (leftover,) = tmp_path.iterdir()
    assert leftover.name.startswith(".x.bin.")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout is not None and living.stdout.readline() == b"writing\n"
        assert not leftover.exists()
        (place,) = tmp_path.iterdir()
        write_bytes(tmp_path / "y.bin", b"y")
        assert sorted(path.name for path in tmp_path.iterdir()) == [place.name, "y.bin"]
        living.communicate()
    assert living.returncode == 0
    assert (tmp_path / "x.bin").read_bytes() == b"whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.bin", "y.bin"]


def test_only_temporary_folders_are_removed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / ".a.quantunet").symlink_to(tmp_path / "kept")
    (tmp_path / ".b.quantunet").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / "c.quantunet").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / ".d.quantunet").mkdir()
    write_bytes(tmp_path / "x", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "x"])
    assert (tmp_path / "kept" / "file").exists()


def test_a_temporary_folder_goes_with_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), temporary_folder(tmp_path / ("n" * 255)) as folder:
        (folder / "file").touch()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    write_bytes(tmp_path / ("é" * 127), b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["é" * 127]


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError), locked(tmp_path / "file" / "lock"):
        pass
