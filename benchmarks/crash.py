"""What is left of a command that is killed, and whether the same command then gives what it gives undisturbed.

``python -m benchmarks.crash [COMMAND...]`` runs each command in a folder of its own: once undisturbed, then with
SIGKILL at three moments, SIGTERM and SIGINT, and to its end. It prints a row for each: exit code, seconds to the end,
processes that go on, temporary files before and after the last run, and whether the results are equal. The exit code is
1 where something is wrong.
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

from quantunet import exit_codes
from quantunet.cache import MANIFEST
from quantunet.graph_file import to_json
from quantunet.random_network import random_unet

SURVIVAL = 2.0
"""Seconds after the end of a command in which what it started must have ended."""

_UNSTABLE = {
    "seconds",
    "cpu_seconds",
    "cached",
    "hours",
    "date",
    "started",
    "memory_mib",
    "images_per_second",
    "options",
    "provenance",
}
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_SHARES = (0.25, 0.5, 0.75, 0.5, 0.5)


@dataclass(frozen=True)
class Command:
    """A command of ``quantunet`` that is killed.

    Attributes:
        words: Its arguments; results go to the folder ``out`` of the working folder.
        resume: More arguments of the run after a signal.
        prepare: Makes its input in the working folder.
        chained: Whether all signals come to one folder, in which each run goes on with what the ones before it have
            built, a fifth of the time further each, and only the last run is undisturbed.
    """

    words: tuple[str, ...]
    resume: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda folder: None
    chained: bool = False


def _sweep(folder: Path) -> None:
    folder.joinpath("sweep.toml").write_text(
        '[study.quick]\ndata = "phantoms"\npreset = "tiny"\nbits = ["learned", 3]\nfloat_epochs = 1\nqat_epochs = 1\n'
        "tune_epochs = 1\nbatch_size = 128\n",
        encoding="utf-8",
    )


def _small(folder: Path) -> None:
    folder.joinpath("small.json").write_text(to_json(random_unet(base=1, depth=1, size=4)), encoding="utf-8")


_EPOCHS = ("--float-epochs", "1", "--qat-epochs", "2", "--tune-epochs", "1", "--phantoms", "256", "--threads", "1")
COMMANDS = {
    "cosim": Command(("cosim", "tiny", "--layers", "skip0_requant", "--out", "out"), chained=True),
    "hls_synth": Command(("hls_synth", "tiny", "--layers", "enc0_conv0,head", "--out", "out"), chained=True),
    "bitstream": Command(("bitstream", "small.json", "--out", "out"), (), _small, chained=True),
    "fifos": Command(("fifos", "tiny", "--simulate", "--out", "out"), chained=True),
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
        if path.name == MANIFEST:
            continue  # compilers do not write the same bytes twice
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


def finished(command: Command, folder: Path, *more: str) -> int:
    """Run a command to its end and return its exit code."""
    process = started(command, folder, *more)
    try:
        return process.wait()
    finally:
        process.kill()


def disturbed(command: Command, folder: Path, number: int, moment: float) -> tuple[list[str], float, int]:
    """Start a command, send it a signal, and return what goes on, the seconds to its end and its exit code."""
    process = started(command, folder)
    try:
        time.sleep(moment)
        process.send_signal(number)
        begin = time.monotonic()
        code = process.wait()
        seconds = time.monotonic() - begin
    finally:
        process.kill()
    deadline = time.monotonic() + SURVIVAL
    while (found := survivors(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found, seconds, code


def _fresh(command: Command, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command.prepare(folder)
    return folder


def crash(name: str, folder: Path, console: Console) -> int:
    """Run one command undisturbed and with every signal, print a row for each, and return how many are wrong."""
    command = COMMANDS[name]
    _fresh(command, folder)
    begin = time.monotonic()
    code = finished(command, folder)
    whole = time.monotonic() - begin
    expected = results(folder / "out")
    _say(console, f"{name}: code {code}, {whole:.1f} s, {len(expected)} results, left: {litter(folder) or 'nothing'}")
    if code or not expected:
        _say(console, (folder / "log").read_text(errors="replace")[-2000:])
        return 1
    wrong = 0
    for index, number in enumerate(_SIGNALS):
        if not command.chained or index == 0:
            _fresh(command, folder)
        moment = whole * (0.2 if command.chained else _SHARES[index])
        alive, seconds, code = disturbed(command, folder, number, moment)
        row = f"{name} {signal.Signals(number).name} after {moment:.0f} s: code {code} in {seconds:.1f} s, "
        row += f"survivors: {', '.join(alive) or 'none'}, temporaries: {len(litter(folder))}"
        if not command.chained or index == len(_SIGNALS) - 1:
            code = finished(command, folder, *command.resume)
            stays, equal = litter(folder), results(folder / "out") == expected
            row += f"; run again: code {code}, left: {stays or 'nothing'}, {'equal' if equal else 'DIFFERENT'}"
            wrong += bool(code or stays or not equal)
        _say(console, row)
        wrong += bool(alive)
    return wrong


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Kill the commands and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"out of {', '.join(COMMANDS)} (default: all)")
    names = parser.parse_args(argv).commands or list(COMMANDS)
    with tempfile.TemporaryDirectory(prefix="quantunet-crash-") as place:
        wrong = sum(crash(name, Path(place).resolve() / name, Console()) for name in names)
    return exit_codes.DIFFERENCE if wrong else exit_codes.SUCCESS


if __name__ == "__main__":
    sys.exit(main())
