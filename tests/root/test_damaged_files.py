"""Every reader refuses damaged files with a typed error, or what it accepts is whole; `nox -s fuzz` reads more."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import fuzz
from helpers.readers import READERS, Check

from quantunet.errors import FileFormatError

COUNT = 150


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_refused_or_whole(tmp_path: Path, name: str) -> None:
    if name == "checkpoint":
        pytest.importorskip("torch")
    outcome = fuzz.run(READERS[name], COUNT, seed=0, folder=tmp_path)
    assert outcome.faults == []
    assert outcome.files == COUNT
    assert outcome.refused > COUNT // 4, "the generator damages too little"
    assert outcome.accepted > 0, "every file is stopped by the first check"


def outcome_of(tmp_path: Path, read: Callable[[Path], Check]) -> fuzz.Outcome:
    def reading(path: Path) -> Check:
        return read(path) if path.parent.name == "work" else (lambda: None)

    reader = dataclasses.replace(READERS["folding"], read=reading)
    return fuzz.run(reader, 4, seed=0, folder=tmp_path)


def refuse(path: Path) -> Check:
    raise FileFormatError(str(path), expected="a file", got="damage")


def test_a_reader_that_refuses_everything_has_no_fault(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, refuse)
    assert (outcome.refused, outcome.faults, outcome.passed) == (4, [], True)


def _value_error(path: Path) -> Check:
    return lambda: None if int(path.name) else None


def _warning(path: Path) -> Check:
    warnings.warn("odd", UserWarning, stacklevel=1)
    return lambda: None


def _writing(path: Path) -> Check:
    (path.parents[1] / "beside").write_text("written")
    return refuse(path)


def _folder(path: Path) -> Check:
    (path.parents[1] / "folder").mkdir(exist_ok=True)
    return refuse(path)


def _not_whole(path: Path) -> Check:
    def check() -> None:
        raise AssertionError("not whole")

    return check


def _says_nothing(path: Path) -> Check:
    raise FileFormatError("", expected="a file", got="damage")


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (_value_error, "ValueError"),
        (_warning, "UserWarning"),
        (_writing, "beside"),
        (_folder, "folder"),
        (_not_whole, "AssertionError"),
        (_says_nothing, "the error"),
    ],
)
def test_every_fault_of_a_reader_is_seen(tmp_path: Path, read: Callable[[Path], Check], fault: str) -> None:
    outcome = outcome_of(tmp_path, read)
    assert len(outcome.faults) >= 4
    assert any(fault in text for text in outcome.faults)
    assert not outcome.passed


def _endless(path: Path) -> Check:
    while True:
        with contextlib.suppress(Exception):
            sum(range(1000))


def test_a_reader_without_an_end_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "SECONDS", 0.1)
    before = signal.signal(signal.SIGPROF, fuzz._too_long)
    try:
        outcome = outcome_of(tmp_path, _endless)
    finally:
        signal.signal(signal.SIGPROF, before)
    assert len(outcome.faults) == 4
    assert all("TooLong" in fault for fault in outcome.faults)


def test_a_process_that_dies_or_takes_too_much_memory_is_seen() -> None:
    assert not fuzz.Outcome(files=1, refused=1, mebibytes=1025).passed
    assert not fuzz.Outcome(files=1, accepted=1).passed, "nothing was refused"
    assert not fuzz.Outcome(files=2, refused=1).passed
    assert fuzz.Outcome(files=1, refused=1, mebibytes=1024).passed


def test_a_number_names_the_same_file_again(tmp_path: Path) -> None:
    read: list[bytes] = []

    def keep(path: Path) -> Check:
        read.append(path.read_bytes())
        return refuse(path)

    outcome_of(tmp_path / "all", keep)
    reader = dataclasses.replace(READERS["folding"], read=lambda path: keep(path) if "damaged" in path.name else int)
    fuzz.run(reader, 1, seed=0, folder=tmp_path / "one", first=2)
    assert len(read) == 5
    assert read[4] == read[2] != read[3]
