"""The page of trust, made of its record."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from helpers.project import ROOT

from quantunet.hls.generate.rtl_project import RTL_FOLDER

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOUND = ROOT / "docs" / "found.toml"

Record = Mapping[str, Any]

_HEAD = """# What the exactness rests on

QuantU-Net promises that the simulated hardware computes the same bits as integer Python. Here is what that promise
rests on, part by part, and what was ever found to be wrong. `nox -s trust` runs the parts and makes this page;
`-- proofs coverage` runs some of them, and those that are not run keep what they said. All that is compared are
integers, with `==`.
"""


def page(record: Record) -> str:
    """Return the page, Markdown.

    Args:
        record: What ``docs/trust.json`` holds: an entry for each part that was ever run.
    """
    sections = [_HEAD, _parts(record), _modules(record)]
    sections += [make(record[part]) for part, make in _SECTIONS.items() if part in record]
    return "\n".join([*sections, _found()])


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _count(number: int) -> str:
    return f"{number:,}"


def _parts(record: Record) -> str:
    rows = []
    for name, says in _SAYS.items():
        if name not in record:
            rows.append((name, "not run yet", "", "", ""))
            continue
        part = record[name]
        rows.append(
            (name, says(part), f"`{part['command']}`", f"{part['wall']:,} s", f"{part['date']}, {part['commit']}")
        )
    return "## Parts\n\n" + _table(("part", "outcome", "command", "time", "date and commit"), rows)


def _proofs(part: Record) -> str:
    total = {
        key: sum(each[key] for each in part["modules"].values()) for key in ("settings", "properties", "covers", "open")
    }
    return (
        f"{_count(total['properties'])} properties of {total['settings']} settings proven, {total['open']} open; "
        f"{part['faults_found']} of {part['faults']} seeded faults violate what they must"
    )


def _mutants(part: Record) -> str:
    each = part["modules"].values()
    judged, found = sum(one["judged"] for one in each), sum(one["found"] for one in each)
    same, explained = sum(one["equivalent"] for one in each), sum(len(one["explained"]) for one in each)
    alive, visible = sum(len(one["alive"]) for one in each), judged - same
    share = f"{100 * found / visible:.2f} %" if visible else "none"
    return (
        f"{_count(judged)} mutants: {_count(same)} proven to compute the same, {_count(found)} of the other "
        f"{_count(visible)} found ({share}), {explained} explained, {alive} alive"
    )


def _software(part: Record) -> str:
    each = part["files"].values()
    found, refused, left = (sum(one[kind] for one in each) for kind in ("found", "refused", "left"))
    explained, alive = (sum(len(one[kind]) for one in each) for kind in ("explained", "alive"))
    share = f"{100 * found / (found + alive):.2f} %" if found else "none"
    return (
        f"{_count(found + explained + alive)} mutants of golden and of the C++ headers in {len(each)} files: "
        f"{_count(explained)} explained, {_count(found)} of the other {_count(found + alive)} found ({share}), "
        f"{alive} alive; {refused} more do not compile, {left} are not judged yet"
    )


def _coverage(part: Record) -> str:
    said = []
    for kind, word in (("line", "blocks"), ("branch", "branches"), ("toggle", "bits, each way")):
        points = sum(each["points"].get(kind, 0) for each in part["modules"].values())
        reached = sum(each["reached"].get(kind, 0) for each in part["modules"].values())
        said.append(f"{_count(reached)} of {_count(points)} {word}")
    explained = sum(sum(each["explained"].values()) for each in part["modules"].values())
    missed = sum(len(each["missed"]) for each in part["modules"].values())
    return f"{', '.join(said)}; the others: {_count(explained)} explained, {missed} missed"


def _networks(part: Record) -> str:
    legs = [f"{_count(number)} in {leg}" for leg, number in part["passed"].items()]
    values = sum(part["compared"].values())
    wrong = f"{len(part['failures'])} wrong, each mended since"
    return f"random networks: {', '.join(legs)}; {_count(values)} values compared; {wrong}"


def _resets(part: Record) -> str:
    parts, modules = part["parts"].values(), part["modules"].values()
    sums = {key: sum(each[key] for each in parts) for key in ("designs", "whole", "resets", "values")}
    found, explained, alive = (
        sum(each["found"] for each in modules),
        *(sum(len(each[key]) for each in modules) for key in ("explained", "alive")),
    )
    return (
        f"{_count(sums['resets'])} resets in mid frame of {sums['designs']} designs, {sums['whole']} of them in every "
        f"cycle of two frames, {_count(sums['values'])} values "
        f"compared behind them, {len(part['failures'])} failures; {found} of {found + explained + alive} assignments "
        f"of a reset missed where they are dropped, in {len(modules)} modules, {explained} explained, {alive} alive"
    )


def _faults(part: Record) -> str:
    return f"{part['found']} of {part['faults']} faults written by hand found"


_SAYS = {
    "proofs": _proofs,
    "mutants": _mutants,
    "software": _software,
    "coverage": _coverage,
    "networks": _networks,
    "resets": _resets,
    "faults": _faults,
}


def _modules(record: Record) -> str:
    """One row for each module of the library, whatever is known of it."""
    proofs, mutants, coverage, faults = (
        record.get(part, {}).get("modules", {}) for part in ("proofs", "mutants", "coverage", "faults")
    )
    rows = []
    for file in sorted(RTL_FOLDER.glob("*.sv")):
        module = file.stem
        rows.append(
            (
                f"`{module}`",
                proofs[module]["properties"] if module in proofs else "–",
                _killed(mutants.get(module)),
                *(_share(coverage.get(module), kind) for kind in ("line", "branch", "toggle")),
                _bins(coverage.get(module)),
                faults.get(module, "–"),
            )
        )
    head = (
        "module",
        "properties proven",
        "mutants found, of visible",
        "blocks",
        "branches",
        "bits",
        "bins",
        "faults found",
    )
    return "## Modules\n\n" + _table(head, rows)


def _killed(each: Record | None) -> str:
    return "–" if each is None else f"{each['found']} of {each['judged'] - each['equivalent']}"


def _share(each: Record | None, kind: str) -> str:
    if each is None or not each["points"].get(kind):
        return "–"
    return f"{each['reached'][kind]} of {each['points'][kind]}"


def _bins(each: Record | None) -> str:
    if each is None or each["bins"] is None:
        return "–"
    planned = each["bins"]["planned"]
    return f"{planned - len(each['bins']['missed'])} of {planned}"


def _mutants_left(part: Record) -> str:
    lines = ["## Mutants that live\n"]
    for module, each in part["modules"].items():
        lines += [f"- `{module}`, {mutant}: {why}" for mutant, why in each["explained"]]
        lines += [f"- `{module}`, {mutant}: **alive**" for mutant in each["alive"]]
    return "\n".join(lines if len(lines) > 1 else [*lines, "None."]) + "\n"


def _software_left(part: Record) -> str:
    lines, rows = [], []
    for file, each in part["files"].items():
        by = ", ".join(f"{stage} {_count(number)}" for stage, number in each["by"].items())
        judged = each["found"] + len(each["explained"]) + len(each["alive"])
        rows.append((f"`{file}`", judged, each["found"], by, len(each["explained"]), len(each["alive"]), each["left"]))
        lines += [f"- `{file}`, {mutant}: {why}" for mutant, why in each["explained"]]
        lines += [f"- `{file}`, {mutant}: **alive**" for mutant in each["alive"]]
    table = _table(("file", "judged", "found", "by", "explained", "alive", "not judged"), rows)
    return "\n".join(["## Mutants of golden and of the C++ headers\n", table, *lines]) + "\n"


def _coverage_left(part: Record) -> str:
    lines = ["## What no bench reaches\n\nBlocks, branches and bits each way, by module and reason:\n"]
    for module, each in part["modules"].items():
        lines += [f"- `{module}.sv`, {_count(points)}: {why}" for why, points in sorted(each["explained"].items())]
        lines += [f"- `{module}.sv`, line {what}: **missed**" for what in each["missed"]]
        lines += [f"- `{module}`: **not run: {what}**" for what in (each["bins"] or {"missed": ()})["missed"]]
    return "\n".join(lines if len(lines) > 1 else [*lines, "Nothing is left."]) + "\n"


def _networks_left(part: Record) -> str:
    rows = [(leg, _count(part["passed"][leg]), _count(part["compared"].get(leg, 0))) for leg in part["passed"]]
    return "## Random networks\n\n" + _table(("leg", "networks", "values compared"), rows)


def _resets_left(part: Record) -> str:
    rows = [
        (part_name, *(_count(sums[key]) for key in ("designs", "whole", "resets", "values")))
        for part_name, sums in part["parts"].items()
    ]
    lines = [_RESETS, _table(("bench", "designs", "in every cycle", "resets", "values compared behind them"), rows)]
    left = [
        f"- `{module}`, `{text}`: {why}"
        for module, each in part["modules"].items()
        for text, why in [*each["explained"], *((one, "**alive**") for one in each["alive"])]
    ]
    if left:
        lines += ["Assignments of a reset that nobody misses:\n", "\n".join(left) + "\n"]
    return "\n".join(lines)


_RESETS = """## Resets in mid frame

Every case of every op's bench, and a whole network with a fork, FIFOs and a frame check, is reset again and again:
in every cycle of two frames, or, where that is more than some millions of cycles, at as many places as these allow.
At each place the frames before the reset come four times: without stalls, with random ones on both sides, into a
reader that takes nothing, and with random stalls again. Resets last one to three cycles. The two frames behind
each, from another picture than the ones before, have to be golden's from their first beat on, nothing else may come
out, a reset shows no `tvalid`, and no assertion may fail. Then every assignment under `if (!rst_n)` is dropped in
turn, module by module; what is found is a reset that forgets a register. The serial side, AXI4-Lite and the frame
check have benches of their own for that.
"""

_SECTIONS = {
    "mutants": _mutants_left,
    "software": _software_left,
    "coverage": _coverage_left,
    "networks": _networks_left,
    "resets": _resets_left,
}


def _found() -> str:
    found = tomllib.loads(FOUND.read_text(encoding="utf-8"))["found"]
    rows = [(each["what"], each["leg"], f"`{each['commit']}`") for each in found]
    return "## What was found, and by what\n\n" + _table(("what was wrong", "shown first by", "mended in"), rows)
