"""What a synthesis found, for people (table) and for other tools (JSON and CSV)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from quantunet.constraints.board import RESOURCES, Board
from quantunet.hls.synth.families import FAMILIES, Usage
from quantunet.hls.synth.flow import Part, concerns
from quantunet.hls.synth.yosys import Synthesis
from quantunet.provenance import Provenance
from quantunet.storage import write_text

DOCUMENT, TABLE = "report.json", "report.csv"

_NOTHING = Usage(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Report:
    """The synthesis of a network, or of some of its layers.

    Attributes:
        network: The network's name.
        tool: Tool and version.
        family: Device family.
        board: Whose budget the shares are of; ``None`` for no shares.
        parts: What was synthesised.
        results: What came out, one a part.
        seconds: Time of the whole step.
        folder: The step's folder; projects lie under it.
        failure: Why not everything was synthesised; empty where it was.
        provenance: What the report is a report of; ``None`` where nobody has said it.
    """

    network: str
    tool: str
    family: str
    board: Board | None
    parts: Sequence[Part]
    results: Sequence[Synthesis]
    seconds: float
    folder: Path
    failure: str = ""
    provenance: Provenance | None = None

    @property
    def problems(self) -> list[str]:
        """Why this has not passed: a synthesis that failed, or what the board lacks."""
        found = [self.failure] if self.failure else []
        if self.board is not None and self.excess:
            total, budget = self.total, self.board.budget
            needs = ", ".join(
                f"{getattr(total, name)} {name.upper()} of {getattr(budget, name).count} ({share:.0f} %)"
                for name, share in self.excess.items()
            )
            found.append(f"does not fit {self.board.name}: needs {needs}")
        return found

    @property
    def passed(self) -> bool:
        """Whether something was asked for, all of it was synthesised, and it fits the board where there is one."""
        return bool(self.results) and not self.problems

    @property
    def fits(self) -> bool | None:
        """Whether it fits the board; ``None`` without one, and where not everything was synthesised."""
        return None if self.board is None or (self.failure and not self.excess) else not self.excess

    @property
    def total(self) -> Usage:
        """The sum over all parts."""
        return sum((result.usage for result in self.results), _NOTHING)

    def shares(self, usage: Usage) -> dict[str, float]:
        """Return each figure as a share of the board's budget, in percent; nothing without a board."""
        if self.board is None:
            return {}
        budget = self.board.budget
        return {name: 100 * getattr(usage, name) / getattr(budget, name).count for name in RESOURCES}

    @property
    def excess(self) -> dict[str, float]:
        """What the whole network needs more of than the board has, as shares in percent; empty where it fits."""
        return {name: share for name, share in self.shares(self.total).items() if share > 100}


def _columns(part: Part, result: Synthesis) -> dict[str, Any]:
    usage = result.usage
    return {
        "name": part.name,
        "op": part.op,
        "macs": part.macs,
        "pe": part.pe,
        "simd": part.simd,
        "style": part.style,
        "bits_w": part.bits_w,
        "bits_in": part.bits_in,
        "bits_out": part.bits_out,
        "cycles_predicted": part.cycles,
        "lut": usage.lut,
        "ff": usage.ff,
        "dsp": usage.dsp,
        "bram": usage.bram,
        "lutram": usage.lutram,
        "carry": usage.carry,
        "luteq": usage.luteq,
        "logic_depth": result.levels,
    }


def _shares(report: Report, usage: Usage) -> dict[str, float]:
    return {f"{name}_percent": round(share, 3) for name, share in report.shares(usage).items()}


