"""Programs end with the work that they were started for, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from quantunet import processes
from quantunet.cli import main
from quantunet.commands import zoo
from quantunet.processes import Pool, StoppedError, run

FAMILY = "sleep 600 & echo $$ $! > {file}.new; mv {file}.new {file}; wait"
"""A program with a child of its own; the file tells both when they run."""


def family(file: Path) -> list[str]:
    return ["/bin/sh", "-c", FAMILY.format(file=file)]


def members(file: Path, seconds: float = 20) -> list[psutil.Process]:
    """Wait until the program and its child run, and return them."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < deadline, "it does not start"
        time.sleep(0.01)
    found = [psutil.Process(int(word)) for word in file.read_text().split()]
    assert len(found) == 2
    return found


def assert_gone(found: list[psutil.Process], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in found):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def script(text: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", text, *map(str, arguments)], stderr=subprocess.PIPE)


def test_a_program_gets_its_input_and_returns_what_it_prints(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000 + b"\nsecond line\n"
    outcome = run(["sh", "-c", "cat; echo said >&2; exit 3"], data=data)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (3, data, b"said\n")
    assert run(["cat"]).stdout == b""
    assert run(["sh", "-c", 'echo "$PWD $WORD"'], cwd=tmp_path, env={"WORD": "a  b"}).output == f"{tmp_path} a  b\n"
    assert run(["sh", "-c", "kill -SEGV $$"]).code == -signal.SIGSEGV
    assert run([tmp_path / "missing"]).code == 127
    with (tmp_path / "log").open("wb") as log:
        assert run(["sh", "-c", "echo out; echo err >&2"], log=log) == processes.Outcome(0)
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_a_program_that_is_not_registered_does_not_begin(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", processes._WHEN_REGISTERED, "sh", "touch", str(tmp_path / "begun")]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    assert not (tmp_path / "begun").exists()
    subprocess.run(command, input=b"\n", check=True)
    assert (tmp_path / "begun").exists()


def test_a_program_that_takes_too_long_ends_with_its_children(tmp_path: Path) -> None:
    with Pool(1) as pool:
        future = pool.submit(run, family(tmp_path / "ids"), timeout=2)
        found = members(tmp_path / "ids")
        assert isinstance(future.exception(), subprocess.TimeoutExpired)
    assert_gone(found)


KILLED = """
import sys
from pathlib import Path
from quantunet.processes import Pool, run
with Pool(2) as pool:
    for number in (1, 2):
        pool.submit(run, ["/bin/sh", "-c", sys.argv[number]])
"""


@pytest.mark.parametrize("group", [False, True], ids=["alone", "with its process group"])
def test_kill_9_leaves_no_program_behind(group: bool, tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    with script(KILLED, *(FAMILY.format(file=file) for file in files)) as parent:
        found = [process for file in files for process in members(file)]
        if group:
            for process in psutil.Process(parent.pid).children():
                assert os.getpgid(process.pid) != os.getpgid(parent.pid)
        parent.kill()
    assert_gone(found)


def test_the_guard_is_started_again(tmp_path: Path) -> None:
    run(["true"])
    first = processes._guard._shell
    assert first is not None
    first.kill()
    first.wait()
    run(["true"])
    assert processes._guard._shell is not first


def test_an_error_ends_what_a_pool_runs_and_what_its_threads_have_pools_for(tmp_path: Path) -> None:
    def nested() -> None:
        with Pool(1) as inner:
            inner.submit(run, family(tmp_path / "inner")).result()

    with pytest.raises(ZeroDivisionError), Pool(2) as pool:
        futures = [pool.submit(run, family(tmp_path / "outer")), pool.submit(nested), pool.submit(run, ["true"])]
        found = members(tmp_path / "outer") + members(tmp_path / "inner")
        raise ZeroDivisionError  # the end of the block waits for what still runs: without an end, ten minutes
    assert_gone(found)
    assert isinstance(futures[0].exception(), StoppedError)
    assert isinstance(futures[1].exception(), StoppedError)
    assert futures[2].cancelled()
    assert run(["true"]).code == 0, "others go on"


def test_a_pool_that_is_stopped_starts_nothing_more(tmp_path: Path) -> None:
    def late() -> None:
        deadline = time.monotonic() + 5
        while not pool.stopped and time.monotonic() < deadline:
            time.sleep(0.01)
        run(["touch", tmp_path / "late"])

    with pytest.raises(ZeroDivisionError), Pool(1) as pool:
        future = pool.submit(late)
        raise ZeroDivisionError
    assert isinstance(future.exception(), StoppedError)
    assert not (tmp_path / "late").exists()


SIGNALLED = """
import signal
import sys
from quantunet.cli import main
from quantunet.commands import zoo
from quantunet.processes import Pool, run
from quantunet.storage import atomic_path
from pathlib import Path

def work(args):
    with atomic_path(Path(sys.argv[2]) / "result") as file, Pool(1) as pool:
        pool.submit(run, ["/bin/sh", "-c", sys.argv[1]]).result()

zoo.run = work
# The tests themselves may run under nohup.
signal.signal(signal.SIGHUP, signal.SIG_IGN if len(sys.argv) > 3 else signal.SIG_DFL)
sys.exit(main(["zoo"]))
"""


@pytest.mark.parametrize(("number", "said"), [(signal.SIGTERM, "ended by SIGTERM"), (signal.SIGINT, "interrupted")])
def test_a_signal_ends_a_command_with_one_sentence(number: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with script(SIGNALLED, FAMILY.format(file=tmp_path / "ids"), tmp_path / "out") as parent:
        found = members(tmp_path / "ids")
        parent.send_signal(number)
        _, errors = parent.communicate(timeout=60)  # what it runs sleeps for ten minutes
    assert (parent.returncode, errors.decode()) == (128 + number, f"quantunet zoo: {said}\n")
    assert_gone(found, 0)
    assert list((tmp_path / "out").iterdir()) == []


ELSEWHERE = """
import signal
import sys
import threading
import time
from quantunet.cli import main
from quantunet.commands import zoo
from quantunet.processes import Pool, run

def signal_here(number):
    time.sleep(0.5)  # until the main thread waits
    signal.pthread_kill(threading.get_ident(), number)

def work(args):
    with Pool(2) as pool:
        running = pool.submit(run, ["/bin/sh", "-c", sys.argv[1]])
        pool.submit(signal_here, int(sys.argv[2]))
        running.result()

zoo.run = work
sys.exit(main(["zoo"]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_thread_gets_ends_a_waiting_command(number: int, tmp_path: Path) -> None:
    with script(ELSEWHERE, f"sleep 60; touch {tmp_path / 'ended'}", int(number)) as parent:
        _, errors = parent.communicate()
    assert (parent.returncode, errors.decode().count("\n")) == (128 + number, 1)
    assert not (tmp_path / "ended").exists(), "it waited for the program's own end"


def test_a_terminal_that_closes_ends_a_command_unless_it_is_ignored(tmp_path: Path) -> None:
    command = FAMILY.format(file=tmp_path / "ids")
    with script(SIGNALLED, command, tmp_path) as parent:
        found = members(tmp_path / "ids")
        parent.send_signal(signal.SIGHUP)
        parent.communicate()
    assert parent.returncode == 128 + signal.SIGHUP
    assert_gone(found, 0)
    (tmp_path / "ids").unlink()
    with script(SIGNALLED, command, tmp_path, "ignored") as parent:
        found = members(tmp_path / "ids")
        parent.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert parent.poll() is None
        parent.terminate()
        parent.communicate()
    assert parent.returncode == 128 + signal.SIGTERM
    assert_gone(found, 0)


def test_the_signal_handlers_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []
    monkeypatch.setattr(zoo, "run", lambda args: seen.append(signal.getsignal(signal.SIGTERM)) or 0)
    assert main(["zoo"]) == 0
    assert len(seen) == 1 and seen[0] != before
    assert signal.getsignal(signal.SIGTERM) == before
