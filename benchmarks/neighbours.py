"""L8 and L16 as area times time: this project's layers and da4ml's core, synthesised now, beside recorded figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import area, da4ml_core
from benchmarks.rows import Context, Part, Row
from benchmarks.workloads import l8, l16
from quantunet import __version__
from quantunet.hls.design import STYLES
from quantunet.hls.synth.flow import macs

RECORDED = Path(__file__).with_name("neighbours.json")

AREA_TIME = "LUTeq·cycles/MAC"
"""Area times time: LUT4 + 2 CCU2C + 6 DPR16X4 of an ECP5, times cycles a frame, over the multiplications of a frame."""

_LAYERS = {"l8": l8, "l16": l16}

MACS = {name: macs(make(), make().node("conv")) for name, make in _LAYERS.items()}


@dataclass(frozen=True)
class Figure:
    """What one tool made of one workload.

    Attributes:
        tool: Its name.
        version: Its version.
        workload: ``l8`` or ``l16``.
        configuration: The tool's own words for its parallelism.
        cycles: Of one frame.
        luteq: Area without multipliers and block RAM.
        ff: Flip-flops.
        dsp: Hard multipliers, which LUTeq leaves out.
        note: What a reader must know beside it.
    """

    tool: str
    version: str
    workload: str
    configuration: str
    cycles: int
    luteq: int
    ff: int
    dsp: int
    note: str = ""

    def row(self, recorded: str = "") -> Row:
        """Return the figure as area times time; ``recorded`` says when, if not now."""
        where = [f"{self.cycles:,} cycles", f"{self.luteq:,} LUTeq", f"{self.ff:,} FF", f"{self.dsp} DSP"]
        notes = [", ".join(where), *filter(None, (self.note, recorded))]
        value = self.luteq * self.cycles / MACS[self.workload]
        subject = f"{self.workload.upper()}: {self.tool} {self.version}"
        return Row(subject, self.configuration, value, AREA_TIME, note="; ".join(notes))


def recorded() -> list[Row]:
    """Return the figures of the tools that a benchmark cannot install beside the project."""
    document = json.loads(RECORDED.read_text(encoding="utf-8"))
    when = f"recorded {document['recorded']} on {document['machine']}"
    return [Figure(**figure).row(when) for figure in document["figures"]]


def measure(context: Context) -> list[Row]:
    """Synthesise and simulate this project's layers and da4ml's core; put the recorded figures beside them."""
    context.say("this project's layers: synthesis, and simulation against golden")
    layers = area.measure(context.folder, list(_LAYERS), STYLES, Console(quiet=True))
    figures = [_ours(layer) for layer in layers]
    for name in _LAYERS:
        context.say(f"da4ml, {name}")
        core = da4ml_core.measure(name, context.folder / "da4ml")
        note = f"the products alone; {core.values_compared:,} values equal to da4ml's own model"
        usage = (core.lut, core.ff, core.dsp)
        figures.append(Figure("da4ml", core.version, name, "one pixel a cycle", core.cycles, *usage, note))
    rows = [figure.row() for figure in figures] + recorded()
    return sorted(rows, key=lambda row: (row.subject.split(":")[0] != "L8", row.value))


def _ours(layer: area.Layer) -> Figure:
    label = f"{layer.style}, PE {layer.pe}, SIMD {layer.simd}"
    note = f"complete layer; {layer.compared:,} values equal; multipliers work in {layer.use:.2f} % of the cycles"
    usage = (layer.luteq, layer.ff, layer.dsp)
    return Figure("quantunet", __version__, layer.name, label, layer.cycles, *usage, note)


PART = Part("area", "Area times time of L8 and L16", measure)
