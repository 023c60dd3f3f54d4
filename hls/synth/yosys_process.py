"""A process that runs Yosys on one file and writes another: a crash or a time limit concerns this file alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from quantunet.errors import StorageError, ToolFailedError
from quantunet.hls.synth import yosys
from quantunet.processes import run
from quantunet.storage import temporary_folder

OUT = "out"
"""Key of a job for the file that the process has to write."""

_LINES = 15


def write(module: str, job: Mapping[str, object], target: Path, *, what: str, cwd: Path | None, limit: float) -> None:
    """Run ``python -m module job.json``; the file that it writes replaces the target when it is whole.

    Args:
        module: The module whose ``main`` reads the job.
        job: What it is given, beside :data:`OUT`.
        target: The file that is wanted.
        what: What that is, for error messages.
        cwd: Working directory of the process; its own folder for temporary files if left out.
        limit: Seconds that it may take.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long; holds the end of its output.
        StorageError: A file cannot be written.
    """
    yosys.version()
    try:
        with temporary_folder(target) as folder:
            scratch = folder.resolve()
            job_file, out, log = scratch / "job.json", scratch / "made", scratch / "yosys.log"
            job_file.write_text(json.dumps({**job, OUT: str(out)}), encoding="utf-8")
            command = [sys.executable, "-m", module, str(job_file)]
            try:
                with log.open("wb") as file:
                    environment = {**os.environ, "TMPDIR": str(scratch)}
                    code = run(command, cwd=cwd or scratch, env=environment, log=file, timeout=limit).code
            except subprocess.TimeoutExpired as error:
                raise ToolFailedError(
                    str(target), expected=f"{what} within {limit:g} s", got="none", hint="Give it more time."
                ) from error
            if code or not out.is_file():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise ToolFailedError(
                    str(target), expected=what, got=f"exit code {code}:\n" + "\n".join(lines[-_LINES:])
                )
            out.replace(target)
    except OSError as error:
        raise StorageError(str(target), expected="a file that can be written", got=str(error)) from error
