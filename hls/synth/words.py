"""A design as a netlist of words: the registers, memories and operators that its SystemVerilog asks for.

Bits that are constant or unread are gone, and nothing is mapped to a device yet. ``python -m quantunet.hls.synth.words
job.json`` is the process that runs Yosys.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from quantunet.hls.synth import yosys_process
from quantunet.hls.synth.yosys import Job

PASSES = ("proc -latches error", "flatten", "opt", "wreduce", "peepopt", "opt_clean", "memory_collect", "opt_clean")
"""What Yosys does with the design once it has read it; the same passes begin a synthesis, but for the memories."""


def write_words(job: Job, netlist: Path, *, time_limit: float) -> None:
    """Write the netlist of words of a design, as Yosys' ``write_json`` makes it.

    Args:
        job: The design; of its family and its multipliers nothing is taken.
        netlist: The file to write.
        time_limit: Seconds that it may take.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long.
        StorageError: A file cannot be read or written.
    """
    document = {
        "top": job.top,
        "sources": [str(path.absolute()) for path in job.sources],
        "parameters": dict(job.parameters),
    }
    yosys_process.write(
        "quantunet.hls.synth.words",
        document,
        netlist,
        what=f"the registers of {job.top}",
        cwd=job.folder,
        limit=time_limit,
    )


def main(job_file: Path) -> None:
    """Write the netlist that a job file asks for.

    Args:
        job_file: JSON with ``top``, ``sources``, ``parameters`` and ``out``.
    """
    from pyosys import libyosys

    job = json.loads(job_file.read_text(encoding="utf-8"))
    design = libyosys.Design()
    parameters = [f"-G{name}={value}" for name, value in job["parameters"].items()]
    read = ["read_slang --threads 1 --ignore-assertions", f"--top {job['top']}", *parameters, *job["sources"]]
    for command in (" ".join(read), *PASSES, f'write_json "{job[yosys_process.OUT]}"'):
        design.run_pass(command)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
