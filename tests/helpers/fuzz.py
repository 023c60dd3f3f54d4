"""Give every reader damaged files: ``nox -s fuzz -- --count 5000 --seed 1 --reader qun``.

A file must be refused with a typed error, or accepted as an object that is whole. Everything else is a fault: another
exception, a minute of work without an answer, a process that dies, a warning, a file written while reading. The files
of one seed are always the same ones; a fault names its number, and ``--first NUMBER --count 1`` repeats it alone.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers.readers import READERS, Reader
from rich.console import Console
from rich.table import Table

from quantunet.errors import QuantUNetError

SECONDS = 60
"""The time that one file may take, of the processor."""

MEMORY = 1 << 30
"""The memory that one process may take, on top of the address space of its modules."""

_CHUNK = 1000  # files of one process
_SHOWN = 12
_ENOUGH = 500  # faults, after which no further process is started
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_EVENTS = ("os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.system", "os.exec", "subprocess.Popen",
           "socket.connect", "pickle.find_class")  # fmt: skip


@dataclass
class Outcome:
    """What became of some damaged files of one reader.

    Attributes:
        files: How many were read.
        accepted: How many gave an object, which was whole.
        refused: How many ended in a typed error.
        faults: Number and description of every other one.
        mebibytes: The most memory of a process.
        seconds: Time.
    """

    files: int = 0
    accepted: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    mebibytes: int = 0
    seconds: float = 0.0

    def add(self, other: Outcome) -> None:
        """Count another outcome too."""
        self.files += other.files
        self.accepted += other.accepted
        self.refused += other.refused
        self.faults += other.faults
        self.mebibytes = max(self.mebibytes, other.mebibytes)
        self.seconds += other.seconds

    @property
    def passed(self) -> bool:
        """Whether files were read, some of them refused, none a fault, and the memory was not exceeded."""
        whole = self.files == self.accepted + self.refused > 0
        return whole and self.refused > 0 and not self.faults and self.mebibytes << 20 <= MEMORY


class _Watch:
    """An audit hook that notes what a reader does beside reading; hooks stay, so that there is one."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & _WRITING
            if writes and path != os.devnull and not str(path).endswith(".pyc"):
                self.seen.append(f"{event} {path!r} {mode}")
        elif event in _EVENTS:
            self.seen.append(f"{event} {str(arguments)[:200]}")

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        self.on, self.seen = True, []
        try:
            yield
        finally:
            self.on = False


_WATCH: _Watch | None = None


def _watch() -> _Watch:
    global _WATCH
    _WATCH = _WATCH or _Watch()
    return _WATCH


def run(reader: Reader, count: int, seed: int, folder: Path, first: int = 0) -> Outcome:
    """Read damaged files in this process.

    Args:
        reader: Whose.
        count: How many.
        seed: Of the generator.
        folder: An empty folder to work in; nothing may appear beside it.
        first: Number of the first file.
    """
    begin = time.monotonic()
    whole, work = folder / "whole", folder / "work"
    whole.mkdir(parents=True)
    work.mkdir()
    sources = reader.make(whole)
    for source in sources:
        try:
            reader.read(source)()  # imports what it needs, and shows that the file is whole
        except QuantUNetError:
            if source.suffix == reader.suffix and source == sources[0]:
                raise
    contents = [source.read_bytes() for source in sources]
    outcome = Outcome()
    for number in range(first, first + count):
        rng = random.Random(f"{seed}:{reader.suffix}:{number}")
        which = rng.randrange(len(contents))
        data = reader.damage(contents[which], rng)
        path = work / f"damaged{sources[which].suffix}"
        path.write_bytes(data)
        (folder / "number").write_text(str(number))
        _one(reader, path, number, outcome)
    extra = {entry.name for entry in folder.iterdir()} - {"whole", "work", "number"}
    if extra:
        outcome.faults.append(f"beside the working folder: {', '.join(sorted(extra))}")
    outcome.seconds = time.monotonic() - begin
    return outcome


