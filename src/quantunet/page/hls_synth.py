"""The page of ``quantunet hls_synth``: area by layer, shares of a board, and what limits the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantunet.page.parts import (
    Bar,
    Bars,
    Block,
    Cell,
    Facts,
    Mark,
    Note,
    Page,
    Section,
    Table,
    bars,
    number,
    text,
)
from quantunet.page.provenance import provenance

RESOURCES = (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"), ("bram", "block RAM"))
"""Keys of the report, and how they are called."""

_DEEPEST = 12


def hls_synth_page(report: Mapping[str, Any], back: str = "") -> Page:
    """Return the page of a synthesis with Yosys.

    Args:
        report: What ``report.json`` holds.
        back: A file that leads to other pages.
    """
    layers, total = report["layers"], report["total"]
    verdict, mark, lead = _verdict(report)
    return Page(
        "hls_synth",
        report["network"],
        verdict,
        mark,
        lead,
        [
            Section("In figures", [Facts(_figures(report), large=True), *_problems(report)]),
            Section("Shares of the board", _shares(report)),
            Section("Area by layer", _area(layers, report["plumbing"])),
            Section("What limits the clock", _depths([*layers, *report["plumbing"]])),
            Section("Layers", _table(layers, total)),
            Section("Widths", _widths(layers)),
            provenance(report["provenance"]),
        ],
        back,
    )


def vitis_page(report: Mapping[str, Any], back: str = "") -> Page:
    """Return the page of a synthesis with Vitis HLS.

    Args:
        report: What ``report_vitis.json`` holds.
        back: A file that leads to other pages.
    """
    keys = ("lut", "ff", "dsp", "bram_18k", "latency", "interval")
    rows = [
        [text(layer["name"]), *(number(layer[key]) for key in keys), number(layer["clock_ns"], 2)]
        for layer in report["layers"]
    ]
    head = ("layer", "LUT", "FF", "DSP", "BRAM_18K", "latency", "interval", "clock in ns")
    passed = report["passed"]
    lead = f"Vitis HLS estimated {len(rows)} layers. Its estimates are not compared with a board."
    sections = [
        Section("Layers", [*_problems(report), Table("Estimates of Vitis HLS", head, rows)]),
        provenance(report["provenance"]),
    ]
    return Page(
        "hls_synth",
        report["network"],
        "estimated" if passed else "failed",
        "good" if passed else "bad",
        lead,
        sections,
        back,
    )


def _verdict(report: Mapping[str, Any]) -> tuple[str, Mark, str]:
    layers = f"{len(report['layers'])} layers and {len(report['plumbing'])} parts between them"
    where = (
        f"for {report['board']} ({report['device']})"
        if report["board"]
        else f"for a device of the family {report['family']}"
    )
    lead = f"{layers}, each synthesised alone with {report['tool']} {where}."
    if report["fits"] is False:
        return "does not fit", "bad", lead
    if not report["passed"]:
        return "failed", "bad", lead
    return ("fits", "good", lead) if report["fits"] else ("synthesised", "good", lead)


def _figures(report: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    total = report["total"]
    return [
        *((name, number(total[key])) for key, name in RESOURCES),
        ("MACs of a frame", number(total["macs"])),
        ("cycles of the slowest layer", number(total["cycles_predicted_max"])),
        ("deepest logic, in cells", number(total["logic_depth_max"])),
        ("took", number(report["seconds"], unit="s")),
    ]


def _problems(report: Mapping[str, Any]) -> list[Block]:
    parts = [*report["layers"], *report.get("plumbing", ())]
    concerns = [Note(f"{part['name']}: {one}", "warn") for part in parts for one in part.get("concerns", ())]
    return [*(Note(problem, "bad") for problem in report["problems"]), *concerns]


def _shares(report: Mapping[str, Any]) -> list[Block]:
    total = report["total"]
    if "lut_percent" not in total:
        return []
    rows = []
    for key, name in RESOURCES:
        share = total[f"{key}_percent"]
        mark: Mark = "bad" if share > 100 else ""
        rows.append((name, [Bar(number(share, 1, "%", mark), share / 100, mark=mark)]))
    caption = f"What the network takes of {report['board']}, layer by layer; place and route packs it differently"
    return [Bars(caption, ("resource", "share of the board's budget"), rows)]


def _area(layers: Sequence[Mapping[str, Any]], plumbing: Sequence[Mapping[str, Any]]) -> list[Block]:
    rows = [(layer["name"], [number(layer[key]) for key, _ in RESOURCES]) for layer in layers]
    if plumbing:
        sums = [number(sum(part[key] for part in plumbing)) for key, _ in RESOURCES]
        rows.append((f"between layers ({len(plumbing)})", sums))
    return [bars("Cells by layer", ("layer", *(name for _, name in RESOURCES)), rows)] if rows else []


def _depths(parts: Sequence[Mapping[str, Any]]) -> list[Block]:
    deepest = sorted(parts, key=lambda part: -part["logic_depth"])[:_DEEPEST]
    if not deepest:
        return []
    rows = [(part["name"], [number(part["logic_depth"])]) for part in deepest]
    ends = [
        [text(part["name"]), text(part["longest_path"][0], code=True), text(part["longest_path"][1], code=True)]
        for part in deepest
    ]
    return [
        bars("Cells in a row between two registers, of the deepest parts", ("part", "logic depth"), rows),
        Table("Where these paths begin and end", ("part", "from", "to"), ends, names=3, folded=True),
        Note("Depth counts cells, not time. The command quantunet bitstream measures the clock in the device."),
    ]


def _table(layers: Sequence[Mapping[str, Any]], total: Mapping[str, Any]) -> list[Block]:
    head = ("layer", "op", "style", "PE", "SIMD", "MACs", "cycles", *(name for _, name in RESOURCES), "LUT as RAM",
            "carry", "depth", "s", "MiB")  # fmt: skip
    keys = ("pe", "simd", "macs", "cycles_predicted", *(key for key, _ in RESOURCES), "lutram", "carry", "logic_depth",
            "seconds", "memory_mib")  # fmt: skip
    rows = [
        [text(layer["name"]), text(layer["op"]), text(layer["style"]), *(number(layer[key]) for key in keys)]
        for layer in layers
    ]
    return [Table("Each layer alone", head, rows, names=3)] if rows else []


def _widths(layers: Sequence[Mapping[str, Any]]) -> list[Block]:
    rows = [
        (layer["name"], [number(layer["bits_in"]), number(layer["bits_w"] or None), number(layer["bits_out"])])
        for layer in layers
    ]
    head = ("layer", "input", "weights", "output")
    return [bars("Bits of a value, by layer", head, rows, common=True)] if rows else []
