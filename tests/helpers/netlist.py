"""Netlists that synthesis makes, as projects that can be simulated."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from quantunet.hls.generate.rtl_project import RtlProject, library_sources
from quantunet.hls.synth.families import ECP5

MULTIPLIER = Path(__file__).with_name("mult18x18d.sv")
"""The model of the multiplier: Yosys has none."""

RAM = Path(__file__).with_name("dp16kd.sv")
"""The model of the block RAM, likewise."""

SCRIPT = """
import json, sys
from pyosys import libyosys
from quantunet.hls.synth.passes import mapping
from quantunet.hls.synth.passes.products import mark_products
from quantunet.hls.synth.families import ECP5
(read, *commands), hard = json.load(sys.stdin)
design = libyosys.Design()
design.run_pass(read)
if hard:
    assert min(mark_products(design, hard).values()) > 0
    design.run_pass("flatten -noscopeinfo")
mapping.run(design, commands, ECP5)
"""


def netlist(
    project: RtlProject, *checks: str, dsp: bool = False, hard: tuple[str, ...] = (), ram: bool = False
) -> RtlProject:
    """Synthesise a project as ``hls_synth`` does, but for memories, and put the cells' own models in their place.

    Args:
        project: The design.
        checks: Selections that must hold for the netlist, as commands of Yosys.
        dsp: Whether multiplications may use hard multipliers.
        hard: The instances that may, where others may not; there must be multiplications of both kinds.
        ram: Whether memories may be block RAM or distributed RAM, as they are in ``hls_synth``.
    """
    commands = synthesis(project.top, project.sources, project.folder, *checks, dsp=dsp, mixed=bool(hard), ram=ram)
    _run(commands, project.folder, [f"{project.top}.{name}" for name in hard])
    models = (*((MULTIPLIER,) if dsp else ()), *((RAM,) if ram else ()))
    return dataclasses.replace(project, sources=(*models, project.folder / "netlist.v"), memories=())


def fifo_netlist(folder: Path, bits: int, depth: int, *checks: str) -> Path:
    """Return a library whose ``qun_fifo`` is a netlist of this one size, block RAM and all, with ``tlast`` stored."""
    commands = synthesis("qun_fifo", library_sources({"qun_fifo"}), folder, *checks, ram=True)
    commands[0] += f" -GBits={bits} -GDepth={depth}"
    commands[-1:] = ["rename -top fifo_netlist", commands[-1]]
    _run(commands, folder, [])
    inputs = "clk, rst_n, s_axis_tdata, s_axis_tvalid, s_axis_tlast, m_axis_tready"
    outputs = "s_axis_tready, m_axis_tdata, m_axis_tvalid, m_axis_tlast, level"
    wide = {"s_axis_tdata": bits, "m_axis_tdata": bits, "level": depth.bit_length()}
    ports = ", ".join(
        f"{direction} logic [{wide.get(name, 1) - 1}:0] {name}"
        for direction, names in (("input", inputs), ("output", outputs))
        for name in names.split(", ")
    )
    parameters = f"int unsigned Bits = {bits}, int unsigned Depth = {depth}, int unsigned FrameBeats = 0"
    wrapper = f"module qun_fifo #(parameter {parameters}) ({ports});\n  fifo_netlist u_netlist (.*);\nendmodule\n"
    library = folder / "library"
    library.mkdir()
    text = "\n".join((RAM.read_text(encoding="utf-8"), (folder / "netlist.v").read_text(encoding="utf-8"), wrapper))
    (library / "qun_fifo.sv").write_text(text, encoding="utf-8")
    return library


def synthesis(
    top: str,
    sources: Sequence[Path],
    folder: Path,
    *checks: str,
    dsp: bool = False,
    mixed: bool = False,
    ram: bool = False,
) -> list[str]:
    """Return the commands that read, synthesise and check a design, and write it as ``netlist.v``.

    Args:
        top: The top module.
        sources: Its files.
        folder: In which Yosys runs.
        checks: Selections that must hold for the netlist.
        dsp: Whether multiplications may use hard multipliers.
        mixed: Whether some may and others may not.
        ram: Whether memories may be block RAM or distributed RAM.
    """
    files = " ".join(os.path.relpath(path, folder) for path in sources)
    before, after = ECP5.passes(top, dsp=dsp, mixed=mixed)
    options = "" if ram else " -nobram -nolutram"
    return [
        f"read_slang --threads 1 --ignore-assertions {'--keep-hierarchy' if mixed else ''} --top {top} {files}",
        *(command.replace(ECP5.synth, ECP5.synth + options) for command in (*before, *after)),
        *checks,
        "techmap -autoproc -map +/lattice/cells_sim_ecp5.v",
        "opt_clean -purge",
        "write_verilog -noattr netlist.v",
    ]


def _run(commands: Sequence[str], folder: Path, hard: Sequence[str]) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        input=json.dumps([commands, hard]),
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
