"""What takes seconds is named on a terminal, and leaves no trace in a file or a pipe."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from quantunet.cli import main
from quantunet.commands import _working
from quantunet.commands._working import working
from quantunet.commands.train import CALIBRATION, Monitor, make_progress
from quantunet.errors import StorageError
from quantunet.model import executor
from quantunet.model.config import PRESETS, TrainConfig
from quantunet.model.training_log import EpochReport


class Terminal(io.StringIO):
    """A standard error that says that it is a terminal."""

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        """Return what was written, without control sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard error a terminal; in the test itself, as pytest sets it before each phase."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return found


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that fills with what is told; a terminal shows what stands for a tenth of a second."""
    told: list[str] = []

    class Status(nullcontext[Any]):
        update = staticmethod(told.append)

        def __init__(self, text: str) -> None:
            super().__init__(self)
            told.append(text)

    class Recorder:
        def __init__(self, *, stderr: bool) -> None:
            assert stderr, "standard output is for results"

        def status(self, text: str, **_: object) -> Status:
            return Status(text)

    monkeypatch.setattr(_working, "Console", Recorder)
    return told


def test_a_wait_is_named_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with working("loading it") as tell:
        time.sleep(0.5)
        tell("reading it")
        time.sleep(0.5)
    assert "loading it" in terminal.text() and "reading it" in terminal.text()
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    with working("loading it") as tell:
        tell("reading it")
    assert file.getvalue().strip() == ""


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("fold tiny --interval 20000 --json", ("loading the solver", "reading tiny", "looking for the best folding")),
        ("zoo --json", ("reading tiny", "reading wearable")),
        ("fits tiny --devices LFE5U-25F --json", ("loading the solver",)),
        ("evaluate tiny --data phantoms --phantoms 8 --out out", ("reading the data", "scoring")),
    ],
)
def test_a_command_names_its_waits(
    words: str, names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recorded(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 0
    for name in names:
        assert [text for text in told if text.startswith(name)], told


def test_a_scheduler_that_is_waited_for_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = recorded(monkeypatch)

    @contextmanager
    def dead(*_: object) -> Iterator[None]:
        raise StorageError("scheduler", expected="one that answers", got="silence")
        yield

    monkeypatch.setattr(executor, "executor", dead)
    file = tmp_path / "sweep.toml"
    file.write_text('[study.one]\ndata = "phantoms"\npreset = "tiny"\n')
    assert main(["sweep", str(file), "--scheduler", "tcp://nowhere:1", "--out", str(tmp_path / "out")]) == 2
    assert told == ["loading torch", "waiting for the scheduler at tcp://nowhere:1 and for a worker of it"]


def epoch(phase: str, number: int, epochs: int, *, best: bool) -> EpochReport:
    return EpochReport(phase, number, epochs, 1.0, 0.5, 8.0, best, 1.0, {}, {}, "")  # type: ignore[arg-type]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_comes_behind_an_epoch_is_named(is_terminal: bool) -> None:
    def monitored(config: TrainConfig) -> tuple[Monitor, io.StringIO]:
        file = io.StringIO()
        console = Console(file=file, force_terminal=is_terminal, width=100)
        progress = make_progress(console)
        return Monitor(progress, progress.add_task("", total=1, status=""), console, config), file

    def shown(monitor: Monitor) -> str:
        return monitor.progress.tasks[0].description

    config = TrainConfig(preset="tiny", patience=2)
    assert config.unet == PRESETS["tiny"]
    monitor, file = monitored(config)
    monitor.on_batch("float", 0, 1, 2)
    assert shown(monitor) == "float 1"
    monitor.on_batch("float", 0, 2, 2)
    assert shown(monitor) == "float 1: validation"
    monitor.on_epoch(epoch("float", 1, 9, best=True))
    monitor.on_epoch(epoch("float", 2, 9, best=False))
    assert shown(monitor) == "float 1: validation"
    monitor.on_epoch(epoch("float", 3, 9, best=False))
    assert shown(monitor) == CALIBRATION, "the float phase has ended early"
    assert (CALIBRATION in file.getvalue()) == (not is_terminal), "a log has the line"
    monitor.on_batch("qat", 0, 1, 2)
    assert shown(monitor) == "qat 1"
    monitor, _ = monitored(config)
    monitor.on_epoch(epoch("float", 9, 9, best=True))
    assert shown(monitor) == CALIBRATION
    for phase, bits in (("float", "float"), ("qat", "learned"), ("tune", "learned")):
        monitor, file = monitored(TrainConfig(preset="tiny", bits=bits))  # type: ignore[arg-type]
        monitor.on_epoch(epoch(phase, 9, 9, best=True))
        assert shown(monitor) == "" and CALIBRATION not in file.getvalue()
