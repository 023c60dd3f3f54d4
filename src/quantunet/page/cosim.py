"""The page of ``quantunet cosim``: what was compared, what differs and where, cycles, FIFOs, codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quantunet.errors import QuantUNetError
from quantunet.page.parts import (
    Bar,
    Bars,
    Block,
    Cell,
    Facts,
    Histogram,
    Histograms,
    Mark,
    Note,
    Page,
    Picture,
    Pictures,
    Section,
    Table,
    bars,
    number,
    percent,
    text,
)
from quantunet.page.pictures import class_legend
from quantunet.page.provenance import provenance
from quantunet.page.vcd import cut

COLUMNS = 128
"""Columns of a histogram at most."""

_MARKS: Mapping[str, Mark] = {"passed": "good", "failed": "bad", "tool failed": "bad"}
_NAME = "network"


def cosim_page(
    report: Mapping[str, Any],
    pictures: Sequence[Picture] = (),
    counts: Mapping[str, Sequence[int]] | None = None,
    back: str = "",
    classes: Sequence[str] = (),
) -> Page:
    """Return the page of a co-simulation.

    Args:
        report: What ``report.json`` holds.
        pictures: Input, mask, and both in one.
        counts: For a tensor's name, how often each range of its codes occurs.
        back: A file that leads to other pages.
        classes: Names of the classes; empty where nobody says them.
    """
    rtl = report["network_rtl"]
    wrong = [part for part in _parts(report) if part[1]["problems"]]
    verdict, mark, lead = _verdict(report)
    return Page(
        "cosim",
        report["network"],
        verdict,
        mark,
        lead,
        [
            Section("In figures", [Facts(_figures(report), large=True)]),
            Section("What is wrong", [block for name, part in wrong for block in _problems(name, part)]),
            Section("Input and mask", _shown(pictures, classes, report["image"])),
            Section("Layers", _layers(report["layers"])),
            Section("Widths", _widths(report["layers"])),
            Section("Cycles", [*_cycles(report["layers"]), *_network(rtl)]),
            Section("FIFOs", _fifos(rtl)),
            Section("Codes", _codes(report["tensors"], counts or {})),
            provenance(report["provenance"]),
        ],
        back,
    )


def _shown(pictures: Sequence[Picture], classes: Sequence[str], image: str) -> list[Block]:
    return [*class_legend(classes), Pictures(pictures), Note(f"Image: {image}")] if pictures else []


def _parts(report: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the layers alone, and the whole network, each with its name."""
    parts = [(layer["name"], layer) for layer in report["layers"]]
    return [*parts, *([(_NAME, report["network_rtl"])] if report["network_rtl"] else [])]


def _compared(report: Mapping[str, Any]) -> int:
    rtl = report["network_rtl"]
    inside = rtl["values_compared"] + sum(layer["values_compared"] for layer in rtl["layers"]) if rtl else 0
    alone: int = sum(layer["values_compared"] for layer in report["layers"])
    return alone + int(inside)


def _verdict(report: Mapping[str, Any]) -> tuple[str, Mark, str]:
    compared = f"{_compared(report):,}"
    if report["passed"]:
        lead = f"Each of {compared} values that were compared equals integer Python, bit for bit, and so do the cycles."
        return "exact", "good", lead
    bad = [name for name, part in _parts(report) if part["problems"]]
    names = ", ".join(bad[:5]) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
    states = [part.get(leg) for _, part in _parts(report) for leg in ("hls", "rtl")]
    if "failed" in states:
        return "differs", "bad", f"{compared} values were compared. Not as it should be: {names}."
    return "not compared", "bad", f"A tool failed before everything was compared: {names or 'nothing was compared'}."


