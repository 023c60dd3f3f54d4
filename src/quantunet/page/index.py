"""The page over a build folder: every network in it, what was done with it, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from quantunet.documents import read_json
from quantunet.errors import QuantUNetError
from quantunet.page import render
from quantunet.page.parts import NOTHING, Cell, Mark, Note, Page, Section, Table, text

NAME = "index.html"
"""The page in a build folder."""

BACK = f"../../{NAME}"
"""How it is reached from a step's folder."""

_STEPS = ("cosim", "hls_synth", "bitstream", "fifos")
_REPORTS = ("report.json", "report_vitis.json")
_MOST = 200
_LIMIT = 1 << 24

_Row: TypeAlias = list[Cell]


def write_index(build: Path) -> Path | None:
    """Write the page over a build folder; what goes wrong is a warning, as with every page."""
    return render.write_page(build / NAME, lambda: index_page(build))


def index_page(build: Path) -> Page:
    """Return the page over a build folder: the newest reports, at most 200."""
    found = [path for name in _REPORTS for step in _STEPS for path in build.glob(f"*/{step}/{name}")]
    newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:_MOST]
    rows = [_row(build, path) for path in newest]
    head = ("network", "command", "verdict", "what was found", "made", "folder")
    blocks = (
        [Table("Results, the newest first", head, rows, names=len(head))] if rows else [Note("Nothing is here yet.")]
    )
    left_out = [Note(f"{len(found) - len(newest)} older ones are left out.")] if len(found) > len(newest) else []
    bad = sum(row[2].mark == "bad" for row in rows)
    networks = len({path.parent.parent for path in newest})
    lead = f"Folder: {build.name or build}. Results: {len(rows)}. Networks: {networks}."
    verdict = f"{bad} not as they should be" if bad else "all well"
    mark: Mark = "bad" if bad else "good"
    return Page("results", "Results", verdict, mark, lead, [Section("Results", [*blocks, *left_out])])


def _row(build: Path, path: Path) -> _Row:
    folder = path.parent
    step, where = folder.name, folder.relative_to(build).as_posix()
    page = f"{where}/{render.NAME}" if (folder / render.NAME).is_file() else ""
    try:
        report = read_json(path, "a report of quantunet", _LIMIT)
        network, verdict, mark, found, date = _summary(step, report)
    except (QuantUNetError, KeyError, TypeError, ValueError, AttributeError) as error:
        network, verdict, mark, date = NOTHING, "cannot be read", "bad", NOTHING
        found = f"{type(error).__name__}: {error}"
    return [
        Cell(network, link=page),
        text(step),
        Cell(verdict, mark=mark),
        text(found),
        text(date),
        Cell(where, code=True),
    ]


def _summary(step: str, report: Any) -> tuple[str, str, Mark, str, str]:
    """Return network, verdict, how it is meant, what was found, and the date of a report."""
    made = report.get("provenance") or {}
    found = {"cosim": _cosim, "hls_synth": _hls_synth, "bitstream": _bitstream, "fifos": _fifos}[step](report)
    passed = report.get("passed")
    mark: Mark = "" if passed is None else "good" if passed else "bad"
    verdict = {None: "measured", True: "passed", False: "not passed"}[passed]
    return str(report["network"]), verdict, mark, found, str(made.get("date") or NOTHING)


def _cosim(report: Mapping[str, Any]) -> str:
    rtl = report["network_rtl"]
    compared = sum(layer["values_compared"] for layer in report["layers"])
    if rtl:
        compared += rtl["values_compared"] + sum(layer["values_compared"] for layer in rtl["layers"])
    wrong = [part["name"] for part in report["layers"] if part["problems"]]
    wrong += ["network"] if rtl and rtl["problems"] else []
    return f"{compared:,} values compared" + (f"; wrong: {', '.join(wrong[:3])}" if wrong else "")


def _hls_synth(report: Mapping[str, Any]) -> str:
    if "total" not in report:
        return f"{len(report['layers'])} layers, by {report['tool']}"
    total = report["total"]
    where = f" for {report['board']}" if report["board"] else ""
    return f"{total['lut']:,} LUT, {total['ff']:,} FF, {total['dsp']:,} DSP, {total['bram']:,} block RAM{where}"


def _bitstream(report: Mapping[str, Any]) -> str:
    clocks = ", ".join(f"{clock['name']} {clock['mhz']:.1f} MHz" for clock in report["clocks"])
    return f"{clocks or 'not routed'} for {report['board']}"


def _fifos(report: Mapping[str, Any]) -> str:
    return f"{len(report['fifos'])} FIFOs, a frame every {report['frame_interval']:,} cycles"
