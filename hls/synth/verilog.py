"""A mapped netlist of an ECP5 as Verilog for simulators: every cell is replaced by its model.

``python -m quantunet.hls.synth.verilog job.json`` is the process that runs Yosys.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from quantunet.hls.synth import yosys_process
from quantunet.hls.synth.carry_feeds import OPEN

LIBRARY = "+/lattice/cells_sim_ecp5.v"
"""Yosys' own models of the cells."""

# A table is shifted to its entry; comparisons of words are with constants of their least width.
_HEADER = "".join(
    f"/* verilator lint_off {rule} */\n" for rule in ("WIDTHTRUNC", "WIDTHEXPAND", "CMPCONST", "UNSIGNED")
)


def write_verilog(
    netlist: Path,
    top: str,
    verilog: Path,
    *,
    models: Sequence[Path],
    kept: Iterable[str],
    time_limit: float,
    words: bool = False,
) -> None:
    """Write the Verilog of a netlist.

    Args:
        netlist: The netlist, as Yosys' ``write_json`` makes it.
        top: Its module.
        verilog: The file to write.
        models: SystemVerilog files of cells, each in the words of Yosys' own reader; they go before Yosys' models.
        kept: Cells that stay as instances, because the simulator has models of them.
        time_limit: Seconds that it may take.
        words: Whether it is a netlist of words (:mod:`quantunet.hls.synth.words`): names of nets then say which bits
            are one word, and simulators take far longer over single bits.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long, or a cell has no model.
        StorageError: A file cannot be read or written.
    """
    job = {
        "netlist": str(netlist.absolute()),
        "top": top,
        "models": [str(path.absolute()) for path in models],
        "kept": sorted(kept),
        "words": words,
    }
    yosys_process.write(
        "quantunet.hls.synth.verilog",
        job,
        verilog,
        what=f"Verilog of every cell of {netlist}",
        cwd=None,
        limit=time_limit,
    )


def main(job_file: Path) -> None:
    """Write the Verilog that a job file asks for.

    Args:
        job_file: JSON with ``netlist``, ``top``, ``models``, ``kept``, ``words`` and ``out``.
    """
    from pyosys import libyosys

    job = json.loads(job_file.read_text(encoding="utf-8"))
    source = Path(job["netlist"])
    if not job["words"]:
        module = plain(json.loads(source.read_text(encoding="utf-8"))["modules"][job["top"]])
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
    Path(job[yosys_process.OUT]).write_text(_HEADER + out.read_text(encoding="utf-8"), encoding="utf-8")


def plain(module: dict[str, object]) -> dict[str, object]:
    """Return a module of a netlist without what only people need, names of nets first of all: they are most of it.

    Nor has it ports that are open: an undefined bit stands there for place and route, and simulators would drive it.

    Args:
        module: As Yosys' ``write_json`` makes it.
    """
    cells: dict[str, dict[str, object]] = module["cells"]  # type: ignore[assignment]
    bare = {name: {key: value for key, value in cell.items() if key != "attributes"} for name, cell in cells.items()}
    for cell in bare.values():
        nets: dict[str, object] = cell["connections"]  # type: ignore[assignment]
        directions: dict[str, str] = cell["port_directions"]  # type: ignore[assignment]
        opened = {port for port, bits in nets.items() if bits == [OPEN] and directions[port] == "output"}
        cell["connections"] = {port: bits for port, bits in nets.items() if port not in opened}
    return {"ports": module["ports"], "cells": bare}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
