"""Netlists that synthesis makes, as projects that can be simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from quantunet.hls.generate.rtl_project import RtlProject, library_sources
from quantunet.hls.synth import yosys
from quantunet.hls.synth.verilog import write_verilog
from quantunet.hls.synth.yosys import Job
from quantunet.rtl_sim.netlist_bench import INSTANCES, MAPPED, TIME_LIMIT, as_project


def netlist(
    project: RtlProject,
    least: Mapping[str, int],
    *,
    exact: Mapping[str, int] | None = None,
    dsp: bool = False,
    hard: tuple[str, ...] = (),
) -> RtlProject:
    """Synthesise a project as ``hls_synth`` and ``bitstream`` do, and return its netlist with models of its cells.

    Args:
        project: The design.
        least: How many cells of some types the netlist must have at least.
        exact: How many cells of other types it must have.
        dsp: Whether multiplications may use hard multipliers.
        hard: The instances that may, where others may not.
    """
    job = Job(
        name=project.top,
        top=project.top,
        sources=project.sources,
        folder=project.folder,
        memories=project.memories,
        dsp=dsp,
        hard=hard,
    )
    folder = project.folder.with_name(f"{project.folder.name}_netlist")
    return as_project(project, _synthesised(job, folder, least, exact or {}), project.top, folder)


def fifo_netlist(folder: Path, bits: int, depth: int, exact: Mapping[str, int]) -> Path:
    """Return a library whose ``qun_fifo`` is a netlist of this one size, with ``tlast`` stored.

    Args:
        folder: An empty folder.
        bits: Of a beat.
        depth: Beats.
        exact: How many cells of some types the netlist must have.
    """
    parameters = (("Bits", bits), ("Depth", depth))
    job = Job("fifo", "qun_fifo", tuple(library_sources({"qun_fifo"})), folder, parameters=parameters)
    file = _synthesised(job, folder / "netlist", {}, exact)
    verilog = folder / "netlist.v"
    kept = [path.stem for path in INSTANCES]
    write_verilog(file, "qun_fifo", verilog, models=MAPPED, kept=kept, time_limit=TIME_LIMIT)
    inputs = "clk, rst_n, s_axis_tdata, s_axis_tvalid, s_axis_tlast, m_axis_tready"
    outputs = "s_axis_tready, m_axis_tdata, m_axis_tvalid, m_axis_tlast, level"
    wide = {"s_axis_tdata": bits, "m_axis_tdata": bits, "level": depth.bit_length()}
    ports = ", ".join(
        f"{direction} logic [{wide.get(name, 1) - 1}:0] {name}"
        for direction, names in (("input", inputs), ("output", outputs))
        for name in names.split(", ")
    )
    typed = f"int unsigned Bits = {bits}, int unsigned Depth = {depth}, int unsigned FrameBeats = 0"
    wrapper = f"module qun_fifo #(parameter {typed}) ({ports});\n  fifo_netlist u_netlist (.*);\nendmodule\n"
    text = verilog.read_text(encoding="utf-8")
    assert text.count("module qun_fifo(") == 1
    models = (path.read_text(encoding="utf-8") for path in INSTANCES)
    library = folder / "library"
    library.mkdir()
    whole = (*models, text.replace("module qun_fifo(", "module fifo_netlist("), wrapper)
    (library / "qun_fifo.sv").write_text("\n".join(whole), encoding="utf-8")
    return library


def _synthesised(job: Job, folder: Path, least: Mapping[str, int], exact: Mapping[str, int]) -> Path:
    """Synthesise a design, check how many cells it has, and return its netlist, ``folder/netlist.json``."""
    folder.mkdir()
    file = folder / "netlist.json"
    found = yosys.with_netlist(job, folder, file, folder / "yosys.log")
    for kind, count in least.items():
        assert found.cells.get(kind, 0) >= count, f"{kind}: {found.cells}"
    for kind, count in exact.items():
        assert found.cells.get(kind, 0) == count, f"{kind}: {found.cells}"
    return file


def output_registers(file: Path, mode: str) -> int:
    """Count the block RAMs of a netlist of which a port has an output register: ``REGMODE_A`` or ``REGMODE_B``."""
    modules = json.loads(file.read_text(encoding="utf-8"))["modules"].values()
    cells = [cell for module in modules for cell in module["cells"].values() if cell["type"] == "DP16KD"]
    return sum(cell["parameters"].get(mode) == "OUTREG" for cell in cells)
