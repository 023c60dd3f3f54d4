"""How much of the SystemVerilog library the benches reach: ``nox -s coverage``, or ``python -m helpers.coverage``.

Verilator counts, in every simulation, how often each block and each branch was taken and how often each bit rose and
fell. The counts of all instances of a module are added up, whatever their parameters: a branch counts as reached where
one of them takes it. What only checks (the macros of ``qun_assert.svh`` and what stands between
``ifdef QUN_ASSERT_ACTIVE`` and ``endif``) is left out, for it is not meant to be reached. What cannot be reached
stands with its reason in ``coverage_reasons.toml``; a reason that nothing needs any more is an error.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.coverage_bins import BINS_SUFFIX, Tally, hit_bins
from helpers.project import ROOT

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim.verilator import COVERAGE
from quantunet.storage import write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = ("line", "branch", "toggle")
REASONS = Path(__file__).with_name("coverage_reasons.toml")

_FIELD, _VALUE = "\x01", "\x02"
_FUNCTION = re.compile(r"^\s*function automatic [^(]*?(\w+)\(")
_CHECK = re.compile(r"^\s*`QUN_ASSERT")
_CHECKING, _ENDING = re.compile(r"^\s*`ifdef QUN_ASSERT_ACTIVE"), re.compile(r"^\s*`endif")


@dataclass(frozen=True, order=True)
class Point:
    """What is counted: a block, a branch, or a bit that rises or falls.

    Attributes:
        module: Of the library.
        line: In its file, from 1.
        kind: One of :data:`KINDS`.
        what: Verilator's word for it: ``if``, ``else``, ``block``, ``valid_q:0->1``, with its column where the line has
            several.
    """

    module: str
    line: int
    kind: str
    what: str


def read_counts(files: Iterable[Path]) -> Counter[Point]:
    """Add up the counts of simulations, over the instances of each module of the library.

    Raises:
        ValueError: A line of a file is not one of Verilator's.
    """
    counts: Counter[Point] = Counter()
    for file in files:
        for line in file.read_text(encoding="latin-1").splitlines():
            if not line.startswith("C "):
                continue
            body, _, count = line[3:].rpartition("' ")
            fields = dict(part.split(_VALUE, 1) for part in body.split(_FIELD) if part)
            module = Path(fields["f"]).stem
            kind = fields["page"].split("/")[0].removeprefix("v_")
            own = Path(fields["f"]).parent == RTL_FOLDER  # a copy may have a fault in it
            if own and kind in KINDS and is_counted(module, int(fields["l"])):
                what = fields["o"] if kind == "toggle" else f"{fields['o']} in column {fields['n']}"
                counts[Point(module, int(fields["l"]), kind, what)] += int(count)
    return counts


def with_absent(counts: Counter[Point]) -> Counter[Point]:
    """Return the counts with a point for each module of the library that no simulation has: it is missed as a whole."""
    seen = {point.module for point in counts}
    absent = [file.stem for file in sorted(RTL_FOLDER.glob("*.sv")) if file.stem not in seen]
    return (
        Counter({**counts, **{Point(module, 1, "line", "not simulated"): 0 for module in absent}}) if seen else counts
    )


def is_counted(module: str, line: int) -> bool:
    """Return whether a line is one of the library's that does not only check."""
    checks = _checks(module)
    return checks is not None and line not in checks


@cache
def _checks(module: str) -> frozenset[int] | None:
    file = RTL_FOLDER / f"{module}.sv"
    if not file.is_file():
        return None
    checks, inside, depth = set(), False, 0
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        inside = inside or _CHECKING.match(text) is not None
        if inside or depth or _CHECK.match(text):
            checks.add(number)
        if depth or _CHECK.match(text):  # a call goes on until its parenthesis closes
            depth += text.count("(") - text.count(")")
        inside = inside and _ENDING.match(text) is None
    return frozenset(checks)


@dataclass(frozen=True)
class Reason:
    """Why something is not reached.

    Attributes:
        module: Where it is.
        why: The reason.
        line: Text that stands in its line.
        what: Regular expression for :attr:`Point.what`, whole.
        function: Name of the function that it stands in; empty for any place.
    """

    module: str
    why: str
    line: str = ""
    what: str = ".*"
    function: str = ""

    def explains(self, point: Point) -> bool:
        """Return whether a point is one of those that it is the reason for."""
        return (
            point.module == self.module
            and self.line in source_line(point.module, point.line)
            and re.fullmatch(self.what, point.what) is not None
            and self.function in ("", _function(point.module, point.line))
        )


def reasons(file: Path = REASONS) -> tuple[Reason, ...]:
    """Return the reasons of a file: one for each module and each function where it names several."""
    found = []
    for each in tomllib.loads(file.read_text(encoding="utf-8")).get("reason", ()):
        modules, functions = (_listed(each.get(key, "")) for key in ("module", "function"))
        for module, function in itertools.product(modules, functions):
            found.append(Reason(**{**each, "module": module, "function": function}))
    return tuple(found)


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def source_line(module: str, line: int) -> str:
    """Return a line of the library, without its indentation."""
    return _lines(module)[line - 1].strip()


@cache
def _function(module: str, line: int) -> str:
    """Return the name of the function that a line stands in; empty where it stands in none."""
    name, ended = "", False
    for text in _lines(module)[:line]:
        begin = _FUNCTION.match(text)
        name = begin[1] if begin else "" if ended else name
        ended = "endfunction" in text
    return name


