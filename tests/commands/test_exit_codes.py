"""What a command's exit code says: 1 is a difference and nothing else, and no command ends in a traceback."""

from __future__ import annotations

import argparse
import concurrent.futures
import logging
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quantunet import cli, exit_codes
from quantunet.commands import zoo
from quantunet.errors import BoardError, FileFormatError, ModelError, QuantUNetError, StorageError

RUN = [sys.executable, "-m", "quantunet"]


def ending(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, str]:
    def run(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(zoo, "run", run)
    code = cli.main([*options, "zoo"])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ModelError("conv", expected="a", got="b"), 2, "conv: expected a, got b"),
        (
            ZeroDivisionError("division by zero"),
            3,
            "the program is at fault (ZeroDivisionError: division by zero); please",
        ),
        (KeyError("x\ny"), 3, "(KeyError: 'x\\ny'); please report this"),
        (ValueError("two\nlines"), 3, "(ValueError: two lines)"),
        (AssertionError(), 3, "(AssertionError); please report this"),
        (RecursionError("deep"), 3, "(RecursionError: deep)"),
        (ModuleNotFoundError("No module named 'nothing'", name="nothing"), 3, "(ModuleNotFoundError"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "pip install 'quantunet[model]'"),
        (
            MemoryError("Unable to allocate 16.0 TiB"),
            2,
            "expected enough memory, got none left (MemoryError: Unable to al",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 2, "expected enough memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), 2, "expected enough memory"),
        (RuntimeError("another"), 3, "(RuntimeError: another)"),
        (PermissionError(13, "Permission denied", "/some/file"), 2, "/some/file: expected a file, folder or device"),
        (OSError("no number"), 2, "got OSError: no number"),
        (BrokenPipeError(32, "Broken pipe"), 2, "got Broken pipe"),  # of a tool: the reader of the output is there
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_error_ends_with_its_code_and_one_sentence(
    error: BaseException, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, text = ending(error, monkeypatch, capsys)
    assert ended == code
    assert text.startswith("quantunet zoo: ")
    assert says in text
    assert text.count("\n") == 1, "one line"


def test_verbose_logs_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for options, level in (((), logging.WARNING), (("-v",), logging.INFO)):
        caplog.clear()
        with caplog.at_level(level):
            code, text = ending(ZeroDivisionError("zero"), monkeypatch, capsys, *options)
        assert code == exit_codes.FAULT
        assert ("Traceback" in caplog.text and "in run" in caplog.text) == bool(options)
        assert ("-v" in text) != bool(options)


def test_help_says_what_the_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["cosim", "--help"]):
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
        assert end.value.code == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "1 something was compared and differs" in text and "3 the program is at fault" in text


def run_with(stdout: int, *arguments: str) -> tuple[int, str]:
    with subprocess.Popen([*RUN, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        if process.stdout is not None:
            process.stdout.close()  # nobody reads, as behind a `head` that has enough
        text = process.stderr.read()
    return process.returncode, text


@pytest.mark.parametrize("arguments", [("zoo",), ("zoo", "--json"), ("--help",)])
def test_a_closed_pipe_is_no_complaint(arguments: tuple[str, ...]) -> None:
    code, text = run_with(subprocess.PIPE, *arguments)
    assert (code, text) in ((exit_codes.BROKEN_PIPE, ""), (0, "")), "help leaves such errors out"
    assert code == exit_codes.BROKEN_PIPE or arguments == ("--help",)


def test_a_full_device_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        code, text = run_with(full.fileno(), "zoo")
    assert code == 2
    assert "No space left on device" in text and "Traceback" not in text and text.count("\n") == 1


def test_a_name_that_is_no_text_is_printed(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.qun"
    done = subprocess.run([*RUN, "pack", "tiny", "--out", path], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"caf\\udce9.qun" in done.stdout


def _raise(error: Exception) -> None:
    raise error


def test_an_error_of_a_worker_keeps_its_type() -> None:
    errors: list[Exception] = [
        FileFormatError("file", expected="a", got="b", hint="c"),
        StorageError("file", expected="a", got="b"),
        BoardError("file", expected="a", got="b"),
        MemoryError("none"),
        OSError(28, "No space left on device", "file"),
        ZeroDivisionError("zero"),
    ]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        found = [pool.submit(_raise, error).exception() for error in errors]
    for error, again in zip(errors, found, strict=True):
        assert type(again) is type(error)
        assert str(again) == str(error)
        if isinstance(error, QuantUNetError):
            assert vars(again) == vars(error)


def test_messages_cut_long_texts_and_spell_control_characters() -> None:
    error = ModelError("a\x1b[2J\x9b\r", expected="x" * 100_000, got="two\nlines")
    assert str(error).startswith("a\\x1b[2J\\x9b\\x0d: expected xxx")
    assert str(error).endswith("…, got two\nlines")
    assert len(str(error)) < 4000
    assert str(ModelError("conv", expected="a name", got="")) == "conv: expected a name, got ''"


@pytest.mark.parametrize("failing", [exit_codes.SUCCESS, exit_codes.DIFFERENCE])
def test_a_code_of_a_command_is_passed_on(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Callable[[argparse.Namespace], int] = lambda args: failing  # noqa: E731
    monkeypatch.setattr(zoo, "run", run)
    assert cli.main(["zoo"]) == failing
