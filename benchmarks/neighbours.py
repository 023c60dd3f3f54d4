"""L8 and L16 as area times time: this project's layers, and cores of da4ml and alkaid, beside recorded figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import area, constant_cores
from benchmarks.rows import Context, Part, Row
from benchmarks.workloads import l8, l16
from quantunet import __version__
from quantunet.hls.design import STYLES
from quantunet.hls.synth.flow import macs

RECORDED = Path(__file__).with_name("neighbours.json")

AREA_TIME = "LUTeq·cycles/MAC"
"""Area times time: LUT4 + 2 CCU2C + 6 DPR16X4 of an ECP5, times cycles a frame, over the multiplications of a frame."""

PLACES_TIME = "LUT places·cycles/MAC"
"""The same with the LUT places of the packed design: the ends of carry chains take some."""

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
        places: LUT places, the ends of carry chains included; ``None`` where they were not counted.
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
    places: int | None = None

    def rows(self, recorded: str = "") -> list[Row]:
        """Return the figure as area times time, in LUTeq and in places; ``recorded`` says when, if not now."""
        found = [self._row(self.luteq, "LUTeq", AREA_TIME, recorded)]
        return found if self.places is None else [*found, self._row(self.places, "LUT places", PLACES_TIME, recorded)]

    def _row(self, area: int, name: str, unit: str, recorded: str) -> Row:
        where = [f"{self.cycles:,} cycles", f"{area:,} {name}", f"{self.ff:,} FF", f"{self.dsp} DSP"]
        notes = [", ".join(where), *filter(None, (self.note, recorded))]
        value = area * self.cycles / MACS[self.workload]
        subject = f"{self.workload.upper()}: {self.tool} {self.version}"
        return Row(subject, self.configuration, value, unit, note="; ".join(notes))


def recorded() -> list[Row]:
    """Return the figures of the tools that a benchmark cannot install beside the project."""
    document = json.loads(RECORDED.read_text(encoding="utf-8"))
    when = f"recorded {document['recorded']} on {document['machine']}"
    return [row for figure in document["figures"] for row in Figure(**figure).rows(when)]


def measure(context: Context) -> list[Row]:
    """Synthesise and simulate this project's layers and other tools' cores; put the recorded figures beside them."""
    context.say("this project's layers: synthesis, and simulation against golden")
    layers = area.measure(context.folder, list(_LAYERS), STYLES, Console(quiet=True))
    figures = [_ours(layer) for layer in layers]
    for tool in constant_cores.TOOLS:
        for name in _LAYERS:
            context.say(f"{tool}, {name}")
            core = constant_cores.measure(tool, name, context.folder / tool)
            note = f"the products alone; {core.values_compared:,} values equal to {tool}'s own model"
            usage = (core.lut, core.ff, core.dsp)
            rate = "one pixel a cycle"
            figures.append(Figure(tool, core.version, name, rate, core.cycles, *usage, note, core.places))
    rows = [row for figure in figures for row in figure.rows()] + recorded()
    return sorted(rows, key=lambda row: (row.subject.split(":")[0] != "L8", row.unit != AREA_TIME, row.value))


def _ours(layer: area.Layer) -> Figure:
    label = f"{layer.style}, PE {layer.pe}, SIMD {layer.simd}"
    note = f"complete layer; {layer.compared:,} values equal; multipliers work in {layer.use:.2f} % of the cycles"
    usage = (layer.luteq, layer.ff, layer.dsp)
    return Figure("quantunet", __version__, layer.name, label, layer.cycles, *usage, note, layer.places)


PART = Part("area", "Area times time of L8 and L16", measure)