@cache
def _lines(module: str) -> tuple[str, ...]:
    return tuple((RTL_FOLDER / f"{module}.sv").read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True)
class ModuleCoverage:
    """What is reached of one module.

    Attributes:
        points: Points by kind.
        reached: Those of them that are reached, by kind.
        explained: Those that are not, and why.
        missed: Those that are not reached without a reason, in the file's order.
    """

    points: Mapping[str, int]
    reached: Mapping[str, int]
    explained: Mapping[Point, str]
    missed: tuple[Point, ...]


def by_module(counts: Mapping[Point, int], why: Sequence[Reason]) -> dict[str, ModuleCoverage]:
    """Return what is reached of each module that was simulated."""
    found: dict[str, ModuleCoverage] = {}
    for module in sorted({point.module for point in counts}):
        own = {point: count for point, count in counts.items() if point.module == module}
        zero = sorted(point for point, count in own.items() if not count)
        explained = {point: reason.why for point in zero for reason in why if reason.explains(point)}
        points = Counter(point.kind for point in own)
        found[module] = ModuleCoverage(
            points,
            {kind: points[kind] - sum(point.kind == kind for point in zero) for kind in KINDS},
            explained,
            tuple(point for point in zero if point not in explained),
        )
    return found


def idle_reasons(counts: Mapping[Point, int], why: Sequence[Reason]) -> list[Reason]:
    """Return the reasons of simulated modules that explain nothing that was missed."""
    zero = [point for point, count in counts.items() if not count]
    modules = {point.module for point in counts}
    return [each for each in why if each.module in modules and not any(each.explains(point) for point in zero)]


def _share(found: ModuleCoverage, kind: str) -> str:
    return f"{found.reached[kind]} of {found.points[kind]}" if found.points[kind] else "–"


def table(found: Mapping[str, ModuleCoverage], bins: Mapping[str, Tally]) -> list[str]:
    """Return the rows of a Markdown table."""
    rows = ["| module | blocks | branches | bits, each way | explained | missed | bins of the plan |", "|" + "---|" * 7]
    for module, each in found.items():
        shares = " | ".join(_share(each, kind) for kind in KINDS)
        tally = bins.get(module)
        planned = "–" if tally is None else f"{tally.hit} of {tally.planned}"
        rows.append(f"| `{module}` | {shares} | {len(each.explained)} | {len(each.missed)} | {planned} |")
    return rows


def document(found: Mapping[str, ModuleCoverage], bins: Mapping[str, Tally], seconds: float) -> dict[str, object]:
    """Return what a file of the results says."""
    modules = {}
    for module, each in found.items():
        modules[module] = {
            "points": dict(each.points),
            "reached": dict(each.reached),
            "explained": dict(Counter(each.explained.values())),
            "missed": [f"{point.line} {point.kind} {point.what}" for point in each.missed],
            "bins": None if module not in bins else {"planned": bins[module].planned, "missed": bins[module].missed},
        }
    return {"seconds": round(seconds, 1), "modules": modules}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s coverage --", description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", nargs="+", default=["tests/rtl_sim"], help="what to run (%(default)s)")
    parser.add_argument(
        "--counts", type=Path, default=ROOT / "build" / "coverage", help="folder of counts (%(default)s)"
    )
    parser.add_argument("--keep", action="store_true", help="add to the counts that are there, and run nothing twice")
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    parser.add_argument("--module", action="append", help="list only this module; may be repeated")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "coverage.json", help="the result (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="tests at a time (%(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches, add up, print; 1 if something is missed without a reason, or nothing was counted."""
    options = _parser().parse_args(arguments)
    begin = time.monotonic()
    if not options.report_only:
        if not options.keep:
            for old in [*options.counts.glob("*.dat"), *options.counts.glob(f"*{BINS_SUFFIX}")]:
                old.unlink()
        pytest = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-n",
            str(options.jobs),
            *options.tests,
        ]
        done = subprocess.run(pytest, cwd=ROOT, env={**os.environ, COVERAGE: str(options.counts)}, check=False)
        if done.returncode:
            return done.returncode
    counts = with_absent(read_counts(sorted(options.counts.glob("*.dat"))))
    why = reasons()
    bins = hit_bins(sorted(options.counts.glob(f"*{BINS_SUFFIX}")))
    found = by_module(counts, why)
    shown = {module: each for module, each in found.items() if module in (options.module or [module])}
    lines = table(shown, bins)
    for each in shown.values():
        lines += [
            f"{point.module}.sv:{point.line}: {point.kind} {point.what}: {source_line(point.module, point.line)}"
            for point in each.missed
        ]
    lines += [f"{name}: not run: {each}" for name, tally in bins.items() if name in shown for each in tally.missed]
    idle = idle_reasons(counts, why)
    lines += [f"{REASONS.name}: {each.module}, {each.line}: everything there was reached" for each in idle]
    sys.stdout.write("\n".join(lines) + "\n")
    seconds = time.monotonic() - begin
    write_text(options.out, json.dumps(document(found, bins, seconds), indent=1) + "\n")
    missed = sum(len(each.missed) for each in shown.values()) + sum(len(tally.missed) for tally in bins.values())
    sys.stdout.write(f"{len(shown)} modules, {len(counts)} points, {missed} missed, {seconds:.0f} s\n")
    return int(bool(missed or idle or not counts))


if __name__ == "__main__":
    sys.exit(main())
