"""An IP as one module of plain Verilog, made by Yosys, for tools that read no SystemVerilog."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from quantunet.errors import StorageError, ToolFailedError
from quantunet.hls.ip.core import Ip
from quantunet.hls.synth import yosys
from quantunet.processes import run

TIME_LIMIT = 3600.0
"""Seconds that Yosys may take."""

_LOG_LINES = 15


def file_of(ip: Ip) -> str:
    """Return the path of the form in plain Verilog in the IP's folder."""
    return f"verilog/{ip.name}.v"


def write(ip: Ip, folder: Path, *, time_limit: float = TIME_LIMIT) -> str:
    """Write the whole IP as one module of Verilog-2001 with what its memories hold.

    Args:
        ip: The IP.
        folder: Where it stands.
        time_limit: Seconds that Yosys may take.

    Returns:
        The file's path in the folder.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: It failed or took too long.
        StorageError: The file cannot be written.
    """
    yosys.version()
    name = file_of(ip)
    try:
        (folder / name).parent.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(
            str(folder / name), expected="a place that can be written", got=error.strerror or str(error)
        ) from error
    command = [sys.executable, "-m", "quantunet.hls.ip.verilog_worker", ip.name, name, *ip.sources]
    try:
        outcome = run(command, cwd=folder, timeout=time_limit)
    except subprocess.TimeoutExpired as error:
        raise ToolFailedError(
            "Yosys", expected=f"plain Verilog of {ip.name} within {time_limit:g} s", got="none"
        ) from error
    if outcome.code or not (folder / name).is_file():
        lines = [line for line in outcome.output.splitlines() if line.strip()]
        raise ToolFailedError(
            "Yosys",
            expected=f"plain Verilog of {ip.name}",
            got=f"exit code {outcome.code}:\n" + "\n".join(lines[-_LOG_LINES:]),
        )
    return name
