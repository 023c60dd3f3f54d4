"""Measure a neighbour anew, as ``neighbours.json`` has it: ``python -m benchmarks.rerun_neighbours``.

Installs the exact version of the tool into an environment of its own, builds the layer, simulates it against the tool's
own model, counts the cycles, and synthesises it with the flow that this project's layers go through.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import workloads
from benchmarks.machine import ROOT
from benchmarks.neighbours import Figure
from quantunet import exit_codes
from quantunet.errors import QuantUNetError, ToolFailedError, ToolMissingError
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Conv2d
from quantunet.model.random_network import random_image

NNGEN = "1.3.4"

_TOP = "nngen_conv"


@dataclass(frozen=True)
class Setting:
    """A configuration of nngen.

    Attributes:
        workload: ``l8``.
        par_in: Input channels at a time.
        par_out: Output channels at a time.
    """

    workload: str
    par_in: int
    par_out: int


SETTINGS = (Setting("l8", 1, 1), Setting("l8", 2, 4))


def environment(folder: Path) -> Path:
    """Return the Python of an environment that holds nngen; it is made at the first call.

    Raises:
        ToolMissingError: Icarus Verilog, which nngen simulates with, is not installed.
        ToolFailedError: nngen cannot be installed.
    """
    if shutil.which("iverilog") is None:
        raise ToolMissingError(
            "iverilog", expected="Icarus Verilog on PATH", got="none", hint="Install it: apt-get install iverilog"
        )
    python = folder / "bin" / "python"
    if not python.is_file():
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", f"nngen=={NNGEN}"])
    return python


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolFailedError(command[0], expected="exit code 0", got=f"{done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def nngen(setting: Setting, python: Path, folder: Path) -> Figure:
    """Build, check and synthesise one configuration.

    Raises:
        ToolFailedError: nngen failed, or its hardware computes something else than its model.
    """
    graph = getattr(workloads, setting.workload)()
    node = graph.node("conv")
    if not isinstance(node, Conv2d):
        raise TypeError(node)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "image": np.minimum(random_image(graph), 7)[None],
        "weight": node.weight.array.transpose(3, 0, 1, 2),
        "bias": node.bias.array,
        "shift": node.weight_type.frac + graph.input_of(node).qtype.frac - graph.output_of(node).qtype.frac,
    }
    np.savez(folder / "layer.npz", **arrays)
    script = ROOT / "benchmarks" / "nngen_layer.py"
    channels = [str(setting.par_in), str(setting.par_out)]
    said = _run([str(python), str(script), str(folder / "layer.npz"), *channels, str(folder)])
    result = json.loads(said.splitlines()[-1])
    if not result["exact"]:
        raise ToolFailedError("nngen", expected="hardware equal to nngen's model", got=str(result))
    job = Job(f"nngen {setting.workload}", _TOP, (folder / f"{_TOP}.v",), folder, dsp=True)
    (area,) = yosys.synthesise([job], folder.parent / "cache", time_limit=3600)
    label = f"par {setting.par_in}x{setting.par_out}"
    note = f"generation {result['seconds']:.0f} s, {result['lines']:,} lines of Verilog"
    usage = area.usage
    return Figure(
        "nngen", NNGEN, setting.workload, label, result["cycles"], usage.lut, usage.ff, usage.dsp, note
    )  # fmt: skip


def main() -> int:
    """Measure and print; 2 where a tool is missing or fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rerun_neighbours", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/neighbours"), help="(default: %(default)s)")
    parser.add_argument("--settings", type=int, default=len(SETTINGS), help="only the first so many (default: all)")
    args = parser.parse_args()
    console = Console(width=160)
    folder = args.folder.resolve()
    try:
        with console.status(f"installing nngen {NNGEN}"):
            python = environment(folder / f"nngen-{NNGEN}")
        for setting in SETTINGS[: args.settings]:
            name = f"{setting.workload}-{setting.par_in}x{setting.par_out}"
            with console.status(f"nngen {name}"):
                figure = nngen(setting, python, folder / name)
            row = figure.row()
            console.print(f"{row.subject}, {row.measure}: {row.value:.1f} {row.unit}; {row.note}", highlight=False)
    except QuantUNetError as error:
        Console(stderr=True).print(str(error), style="red")
        return exit_codes.BAD_INPUT
    return exit_codes.SUCCESS


if __name__ == "__main__":
    sys.exit(main())
