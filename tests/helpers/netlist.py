"""Netlists that synthesis makes, as projects that can be simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping

from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job
from quantunet.rtl_sim.netlist_bench import as_project


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
    folder.mkdir()
    file = folder / "netlist.json"
    found = yosys.with_netlist(job, folder, file, folder / "yosys.log")
    for kind, count in least.items():
        assert found.cells.get(kind, 0) >= count, f"{kind}: {found.cells}"
    for kind, count in (exact or {}).items():
        assert found.cells.get(kind, 0) == count, f"{kind}: {found.cells}"
    assert json.loads(file.read_text(encoding="utf-8"))["modules"][project.top]["cells"]
    return as_project(project, file, project.top, folder)
