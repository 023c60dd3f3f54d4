"""The process that runs Yosys on one design: ``python -m quantunet.hls.synth.worker job.json result.json``.

Yosys runs in a process of its own, so that a crash, a time limit or a leak of memory concerns one design
only. Its log goes to standard output. The working directory is the one in which the memory files are found.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from pyosys import libyosys

from quantunet.hls.synth.carry_feeds import carry_feeds
from quantunet.hls.synth.depth import longest_path
from quantunet.hls.synth.families import FAMILIES
from quantunet.hls.synth.open_ends import open_ends
from quantunet.hls.synth.passes import mapping
from quantunet.hls.synth.passes.products import mark_products


def main(job_file: Path, result_file: Path) -> None:
    """Synthesise the design that a job file names and write what came out.

    Args:
        job_file: JSON with ``name``, ``top``, ``sources``, ``parameters``, ``family``, ``dsp``, ``hard``,
            ``pads`` and ``netlist``, the file for the mapped netlist.
        result_file: JSON with ``cells``, ``carry_feeds``, ``memories``, ``levels``, ``start``, ``end`` and
            ``memory_mib``.
    """
    job = json.loads(job_file.read_text(encoding="utf-8"))
    family = FAMILIES[job["family"]]
    before, after = family.passes(job["top"], dsp=job["dsp"], mixed=bool(job["hard"]))
    netlist_file = Path(job["netlist"])
    design = libyosys.Design()
    design.run_pass(_read_command(job))
    if job["hard"]:
        mark_products(design, [f"{job['top']}.{path}" for path in job["hard"]])
        design.run_pass("flatten -noscopeinfo")
    mapping.run(design, before, family)
    memories = _memories(design)
    after += family.pads if job["pads"] else ()
    mapping.run(design, (*after, f'write_json "{netlist_file}"'), family)
    netlist = json.loads(netlist_file.read_text(encoding="utf-8"))
    module = netlist["modules"][job["top"]]
    cells: dict[str, int] = {}
    for cell in module["cells"].values():
        cells[cell["type"]] = cells.get(cell["type"], 0) + 1
    path = longest_path(module, family, job["name"])
    if open_ends(module, family):
        netlist_file.write_text(json.dumps(netlist), encoding="utf-8")
    result = {
        "cells": dict(sorted(cells.items())),
        "carry_feeds": carry_feeds(module, family),
        "memories": memories,
        "levels": path.levels,
        "start": path.start,
        "end": path.end,
        "memory_mib": _peak_mib(),
    }
    result_file.write_text(json.dumps(result), encoding="utf-8")


def _read_command(job: dict[str, Any]) -> str:
    parameters = [f"-G{name}={value}" for name, value in job["parameters"].items()]
    hierarchy = ["--keep-hierarchy"] if job["hard"] else []
    return " ".join(
        ["read_slang --threads 1 --ignore-assertions", *hierarchy, f"--top {job['top']}", *parameters, *job["sources"]]
    )


def _memories(design: Any) -> list[dict[str, Any]]:  # noqa: ANN401 pyosys has no types
    """List the memories before they are mapped."""
    found = []
    for module in design.selected_modules():
        for cell in module.selected_cells():
            if cell.type.str() == "$mem_v2":
                parameters = {key.str(): value for key, value in cell.parameters.items()}
                found.append(
                    {
                        "name": parameters["\\MEMID"].decode_string().lstrip("\\"),
                        "width": parameters["\\WIDTH"].as_int(),
                        "depth": parameters["\\SIZE"].as_int(),
                        "writes": parameters["\\WR_PORTS"].as_int(),
                    }
                )
    return sorted(found, key=lambda memory: str(memory["name"]))


def _peak_mib() -> int:
    """Return the greatest resident memory of this process or of the ABC that it ran, in MiB."""
    usages = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(usage).ru_maxrss for usage in usages) // 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
