"""Netlists that synthesis makes, as projects that can be simulated."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

from quantunet.hls.rtl_project import RtlProject
from quantunet.hls.synth.families import ECP5

SCRIPT = """
import json, sys
from pyosys import libyosys
from quantunet.hls.synth import mapping
from quantunet.hls.synth.families import ECP5
mapping.run(libyosys.Design(), json.load(sys.stdin), ECP5)
"""


def netlist(project: RtlProject, *checks: str) -> RtlProject:
    """Synthesise a project as ``hls_synth`` does, but for memories, and put the cells' own models in their place.

    Args:
        project: The design.
        checks: Selections that must hold for the netlist, as commands of Yosys.
    """
    sources = " ".join(str(path.relative_to(project.folder)) for path in project.sources)
    before, after = ECP5.passes(project.top, dsp=False)
    commands = [
        f"read_slang --threads 1 --top {project.top} {sources}",
        *(command.replace("-nodsp", "-nodsp -nobram -nolutram") for command in (*before, *after)),
        *checks,
        "techmap -autoproc -map +/lattice/cells_sim_ecp5.v",
        "opt_clean -purge",
        "write_verilog -noattr netlist.v",
    ]
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=project.folder, input=json.dumps(commands), capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
    return dataclasses.replace(project, sources=(project.folder / "netlist.v",), memories=())
