"""The process that runs a program and says what it took: ``python -m quantunet.hls.bitstream.measure FILE PROGRAM …``.

The system counts the memory of a process' children together, so that only a process of its own knows that of one
program. The file is JSON with ``code``, ``seconds``, ``cpu_seconds`` and ``memory_mib``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def main(result_file: Path, command: Sequence[str]) -> None:
    """Run a program and write what it took.

    Args:
        result_file: JSON with the exit code, wall-clock and processor seconds, and the greatest resident memory in MiB.
        command: The program and its arguments.
    """
    begin = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    seconds = time.monotonic() - begin
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "code": code,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "memory_mib": used.ru_maxrss // 1024,
    }
    result_file.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
