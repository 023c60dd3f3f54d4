"""Netlists that synthesis makes, as projects that can be simulated."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.hls.synth.families import ECP5

MULTIPLIER = Path(__file__).with_name("mult18x18d.sv")
"""The model of the multiplier: Yosys has none."""

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


def netlist(project: RtlProject, *checks: str, dsp: bool = False, hard: tuple[str, ...] = ()) -> RtlProject:
    """Synthesise a project as ``hls_synth`` does, but for memories, and put the cells' own models in their place.

    Args:
        project: The design.
        checks: Selections that must hold for the netlist, as commands of Yosys.
        dsp: Whether multiplications may use hard multipliers.
        hard: The instances that may, where others may not; there must be multiplications of both kinds.
    """
    sources = " ".join(str(path.relative_to(project.folder)) for path in project.sources)
    before, after = ECP5.passes(project.top, dsp=dsp, mixed=bool(hard))
    paths = [f"{project.top}.{name}" for name in hard]
    commands = [
        f"read_slang --threads 1 {'--keep-hierarchy' if hard else ''} --top {project.top} {sources}",
        *(command.replace(ECP5.synth, f"{ECP5.synth} -nobram -nolutram") for command in (*before, *after)),
        *checks,
        "techmap -autoproc -map +/lattice/cells_sim_ecp5.v",
        "opt_clean -purge",
        "write_verilog -noattr netlist.v",
    ]
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=project.folder,
        input=json.dumps([commands, paths]),
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
    sources_of_netlist = (*((MULTIPLIER,) if dsp else ()), project.folder / "netlist.v")
    return dataclasses.replace(project, sources=sources_of_netlist, memories=())
