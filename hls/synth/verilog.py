"""A mapped netlist of an ECP5 as Verilog for simulators: every cell is replaced by its model.

``python -m quantunet.hls.synth.verilog job.json`` is the process that runs Yosys.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from quantunet.errors import StorageError, ToolFailedError
from quantunet.hls.synth import yosys
from quantunet.processes import run
from quantunet.storage import temporary_folder

LIBRARY = "+/lattice/cells_sim_ecp5.v"
"""Yosys' own models of the cells."""

_HEADER = "/* verilator lint_off WIDTHTRUNC */  // a table, shifted to its entry\n"
_LINES = 15


def write_verilog(
    netlist: Path, top: str, verilog: Path, *, models: Sequence[Path], kept: Iterable[str], time_limit: float
) -> None:
    """Write the Verilog of a netlist.

    Args:
        netlist: The netlist, as Yosys' ``write_json`` makes it.
        top: Its module.
        verilog: The file to write.
        models: SystemVerilog files of cells, each in the words of Yosys' own reader; they go before Yosys' models.
        kept: Cells that stay as instances, because the simulator has models of them.
        time_limit: Seconds that it may take.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long, or a cell has no model.
        StorageError: A file cannot be read or written.
    """
    yosys.version()
    job = {
        "netlist": str(netlist.absolute()),
        "top": top,
        "models": [str(path.absolute()) for path in models],
        "kept": sorted(kept),
    }
    try:
        with temporary_folder(verilog) as folder:
            scratch = folder.resolve()
            job_file, out, log = scratch / "job.json", scratch / "netlist.v", scratch / "yosys.log"
            job_file.write_text(json.dumps(job | {"verilog": str(out)}), encoding="utf-8")
            command = [sys.executable, "-m", "quantunet.hls.synth.verilog", str(job_file)]
            try:
                with log.open("wb") as file:
                    environment = {**os.environ, "TMPDIR": str(scratch)}
                    code = run(command, cwd=scratch, env=environment, log=file, timeout=time_limit).code
            except subprocess.TimeoutExpired as error:
                raise ToolFailedError(
                    str(netlist), expected=f"its Verilog within {time_limit:g} s", got="none", hint="Give it more time."
                ) from error
            if code or not out.is_file():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise ToolFailedError(
                    str(netlist),
                    expected="Verilog of every cell",
                    got=f"exit code {code}:\n" + "\n".join(lines[-_LINES:]),
                )
            out.replace(verilog)
    except OSError as error:
        raise StorageError(str(verilog), expected="a file that can be written", got=str(error)) from error


def main(job_file: Path) -> None:
    """Write the Verilog that a job file asks for.

    Args:
        job_file: JSON with ``netlist``, ``top``, ``models``, ``kept`` and ``verilog``.
    """
    from pyosys import libyosys

    job = json.loads(job_file.read_text(encoding="utf-8"))
    module = plain(json.loads(Path(job["netlist"]).read_text(encoding="utf-8"))["modules"][job["top"]])
    source = job_file.with_name("plain.json")
    source.write_text(json.dumps({"creator": "", "modules": {job["top"]: module}}), encoding="utf-8")
    design = libyosys.Design()
    mapped = ["techmap -autoproc"]
    if job["models"]:
        design.run_pass(f"read_verilog -sv -nooverwrite -noblackbox {' '.join(job['models'])}")
        design.run_pass("proc")
        design.run_pass("design -stash models")
        mapped.append("-map %models")
    design.run_pass(f"read_json {source}")
    design.run_pass(" ".join([*mapped, "-map", LIBRARY]))
    design.run_pass("wreduce t:$shr")  # models shift a table to its entry, of which one bit is used
    design.run_pass("opt_clean -purge")
    left = {cell.type.str() for cell in design.top_module().selected_cells()}
    unknown = sorted(name for name in left if not name.startswith("$") and name.lstrip("\\") not in job["kept"])
    if unknown:
        sys.exit(f"no model of {', '.join(unknown)}")
    out = job_file.with_name("mapped.v")
    design.run_pass(f"write_verilog -noattr {out}")
    Path(job["verilog"]).write_text(_HEADER + out.read_text(encoding="utf-8"), encoding="utf-8")


def plain(module: dict[str, object]) -> dict[str, object]:
    """Return a module of a netlist without what only people need, names of nets first of all: they are most of it.

    Args:
        module: As Yosys' ``write_json`` makes it.
    """
    cells: dict[str, dict[str, object]] = module["cells"]  # type: ignore[assignment]
    bare = {name: {key: value for key, value in cell.items() if key != "attributes"} for name, cell in cells.items()}
    return {"ports": module["ports"], "cells": bare}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
