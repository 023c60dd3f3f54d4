"""Synthesis with Vitis HLS of the same hls4ml projects, where the vendor's tool is installed."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quantunet import processes
from quantunet.errors import StorageError, ToolFailedError, ToolMissingError
from quantunet.provenance import Provenance
from quantunet.storage import write_text

logger = logging.getLogger(__name__)

DOCUMENT = "report_vitis.json"

TOOLS = ("vitis-run", "vitis_hls")
"""Programs that can run a project, the newer one first."""

_OPTIONS = {"reset": 1, "csim": 0, "synth": 1, "cosim": 0, "validation": 0, "export": 0, "vsynth": 0, "fifo_opt": 0}
_LOG_LINES = 15


@dataclass(frozen=True)
class Estimate:
    """What Vitis HLS estimates for a project.

    Attributes:
        lut: LUTs.
        ff: Flip-flops.
        dsp: DSP slices.
        bram_18k: Block RAMs of 18 Kbit.
        latency: Cycles of one frame in the worst case.
        interval: Cycles between frames in the worst case.
        clock_ns: Estimated clock period.
    """

    lut: int
    ff: int
    dsp: int
    bram_18k: int
    latency: int
    interval: int
    clock_ns: float


def find_tool() -> Path:
    """Return the program that runs projects.

    Raises:
        ToolMissingError: None is on PATH.
    """
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise ToolMissingError(
        "Vitis HLS",
        expected=f"{' or '.join(TOOLS)} on PATH",
        got="neither",
        hint="Install AMD Vitis and source its settings64.sh, or use --tool yosys, which needs no vendor tool.",
    )


def synthesise(project: Path, name: str) -> Estimate:
    """Run the C synthesis of one hls4ml project and read its report.

    Args:
        project: The project's folder, as :mod:`quantunet.hls.csim.project` writes it.
        name: The layer's name, for messages.

    Raises:
        ToolMissingError: Vitis HLS is not installed.
        ToolFailedError: It failed; holds the end of its output.
        StorageError: The project cannot be written to.
    """
    tool = find_tool()
    options = "".join(f"    {option:<10} {value}\n" for option, value in _OPTIONS.items())
    write_text(project / "build_opt.tcl", f"array set opt {{\n{options}}}\n")
    arguments = ["--mode", "hls", "--tcl", "build_prj.tcl"] if tool.name == "vitis-run" else ["-f", "build_prj.tcl"]
    logger.info("%s: %s %s", name, tool, " ".join(arguments))
    log_file = project / "synthesis.log"
    try:
        with log_file.open("wb") as log:
            code = processes.run([tool, *arguments], cwd=project, log=log).code
    except OSError as error:
        raise StorageError(str(log_file), expected="a file that can be written", got=str(error)) from error
    if code:
        lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        raise ToolFailedError(
            name,
            expected="a synthesis without errors",
            got=f"exit code {code}:\n" + "\n".join(lines[-_LOG_LINES:]),
            hint=f"Log: {log_file}",
        )
    return read_report(project, name)


def read_report(project: Path, name: str) -> Estimate:
    """Read the estimate that a synthesised project holds.

    Raises:
        ToolFailedError: There is none.
    """
    from hls4ml.report import parse_vivado_report

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = (parse_vivado_report(str(project)) or {})["CSynthesisReport"]
        return Estimate(
            lut=int(found["LUT"]),
            ff=int(found["FF"]),
            dsp=int(found["DSP"]),
            bram_18k=int(found["BRAM_18K"]),
            latency=int(found["WorstLatency"]),
            interval=int(found["IntervalMax"]),
            clock_ns=float(found["EstimatedClockPeriod"]),
        )
    except (KeyError, IndexError, ValueError, AttributeError, OSError) as error:
        raise ToolFailedError(
            name,
            expected="a synthesis report of Vitis HLS",
            got=f"{type(error).__name__}: {error}",
            hint=f"Look at the log in {project}.",
        ) from error


def write_report(
    path: Path,
    network: str,
    estimates: Mapping[str, Estimate],
    *,
    failure: str = "",
    provenance: Provenance | None = None,
) -> Path:
    """Write the estimates of layers as JSON and return the path.

    Args:
        path: The file.
        network: The network's name.
        estimates: Of every layer that was synthesised.
        failure: Why not every layer was; empty where it was.
        provenance: What the report is a report of.

    Raises:
        StorageError: The file cannot be written.
    """
    layers = [{"name": name, **dataclasses.asdict(estimate)} for name, estimate in estimates.items()]
    document = {
        "network": network,
        "tool": "vitis",
        "passed": bool(layers) and not failure,
        "problems": [failure] if failure else [],
        "layers": layers,
        "provenance": provenance.document() if provenance else None,
    }
    write_text(path, json.dumps(document, indent=1) + "\n")
    return path
