"""The neighbours' recorded figures on L8 and L16; `rerun_neighbours.py` measures them anew."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.workloads import l8, l16
from quantunet.hls.synth.flow import macs

RECORDED = Path(__file__).with_name("neighbours.json")

AREA_TIME = "LUTeq·cycles/MAC"
"""Area times time: LUT4 + 2 CCU2C + 6 DPR16X4 of an ECP5, times cycles a frame, over the multiplications of a frame."""

MACS = {"l8": macs(l8(), l8().node("conv")), "l16": macs(l16(), l16().node("conv"))}


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
