"""The page of ``quantunet bitstream``: whether it fits, the clock that it reaches, and what limits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantunet.page.parts import Bar, Bars, Block, Cell, Facts, Mark, Note, Page, Section, Table, number, text
from quantunet.page.provenance import provenance


def bitstream_page(report: Mapping[str, Any], back: str = "") -> Page:
    """Return the page of a network on its way into a device.

    Args:
        report: What ``report.json`` holds.
        back: A file that leads to other pages.
    """
    verdict = "fits" if report["passed"] else "too slow" if report["fits"] else "does not fit"
    lead = (
        f"The whole network as one design for {report['board']} ({report['device']}), with "
        f"{' and '.join(report['tools'])}; {report['frequency_mhz']:g} MHz were asked for."
    )
    return Page(
        "bitstream",
        report["network"],
        verdict,
        "good" if report["passed"] else "bad",
        lead,
        [
            Section(
                "In figures", [Facts(_figures(report), large=True), *(Note(one, "bad") for one in report["problems"])]
            ),
            Section("Cells of the device", _cells(report["cells"])),
            Section("What limits the clock", _paths(report["paths"])),
            Section("Seeds", [_seeds(report)]),
            Section("Steps", [_steps(report["steps"]), _synthesis(report["synthesis"])]),
            provenance(report["provenance"]),
        ],
        back,
    )


def _figures(report: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    found = [
        (f"{clock['name']} reaches", number(clock["mhz"], 1, "MHz", "" if clock["passes"] else "bad"))
        for clock in report["clocks"]
    ]
    found += [(f"{clock['name']} needs", number(clock["needed_mhz"], 1, "MHz")) for clock in report["clocks"]]
    found += [("top module", text(report["top"])), ("best seed", number(report["best_seed"]))]
    packed = report["bitstream"]
    if packed:
        found.append(("bitstream", Cell(f"{packed['bytes']:,} bytes", packed["bytes"], link=packed["file"])))
    return found


def _cells(cells: Sequence[Mapping[str, Any]]) -> list[Block]:
    rows = []
    for cell in cells:
        mark: Mark = "bad" if cell["used"] > cell["available"] else ""
        shown = Cell(f"{cell['used']:,} of {cell['available']:,} ({cell['percent']:.1f} %)", cell["used"], mark)
        rows.append((cell["kind"], [Bar(shown, cell["percent"] / 100, mark=mark)]))
    return [Bars("Cells used, of those that the device has", ("cell", "used"), rows)] if rows else []


def _paths(paths: Mapping[str, Any] | None) -> list[Block]:
    if not paths:
        return []
    return [*_latest("The latest path that ends in each layer", "layer", paths["by_layer"]),
            *_latest("The latest path of each kind", "kind", paths["by_kind"])]  # fmt: skip


def _latest(caption: str, key: str, paths: Sequence[Mapping[str, Any]]) -> list[Block]:
    top = max((path["arrival_ns"] for path in paths), default=0) or 1
    rows = [(path[key], [Bar(number(path["arrival_ns"], 2, "ns"), path["arrival_ns"] / top)]) for path in paths]
    other = "kind" if key == "layer" else "layer"
    ends = [
        [text(path[key]), text(path[other]), text(path["signal"], code=True), number(path["arrival_ns"], 3),
         text(f"{1000 / path['arrival_ns']:.1f}" if path["arrival_ns"] else None), number(path["count"])]
        for path in paths
    ]  # fmt: skip
    head = (key, other, "ends at", "ns", "MHz", "ends of the group")
    return [
        Bars(f"{caption}: when its data arrive after the clock", (key, "arrival"), rows),
        Table(f"{caption}, in full", head, ends, names=3, folded=True),
    ]


def _seeds(report: Mapping[str, Any]) -> Table:
    rows = []
    for seed in report["seeds"]:
        took = [number(seed["seconds"], 1), number(seed["cpu_seconds"], 1), number(seed["memory_mib"])]
        head = [Cell(str(seed["seed"]), seed["seed"])]
        if not seed["clocks"]:
            rows.append([*head, text(seed["failure"] or "no clock", "bad"), text(None), text(None), *took])
        for clock in seed["clocks"]:
            late: Mark = "bad" if clock["mhz"] < clock["needed_mhz"] else ""
            rows.append(
                [*head, text(clock["name"]), number(clock["mhz"], 2, mark=late), number(clock["needed_mhz"], 2), *took]
            )
    head_row = ("seed", "clock", "MHz", "needs", "s", "processor s", "MiB")
    return Table(f"Place and route with each seed; the best is {report['best_seed']}", head_row, rows, names=2)


def _steps(steps: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        [
            text(step["step"]),
            text("done before" if step["cached"] else "done now"),
            number(step["seconds"], 1),
            number(step["memory_mib"]),
        ]
        for step in steps
    ]
    return Table("Steps", ("step", "", "s", "MiB"), rows, names=2)


def _synthesis(usage: Mapping[str, Any]) -> Table:
    rows = [
        [text(name.replace("_", " ")), number(value)] for name, value in usage.items() if isinstance(value, int | float)
    ]
    return Table("Cells after synthesis, before packing", ("cell", "count"), rows, folded=True)
