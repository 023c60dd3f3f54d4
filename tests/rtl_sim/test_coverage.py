"""What benches reach of the library is counted, and what is not reached is told, unless there is a reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from helpers import coverage, coverage_bins
from helpers.coverage import Point, Reason, by_module, idle_reasons, read_counts, reasons, source_line, with_absent
from helpers.op_cases import fork_cases
from helpers.rtl import check_cases

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim.verilator import COVERAGE

PLAN = """
[[module]]
name = "qun_fork"
crosses = [["in_bits", "stall"], ["lanes"]]
without = [{ in_bits = ["9-16"], stall = ["full_speed"], why = "to try an exception" }]
"""


def test_a_bench_counts_what_it_reaches_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COVERAGE, str(tmp_path / "counts"))
    check_cases("fork", fork_cases()[:1], tmp_path / "bench", more_scenarios=["independent_outputs"])
    counts = read_counts((tmp_path / "counts").glob("*.dat"))
    fork = {point: count for point, count in counts.items() if point.module == "qun_fork"}
    assert {point.kind for point in fork} == set(coverage.KINDS)
    assert len(fork) > 80 and not [point for point, count in fork.items() if not count]
    assert not [point for point in counts if "QUN_ASSERT" in source_line(point.module, point.line)]
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    tally = coverage_bins.hit_bins((tmp_path / "counts").glob(f"*{coverage_bins.BINS_SUFFIX}"), plan)["qun_fork"]
    assert tally.planned == 4 * 4 - 1 + 3
    assert tally.hit == 4 + 1, "three bits in each scenario, and all lanes of a pixel"
    assert "in_bits 1, stall sinks_that_wait" in tally.missed


def test_a_plan_that_leaves_out_what_was_run_is_an_error(tmp_path: Path) -> None:
    ran = tmp_path / f"one{coverage_bins.BINS_SUFFIX}"
    ran.write_text('{"module": "qun_fork", "values": {"in_bits": "9-16"}, "stall": ["full_speed"]}\n', encoding="utf-8")
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    with pytest.raises(ValueError, match="leaves out"):
        coverage_bins.hit_bins([ran], plan)
    plan.write_text(PLAN.replace("in_bits", "colours"), encoding="utf-8")
    with pytest.raises(ValueError, match="colours"):
        coverage_bins.hit_bins([ran], plan)


def test_what_is_missed_is_told_unless_there_is_a_reason() -> None:
    line = next(n for n in range(1, 80) if "served_q <= '0;" in source_line("qun_fork", n))
    reached = Point("qun_fork", line, "line", "block in column 5")
    missed = Point("qun_fork", line, "branch", "else in column 7")
    counts = Counter({reached: 3, missed: 0})
    assert by_module(counts, ())["qun_fork"].missed == (missed,)
    why = Reason("qun_fork", "it is so", line="served_q", what="else in column 7")
    found = by_module(counts, (why,))["qun_fork"]
    assert not found.missed and found.explained == {missed: "it is so"}
    assert not idle_reasons(counts, (why,))
    assert idle_reasons(Counter({reached: 3, missed: 1}), (why,)) == [why]
    assert Point("qun_add", 1, "line", "not simulated") in with_absent(counts)


def test_reasons_and_plan_speak_of_what_is_there() -> None:
    every = reasons()
    assert every
    for reason in every:
        lines = (RTL_FOLDER / f"{reason.module}.sv").read_text(encoding="utf-8").splitlines()
        assert any(reason.line in text for text in lines), reason
        assert not reason.function or any(f"{reason.function}(" in text for text in lines), reason
        assert reason.why, reason
    coverage_bins.hit_bins([])
    names = coverage_bins.planned_modules()
    assert len(names) == len(set(names)) and all((RTL_FOLDER / f"{name}.sv").is_file() for name in names)
