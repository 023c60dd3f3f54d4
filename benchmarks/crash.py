"""What is left of a command that is killed, and whether the same command then gives what it gives undisturbed.

``python -m benchmarks.crash [COMMAND...]`` runs each command in a folder of its own: once undisturbed, then with each
signal at each moment, and once more to its end. It prints a row for each: processes that go on, hidden files left after
the second run, seconds to the end, exit code, and whether the results are equal. The exit code is 1 where one is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

SURVIVAL = 2.0
"""Seconds after the end of a command in which what it started must have ended."""

_UNSTABLE = {
    "seconds",
    "cached",
    "hours",
    "date",
    "started",
    "memory_mib",
    "images_per_second",
    "options",
    "provenance",
}
_KILLS = (
    (signal.SIGKILL, 0.25),
    (signal.SIGKILL, 0.5),
    (signal.SIGKILL, 0.75),
    (signal.SIGTERM, 0.5),
    (signal.SIGINT, 0.5),
)


@dataclass(frozen=True)
class Command:
    """A command of ``quantunet`` that is killed.

    Attributes:
        words: Its arguments; results go to the folder ``out`` of the working folder.
        resume: More arguments of the second run.
        prepare: Makes its input in the working folder.
    """

    words: tuple[str, ...]
    resume: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda folder: None


def _sweep(folder: Path) -> None:
    folder.joinpath("sweep.toml").write_text(
        '[study.quick]\ndata = "phantoms"\npreset = "tiny"\nbits = ["learned", 3]\nfloat_epochs = 1\nqat_epochs = 1\n'
        "tune_epochs = 1\nbatch_size = 128\n",
        encoding="utf-8",
    )


_EPOCHS = ("--float-epochs", "1", "--qat-epochs", "2", "--tune-epochs", "1", "--phantoms", "256", "--threads", "1")
COMMANDS = {
    "cosim": Command(("cosim", "--model", "tiny", "--layers", "skip0_requant", "--build", "out")),
    "hls_synth": Command(("hls_synth", "--model", "tiny", "--layer", "enc0_conv0,head", "--out", "out")),
    "fifos": Command(("fifos", "tiny", "--simulate", "--build", "out")),
    "fold": Command(("fold", "wearable", "--board", "ulx3s_85f", "--out", "out/folding.json")),
    "train": Command(("train", "tiny", "--data", "phantoms", "--out", "out", *_EPOCHS), ("--resume",)),
    "evaluate": Command(("evaluate", "tiny", "--data", "phantoms", "--phantoms", "2048", "--out", "out")),
    "sweep": Command(("sweep", "sweep.toml", "--results", "out", "--out", "out/runs", "--jobs", "2"), (), _sweep),
}


def results(folder: Path) -> dict[str, str]:
    """Return the digest of every result of a command, without times: JSON, CSV, pictures and networks."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix in (".json", ".csv", ".png", ".onnx") and not any(part in name for part in ("cache", "builds")):
            found[name] = hashlib.sha256(_stable(path)).hexdigest()
    return found


def _stable(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".json":
        return json.dumps(_without_times(json.loads(data)), sort_keys=True).encode()
    if path.suffix == ".csv":
        rows = [line.split(",") for line in data.decode().splitlines()]
        kept = [index for index, name in enumerate(rows[0]) if name not in _UNSTABLE]
        return "\n".join(",".join(row[index] for index in kept if index < len(row)) for row in rows).encode()
    return data


def _without_times(value: Any) -> Any:  # noqa: ANN401 whatever JSON holds
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in _UNSTABLE}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


def started(command: Command, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a command in a folder, which also gets all temporary files and caches."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "home")}
    words = [sys.executable, "-m", "quantunet", *command.words, *more]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def survivors(folder: Path) -> list[str]:
    """Return the processes that work in a folder or were started for it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and (
                process.environ().get("XDG_CACHE_HOME") == str(folder / "home")
            ):
                found.append(process.name())
    return found


def litter(folder: Path) -> list[str]:
    """Return what no run should leave: hidden files, locks, and temporary files."""
    hidden = [path for path in folder.rglob(".*") if path.name != ".matplotlib"]
    return [str(path.relative_to(folder)) for path in (*hidden, *(folder / "tmp").iterdir())]


def disturbed(command: Command, folder: Path, number: int, moment: float) -> tuple[list[str], float, int]:
    """Start a command, send it a signal, and return what goes on, the seconds to its end and its exit code."""
    process = started(command, folder)
    time.sleep(moment)
    process.send_signal(number)
    begin = time.monotonic()
    code = process.wait()
    seconds = time.monotonic() - begin
    deadline = time.monotonic() + SURVIVAL
    while (found := survivors(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found, seconds, code


def _fresh(command: Command, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command.prepare(folder)
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    """Kill the commands and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"out of {', '.join(COMMANDS)} (default: all)")
    names = parser.parse_args(argv).commands or list(COMMANDS)
    console = Console(width=160)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="quantunet-crash-") as place:
        for name in names:
            command = COMMANDS[name]
            folder = _fresh(command, Path(place).resolve() / name)
            begin = time.monotonic()
            if started(command, folder).wait():
                console.print((folder / "log").read_text(errors="replace")[-2000:], markup=False)
                return 1
            whole = time.monotonic() - begin
            expected = results(folder / "out")
            console.print(f"{name}: {whole:.1f} s, {len(expected)} results, litter {litter(folder)}", markup=False)
            for number, share in _KILLS:
                folder = _fresh(command, folder)
                alive, seconds, code = disturbed(command, folder, number, share * whole)
                left = litter(folder)
                again = started(command, folder, *command.resume).wait()
                equal = again == 0 and bool(expected) and results(folder / "out") == expected
                stays = litter(folder)
                wrong += bool(alive or stays or not equal)
                console.print(
                    f"{name} {signal.Signals(number).name} at {share:.0%}: code {code} after {seconds:.1f} s, "
                    f"survivors {alive or 'none'}, {len(left)} temporaries, after the second run {stays or 'none'}, "
                    f"results {'equal' if equal else 'DIFFERENT'}",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
