"""The functional bins of ``coverage_plan.toml``: combinations of widths, signs, lanes, edges and stalls that are run.

A bench of cases (:func:`helpers.benches.cases.run_cases`) leaves a file beside the simulator's counts that says what it
ran: a line for each module instance, with its streams and the scenarios that it went through. The plan names for each
module the axes that are crossed; every combination has to occur, but those that the plan leaves out with a reason.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quantunet.rtl_sim.verilator import COVERAGE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from helpers.benches.cases import Case

    from quantunet.hls.design import Stream

PLAN = Path(__file__).with_name("coverage_plan.toml")
BINS_SUFFIX = ".bins.jsonl"

BITS = {"1": (1, 1), "2-4": (2, 4), "5-8": (5, 8), "9-16": (9, 16)}
SIGNS = ("signed", "unsigned")
VALUES: dict[str, tuple[str, ...]] = {
    "in_bits": tuple(BITS),
    "out_bits": tuple(BITS),
    "in_sign": SIGNS,
    "other_sign": SIGNS,
    "out_sign": SIGNS,
    "lanes": ("one", "some", "all"),
    "out_lanes": ("one", "some", "all"),
    "edge": ("row", "column", "neither"),
    "stall": ("full_speed", "random_stalls", "sinks_that_wait", "reset_in_mid_frame"),
}
"""The values of each axis. Lanes are of the channels of a pixel: one of several, some of them, all of them."""

Bin = tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """The bins of one module.

    Attributes:
        planned: How many the plan wants.
        missed: Those that were not run, in words.
    """

    planned: int
    missed: tuple[str, ...]

    @property
    def hit(self) -> int:
        """How many were run."""
        return self.planned - len(self.missed)


def record(cases: Sequence[Case], scenarios: Iterable[str]) -> None:
    """Say what a bench has run, where somebody asks for it (:data:`quantunet.rtl_sim.verilator.COVERAGE`)."""
    folder = os.environ.get(COVERAGE)
    if not folder:
        return
    names = sorted(set(scenarios))
    lines = [json.dumps({"module": case.instance.module, "values": _values(case), "stall": names}) for case in cases]
    Path(folder, f"{uuid.uuid4().hex}{BINS_SUFFIX}").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _values(case: Case) -> dict[str, str]:
    streams = {stream.name: stream for stream in case.streams}
    inputs = [streams[name] for _, name in case.instance.inputs]
    output = streams[case.instance.outputs[0][1]]
    values = {
        "in_bits": _bits(inputs[0]),
        "out_bits": _bits(output),
        "in_sign": _sign(inputs[0]),
        "out_sign": _sign(output),
        "lanes": _lanes(inputs[0]),
        "out_lanes": _lanes(output),
        "edge": "row" if inputs[0].shape[0] == 1 else "column" if inputs[0].shape[1] == 1 else "neither",
    }
    return values | ({"other_sign": _sign(inputs[1])} if len(inputs) > 1 else {})


def _bits(stream: Stream) -> str:
    return next((name for name, (low, high) in BITS.items() if low <= stream.qtype.bits <= high), "more")


def _sign(stream: Stream) -> str:
    return "signed" if stream.qtype.signed else "unsigned"


def _lanes(stream: Stream) -> str:
    return "all" if stream.lanes == stream.shape[2] else "one" if stream.lanes == 1 else "some"


def hit_bins(files: Iterable[Path], plan: Path = PLAN) -> dict[str, Tally]:
    """Return how much of the plan was run.

    Raises:
        ValueError: The plan names an axis or a value that is none, or leaves out a bin that was run.
    """
    run: list[Mapping[str, object]] = []
    for file in files:
        run += [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    tallies = {}
    for wanted in tomllib.loads(plan.read_text(encoding="utf-8"))["module"]:
        ran = [each for each in run if each["module"] == wanted["name"]]
        if ran:
            tallies[wanted["name"]] = _tally(wanted, ran)
    return tallies


def planned_modules(plan: Path = PLAN) -> tuple[str, ...]:
    """Return the modules that the plan names."""
    return tuple(each["name"] for each in tomllib.loads(plan.read_text(encoding="utf-8"))["module"])


def _tally(wanted: Mapping[str, list[list[str]]], ran: Sequence[Mapping[str, object]]) -> Tally:
    planned, missed = 0, []
    for axes in wanted["crosses"]:
        unknown = set(axes) - set(VALUES)
        if unknown:
            raise ValueError(f"{PLAN.name}: {wanted['name']}: no axis {sorted(unknown)}")
        hit = {each for case in ran for each in _bins(axes, case)}
        for each in itertools.product(*(VALUES[axis] for axis in axes)):
            if _left_out(wanted, axes, each):
                if each in hit:
                    raise ValueError(f"{PLAN.name}: {wanted['name']} leaves out {each}, which was run")
                continue
            planned += 1
            if each not in hit:
                missed.append(", ".join(f"{axis} {value}" for axis, value in zip(axes, each, strict=True)))
    return Tally(planned, tuple(missed))


def _bins(axes: Sequence[str], case: Mapping[str, object]) -> Iterable[Bin]:
    values, stalls = case["values"], case["stall"]
    assert isinstance(values, dict)
    assert isinstance(stalls, list)
    return itertools.product(*(stalls if axis == "stall" else [values.get(axis, "none")] for axis in axes))


def _left_out(wanted: Mapping[str, object], axes: Sequence[str], values: Bin) -> bool:
    """Return whether the plan leaves a bin out: one of its exceptions names some of the bin's values."""
    named = dict(zip(axes, values, strict=True))
    exceptions = wanted.get("without", [])
    assert isinstance(exceptions, list)
    return any(
        all(named.get(axis) in allowed for axis, allowed in exception.items() if axis != "why")
        and set(exception) - {"why"} <= set(axes)
        for exception in exceptions
    )