def document(report: Report) -> dict[str, Any]:
    """Return what the JSON file holds: ``layers``, ``plumbing`` and their ``total``."""
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for part, result in zip(report.parts, report.results, strict=True):
        rows[part.is_layer].append(
            {
                **_columns(part, result),
                **_shares(report, result.usage),
                "longest_path": [result.start, result.end],
                "cells": dict(result.cells),
                "memories": [
                    {"name": m.name, "width": m.width, "depth": m.depth, "kind": m.kind} for m in result.memories
                ],
                "concerns": list(concerns(result)),
                "seconds": result.seconds,
                "memory_mib": result.memory_mib,
                "cached": result.cached,
            }
        )
    total = report.total
    return {
        "network": report.network,
        "tool": report.tool,
        "family": report.family,
        "board": report.board.name if report.board else None,
        "device": report.board.part if report.board else None,
        "passed": report.passed,
        "problems": report.problems,
        "fits": report.fits,
        "seconds": round(report.seconds, 1),
        "layers": rows[True],
        "plumbing": rows[False],
        "total": {
            "macs": sum(part.macs for part in report.parts),
            "cycles_predicted_max": max((part.cycles for part in report.parts), default=0),
            **{name: getattr(total, name) for name in (*RESOURCES, "lutram", "carry", "luteq")},
            **_shares(report, total),
            "logic_depth_max": max((result.levels for result in report.results), default=0),
        },
        "provenance": report.provenance.document() if report.provenance else None,
    }


def to_json(report: Report) -> str:
    """Return :func:`document` as JSON."""
    return json.dumps(document(report), indent=1) + "\n"


def to_csv(report: Report) -> str:
    """Return the report as CSV, one line a part."""
    rows = [
        {**_columns(part, result), **_shares(report, result.usage), "seconds": result.seconds}
        for part, result in zip(report.parts, report.results, strict=True)
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else ["name"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(report: Report) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.csv`` into the step's folder and return their paths.

    Raises:
        StorageError: A file cannot be written.
    """
    json_path, csv_path = report.folder / DOCUMENT, report.folder / TABLE
    write_text(json_path, to_json(report))
    write_text(csv_path, to_csv(report))
    return json_path, csv_path


def table(report: Report) -> Table:
    """Return the table for the terminal; with a board, each figure stands beside its share of the board's budget.

    ``LUTeq`` are the LUTs of the netlist, which other tools count too; the column behind it says what the device needs.
    """
    device = FAMILIES[report.family].title if report.board is None else f"{report.board.title}, {report.board.part}"
    title = f"{report.network}: {report.tool}, {device}"
    result_table = Table(title=title, title_justify="left")
    for name in ("layer", "op", "style"):
        result_table.add_column(name, no_wrap=True)
    places = "LUT places" if FAMILIES[report.family].feed_luts else "LUT"
    for name in ("MACs", "PE", "SIMD", "w/in/out", "cycles", "LUTeq", places, "FF", "DSP", "BRAM", "depth"):
        result_table.add_column(name, justify="right", no_wrap=True)
    plumbing = [i for i, part in enumerate(report.parts) if not part.is_layer]
    for part, result in zip(report.parts, report.results, strict=True):
        if part.is_layer:
            bits = f"{part.bits_w or '-'}/{part.bits_in}/{part.bits_out}"
            result_table.add_row(
                part.name,
                part.op,
                part.style,
                f"{part.macs:,}" if part.macs else "-",
                str(part.pe),
                str(part.simd),
                bits,
                f"{part.cycles:,}",
                *_figures(report, result.usage),
                str(result.levels),
            )
    result_table.add_section()
    for op in dict.fromkeys(report.parts[i].op for i in plumbing):
        members = [report.results[i] for i in plumbing if report.parts[i].op == op]
        usage = sum((member.usage for member in members), _NOTHING)
        depth = max(member.levels for member in members)
        result_table.add_row(f"between layers ({len(members)})", op, *([""] * 6), *_figures(report, usage), str(depth))
    total = report.total
    result_table.add_row(
        "total",
        "",
        "",
        f"{sum(part.macs for part in report.parts):,}",
        "",
        "",
        "",
        f"max {max((part.cycles for part in report.parts), default=0):,}",
        *_figures(report, total),
        str(max((result.levels for result in report.results), default=0)),
        style="bold",
    )
    return result_table


def _figures(report: Report, usage: Usage) -> list[str]:
    shares = report.shares(usage)
    figures = [f"{getattr(usage, name):,}" + (f" {shares[name]:5.1f}%" if name in shares else "") for name in RESOURCES]
    return [f"{usage.luteq:,}", *figures]