def _one(reader: Reader, path: Path, number: int, outcome: Outcome) -> None:
    outcome.files += 1
    watch = _watch()
    allowed = str(path.parent)
    try:
        if signal.getsignal(signal.SIGPROF) is _too_long:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
        with watch(), warnings.catch_warnings():
            warnings.simplefilter("error")
            check = reader.read(path)
        check()
        outcome.accepted += 1
    except QuantUNetError as error:
        outcome.refused += 1
        text = str(error)
        if not error.where or not error.expected or text.endswith("got ") or len(text) > 7000:
            outcome.faults.append(f"{number}: the error {text[:200]!r}")
    except (Exception, _TooLongError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = next((f for f in reversed(frames) if "helpers" not in f.filename), frames[-1])
        where = f"{Path(place.filename).name}:{place.lineno}"
        outcome.faults.append(f"{number}: {type(error).__name__} at {where}: {' '.join(str(error).split())[:160]}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    outcome.faults += [f"{number}: {event}" for event in watch.seen if allowed not in event]


def _worker(name: str, count: int, seed: int, folder: Path, first: int) -> None:
    """Run in a process of its own, with an end of memory and of time."""
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as other:
        run(reader, 1, seed, Path(other) / "warm", first)  # the modules are loaded, and count no more
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    signal.signal(signal.SIGPROF, _too_long)
    outcome = run(reader, count, seed, folder, first)
    status = Path("/proc/self/status").read_text()
    outcome.mebibytes = next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM"))
    sys.stdout.write(json.dumps(dataclasses.asdict(outcome)) + "\n")


class _TooLongError(BaseException):
    """No reader can take it for an error of its file."""


def _too_long(*_: object) -> None:
    raise _TooLongError


def fuzz(name: str, count: int, seed: int, first: int = 0) -> Outcome:
    """Read damaged files in processes of their own; one that dies is a fault, and the next goes on behind it."""
    total = Outcome()
    at, end = first, first + count
    while at < end and len(total.faults) < _ENOUGH:
        some = min(_CHUNK, end - at)
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root) / "fuzz"
            command = [sys.executable, "-m", "helpers.fuzz", "--worker", str(folder), "--reader", name]
            command += ["--first", str(at), "--count", str(some), "--seed", str(seed)]
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=environment, cwd=root,
            )  # fmt: skip
            beside = {entry.name for entry in Path(root).iterdir()} - {"fuzz"}
            total.faults += [f"beside the working folder: {name}" for name in beside]
            if done.returncode == 0:
                total.add(Outcome(**json.loads(done.stdout.splitlines()[-1])))
                at += some
                continue
            note = folder / "number"
            noted = note.read_text() if note.is_file() else ""
            number = int(noted) if noted else at
            why = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
            total.faults.append(f"{number}: the process died: {why[:200]}")
            total.files += number - at + 1
            at = number + 1
    return total


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="files for each reader (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the generator (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first file (default: %(default)s)")
    parser.add_argument("--reader", action="append", choices=tuple(READERS), help="these readers alone")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    names = args.reader or list(READERS)
    if args.worker is not None:
        _worker(names[0], args.count, args.seed, args.worker, args.first)
        return 0
    table = Table(title=f"damaged files, seed {args.seed}", title_justify="left")
    table.add_column("reader")
    for head in ("files", "accepted", "refused", "faults", "peak MiB", "s"):
        table.add_column(head, justify="right")
    console, passed = Console(width=160), True
    for name in names:
        outcome = fuzz(name, args.count, args.seed, args.first)
        counts = (outcome.files, outcome.accepted, outcome.refused, len(outcome.faults), outcome.mebibytes)
        row = (name, *(str(count) for count in counts), f"{outcome.seconds:.0f}")
        table.add_row(*row)
        console.print("  ".join(row), highlight=False)
        for fault in outcome.faults[:_SHOWN]:
            console.print(f"{name} {fault}", style="red", highlight=False, markup=False, soft_wrap=True)
        passed &= outcome.passed
    console.print(table)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
