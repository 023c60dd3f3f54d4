"""The programs that are run as processes of their own: none outlives the work that it was started for.

Every program leads a process group, so that what it starts (the passes of a compiler, ABC) ends with it. A group is
ended when its time is up, when an error or an interrupt leaves the block of a :class:`Pool`, and when this process is
killed: a guard, a shell that waits for the end of a pipe which only this process holds, then kills what is registered.
A program begins only after it has been registered.

Programs need a POSIX system; what treats signals alone works on Windows too.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO

_WHEN_REGISTERED = 'read -r _ && exec "$@"'
"""Waits for a line, of which there is none if this process ends before; the rest is the program's input."""

_GUARD = """
trap '' HUP INT QUIT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that ask for an end, beside Ctrl-C's; Windows has no SIGHUP."""

_lock = threading.Lock()
_local = threading.local()


class StoppedError(Exception):
    """The pool that this thread works for has been stopped: nothing more is started."""


class Terminated(KeyboardInterrupt):
    """A signal that asks for an end, treated like Ctrl-C.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"ended by {signal.Signals(number).name}")


@dataclass(frozen=True)
class Outcome:
    """What a program left.

    Attributes:
        code: Its exit code; negative after a signal.
        stdout: What it printed, unless that went to a log.
        stderr: Likewise.
    """

    code: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def output(self) -> str:
        """Both streams as text."""
        return (self.stdout + self.stderr).decode(errors="replace")


class Pool(ThreadPoolExecutor):
    """Threads that run programs. An error or an interrupt that leaves the block ends the programs at once.

    The pools that its threads open belong to it.

    Args:
        workers: Threads.
    """

    def __init__(self, workers: int) -> None:
        self._outer: Pool | None = getattr(_local, "pool", None)
        self._stopped = False
        super().__init__(max(workers, 1), initializer=setattr, initargs=(_local, "pool", self))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None:
            self._stop()
        return super().__exit__(kind, error, trace)

    @property
    def stopped(self) -> bool:
        """Whether this pool, or one that it belongs to, has been stopped."""
        return self._stopped or (self._outer is not None and self._outer.stopped)

    def _stop(self) -> None:
        self._stopped = True
        self.shutdown(wait=False, cancel_futures=True)
        with _lock:
            for process, pool in _running.items():
                if pool is not None and pool.stopped:
                    _kill(process)


_running: dict[subprocess.Popen[bytes], Pool | None] = {}


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    data: bytes = b"",
    log: BinaryIO | None = None,
    timeout: float | None = None,
) -> Outcome:
    """Run a program to its end.

    Args:
        command: The program and its arguments. One that does not exist ends with code 127.
        cwd: Its working folder.
        env: Its environment; this process's own if left out.
        data: Its standard input.
        log: Where both of its output streams go; they are captured without one.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: It took longer than ``timeout``.
        StoppedError: The pool that this thread works for was stopped meanwhile.
        OSError: No process can be started.
    """
    pool: Pool | None = getattr(_local, "pool", None)
    words = ["/bin/sh", "-c", _WHEN_REGISTERED, "sh", *map(str, command)]
    streams = (subprocess.PIPE, subprocess.PIPE) if log is None else (log, subprocess.STDOUT)
    with _lock:
        if pool is not None and pool.stopped:
            raise StoppedError
        process = subprocess.Popen(
            words, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=streams[0], stderr=streams[1], start_new_session=True
        )
        _running[process] = pool
        _guard.tell("+", process.pid)
    with process:
        try:
            stdout, stderr = process.communicate(b"\n" + data, timeout)
        finally:
            _kill(process)
            process.wait()
            with _lock:
                del _running[process]
                _guard.tell("-", process.pid)
    if pool is not None and pool.stopped:
        raise StoppedError
    return Outcome(process.returncode, stdout or b"", stderr or b"")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that runs still, and all that it has started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


class _Guard:
    """The shell that kills what runs when this process has ended; the first program starts it."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None

    def tell(self, sign: str, group: int) -> None:
        """Register a process group with ``+``, or forget it with ``-``."""
        if self._shell is None or self._shell.poll() is not None:
            self._start()
        self._write(sign, group)

    def _start(self) -> None:
        self.close()
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            bufsize=0,
        )
        for process in _running:
            self._write("+", process.pid)

    def _write(self, sign: str, group: int) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._shell.stdin.write(f"{sign} {group}\n".encode())

    def close(self) -> None:
        """End it, and what is registered still."""
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.close()
            self._shell.wait()
            self._shell = None


_guard = _Guard()
close = _guard.close
"""End what is registered still; the interpreter's own end does it too."""

atexit.register(close)


@contextlib.contextmanager
def terminated_like_interrupt() -> Iterator[None]:
    """Let a request to end (SIGTERM, or SIGHUP of a terminal that closes) raise :class:`Terminated` in the block.

    It, and Ctrl-C, end a main thread that waits for others too, whichever thread the system gives the signal to. What
    is ignored, as SIGHUP under ``nohup``, stays so; outside of the main thread nothing changes.
    """
    seen = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        seen.set()
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    replaced = dict.fromkeys(ENDING, signal.SIG_DFL)
    changed = {}
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number, default in {**replaced, signal.SIGINT: signal.default_int_handler}.items():
                if signal.getsignal(number) == default:
                    changed[number] = signal.signal(number, end)
            stack.enter_context(_woken(seen, frozenset(changed)))
        try:
            yield
        finally:
            for number, before in changed.items():
                signal.signal(number, before)


@contextlib.contextmanager
def _woken(seen: threading.Event, numbers: frozenset[signal.Signals]) -> Iterator[None]:
    """Wake the main thread for one of the signals until ``seen`` is set.

    Python's handlers run in the main thread alone, but the system may give a signal to any thread: a main thread that
    waits for a lock would then hear of it when the lock is free, which is when all the work is done. Windows cannot
    wake a thread so.
    """
    if not hasattr(signal, "pthread_kill"):
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    main = threading.main_thread().ident

    def wake() -> None:
        while heard := os.read(reader, 1):
            while heard[0] in numbers and main is not None and not seen.wait(0.05):
                signal.pthread_kill(main, signal.SIGURG)

    before = signal.signal(signal.SIGURG, lambda number, frame: None)
    fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=wake, daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(fd)
        seen.set()
        os.close(writer)
        thread.join()
        os.close(reader)
        signal.signal(signal.SIGURG, before)


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a program that a signal has ended: 128 and its number."""
    return 128 + (interrupt.number if isinstance(interrupt, Terminated) else signal.SIGINT)