def _figures(report: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    layers, rtl = report["layers"], report["network_rtl"]
    differing = sum(layer["hls_mismatches"] + layer["rtl_mismatches"] for layer in layers)
    if rtl:
        differing += rtl["mismatches"] + sum(layer["mismatches"] for layer in rtl["layers"])
    found = [
        ("values compared", number(_compared(report))),
        ("values that differ", number(differing, mark="bad" if differing else "")),
    ]
    if layers:
        exact = sum(not layer["problems"] and _is_done(layer) for layer in layers)
        found.append(("layers exact, alone", Cell(f"{exact} of {len(layers)}")))
    if rtl:
        inside = sum(layer["values_compared"] > 0 and not layer["mismatches"] for layer in rtl["layers"])
        found.append(("layers exact, inside the network", Cell(f"{inside} of {len(rtl['layers'])}")))
        found.append(("cycles between frames", number(rtl["frame_interval"] or None)))
        wrong = rtl["mask_mismatches"]
        found.append(
            ("mask pixels that differ", Cell(f"{wrong} of {rtl['mask_pixels']:,}", mark="bad" if wrong else ""))
        )
    return [*found, ("simulator", text(report["simulator"])), ("took", number(report["seconds"], unit="s"))]


def _is_done(layer: Mapping[str, Any]) -> bool:
    legs = {layer["hls"], layer["rtl"]}
    return "passed" in legs and legs <= {"passed", "left out"}


def _problems(name: str, part: Mapping[str, Any]) -> list[Block]:
    found: list[Block] = [Note(f"{name}: {problem}", "bad") for problem in part["problems"]]
    for leg, key in (("HLS", "hls_first"), ("RTL", "rtl_first"), ("RTL", "first")):
        first = part.get(key)
        if first:
            where = [(axis, number(first[axis])) for axis in ("frame", "y", "x", "channel")]
            values = [("golden", number(first["expected"])), (leg, number(first["got"], mark="bad"))]
            found += [Note(f"{name}: the first value of the {leg} that differs"), Facts([*where, *values], large=True)]
    if part["waveform"]:
        found += _waveform(Path(part["waveform"]), part["waveform_cycle"])
    return found


def _waveform(path: Path, cycle: int | None) -> list[Block]:
    said = f"The whole recording: {path}"
    try:
        wave = cut(path, cycle)
    except QuantUNetError as error:
        return [Note(f"No waveform is shown: {error}", "warn"), Note(said)]
    return [Note(f"{said} (too large to be shown here)")] if wave is None else [wave, Note(said)]


def _layers(layers: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not layers:
        return []
    head = ("layer", "op", "HLS", "RTL", "output", "PE", "SIMD", "values", "differ HLS", "differ RTL",
            "cycles", "predicted", "ideal")  # fmt: skip
    rows = [
        [
            text(layer["name"]),
            text(layer["op"]),
            text(layer["hls"], _MARKS.get(layer["hls"], "")),
            text(layer["rtl"], _MARKS.get(layer["rtl"], "")),
            text(" × ".join(str(size) for size in layer["shape_out"])),
            number(layer["pe"]),
            number(layer["simd"]),
            number(layer["values_compared"]),
            *(number(layer[key], mark="bad" if layer[key] else "") for key in ("hls_mismatches", "rtl_mismatches")),
            number(layer["cycles"]),
            number(layer["cycles_predicted"]),
            number(layer["cycles_ideal"]),
        ]
        for layer in layers
    ]
    caption = "Each layer alone, with the input that golden computed for it; the output is height × width × channels"
    return [Table(caption, head, rows, names=5)]


def _widths(layers: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not layers:
        return []
    head = ("layer", "input", "weights", "output")
    rows = [
        (layer["name"], [number(layer["bits_in"]), number(layer["bits_w"] or None), number(layer["bits_out"])])
        for layer in layers
    ]
    return [bars("Bits of a value, by layer", head, rows, common=True)]


def _cycles(layers: Sequence[Mapping[str, Any]]) -> list[Block]:
    simulated = [layer for layer in layers if layer["cycles"]]
    if not simulated:
        return []
    head = ("layer", "simulated", "predicted", "ideal")
    rows = [
        (
            layer["name"],
            [
                number(layer["cycles"], mark="" if _as_predicted(layer) else "bad"),
                number(layer["cycles_predicted"]),
                number(layer["cycles_ideal"]),
            ],
        )
        for layer in simulated
    ]
    caption = "Cycles of a frame, by layer, each alone; ideal is what its busiest resource has work for"
    return [bars(caption, head, rows, common=True)]


def _as_predicted(layer: Mapping[str, Any]) -> bool:
    return bool(layer["stalls"] != "none" or layer["cycles"] == layer["cycles_predicted"])


def _network(rtl: Mapping[str, Any] | None) -> list[Block]:
    if not rtl or not rtl["layers"]:
        return []
    facts = [
        ("first output after", number(rtl["first_output"], unit="cycles")),
        ("predicted", number(rtl["first_output_predicted"] or None, unit="cycles")),
        ("between the last frames", number(rtl["frame_interval"] or None, unit="cycles")),
        ("predicted", number(rtl["frame_interval_predicted"] or None, unit="cycles")),
        ("slowest layer", number(rtl["frame_interval_ideal"], unit="cycles")),
        ("first frame", number(rtl["cycles"], unit="cycles")),
    ]
    end = max(layer["last_cycle"] for layer in rtl["layers"]) or 1
    rows = [
        (
            layer["name"],
            [
                Bar(
                    Cell(f"{layer['first_cycle']:,} to {layer['last_cycle']:,}"),
                    (layer["last_cycle"] - layer["first_cycle"]) / end,
                    layer["first_cycle"] / end,
                    "bad" if layer["mismatches"] else "",
                )
            ],
        )
        for layer in rtl["layers"]
    ]
    caption = f"When each layer writes inside the network, over {rtl['frames']} adjacent frames, in cycles"
    return [
        Note("The whole network as one design"),
        Facts(facts, large=True),
        Bars(caption, ("layer", "from first to last beat"), rows),
    ]


def _fifos(rtl: Mapping[str, Any] | None) -> list[Block]:
    if not rtl or not rtl["fifo_max_fill"]:
        return []
    rows = []
    for name, (depth, fill) in sorted(rtl["fifo_max_fill"].items(), key=lambda item: -item[1][0]):
        cell = Cell(f"{fill:,} of {depth:,}", fill)
        rows.append((name, [Bar(cell, fill / depth if depth else 0.0)]))
    stalls = "without stalls" if rtl["stalls"] == "none" else f"with stalls: {rtl['stalls']}"
    caption = f"The most beats that each FIFO held, of its depth, {stalls}"
    return [Bars(caption, ("FIFO", "fill"), rows)]


def _codes(tensors: Sequence[Mapping[str, Any]], counts: Mapping[str, Sequence[int]]) -> list[Block]:
    if not tensors:
        return []
    single = [tensor["name"] for tensor in tensors if tensor["codes"] < 2]
    warning = (
        [Note(f"One code only, so that a comparison proves little: {', '.join(single)}.", "warn")] if single else []
    )
    items = [
        Histogram(
            f"{tensor['name']}, {tensor['type']}",
            *_ends(tensor),
            counts[tensor["name"]],
            [
                Cell(
                    f"{tensor['codes']:,} of {1 << tensor['bits']:,} codes, {tensor['dead_codes']:,} never",
                    tensor["dead_codes"],
                ),
                percent(tensor["zero_share"], unit="% zero"),
                *([percent(tensor["saturated_share"], unit="% at an end")] if tensor["saturated_share"] else []),
            ],
        )
        for tensor in tensors
        if tensor["name"] in counts
    ]
    head = ("tensor", "type", "values", "codes", "never", "zero", "at an end", "channels", "constant channels")
    rows = [
        [
            text(tensor["name"]),
            text(tensor["type"]),
            number(tensor["values"]),
            number(tensor["codes"]),
            number(tensor["dead_codes"]),
            number(tensor["zero_share"], 4),
            number(tensor["saturated_share"], 4),
            number(tensor["channels"]),
            number(tensor["constant_channels"]),
        ]
        for tensor in tensors
    ]
    caption = (
        "How often golden's tensors take each code, the root of it, from the least code to the greatest; a red mark "
        "below the line stands where nothing is"
    )
    blocks: list[Block] = [*warning]
    if items:
        blocks.append(Note(f"{caption}. Types are s or u, bits, and fractional bits."))
        blocks.append(Histograms("Histograms", items))
    return [*blocks, Table("Codes of every tensor", head, rows, names=2, folded=True)]


def _ends(tensor: Mapping[str, Any]) -> tuple[str, str]:
    bits = tensor["bits"]
    if tensor["type"].startswith("s"):
        return f"{-(1 << (bits - 1)):,}", f"{(1 << (bits - 1)) - 1:,}"
    return "0", f"{(1 << bits) - 1:,}"
