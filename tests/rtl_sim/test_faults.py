"""The table of faults: each still fits the library, what does not fit is refused by name, and a survivor is seen."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import fault_benches
from helpers.fault_benches import BENCHES, Verdict, exit_code, judge
from helpers.faults import FAULTS, Fault, MisfitError, damaged_module, fault, library_with, misfits
from helpers.project import ROOT
from rich.console import Console

from quantunet.hls.generate.rtl_project import RTL_FOLDER

COMMENTED = '// a <= 1; twice\nx = "//a <= 1;"; /* a <= 1;\n */ b = c; // a <= 1;\n'


def test_every_fault_fits_the_library() -> None:
    assert misfits(FAULTS) == []
    texts = {path.stem: path.read_text(encoding="utf-8") for path in RTL_FOLDER.glob("*.sv")}
    assert sum(damaged_module(each) != texts[each.module] for each in FAULTS) == len(FAULTS) >= 67
    assert f"puts {len(FAULTS)} faults" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_fault_has_a_name_and_every_bench_a_fault() -> None:
    assert Counter(map(str, FAULTS)).most_common(1)[0][1] == 1
    assert {each.bench for each in FAULTS} == set(BENCHES)


@pytest.mark.parametrize(
    ("right", "times", "found"),
    [("no such text", 1, 0), ("group_q", 1, None), ("assign up = group_q >=", 2, 1)],
    ids=["gone", "at several places", "at fewer places"],
)
def test_a_fault_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, right: str, times: int, found: int | None
) -> None:
    broken = Fault("concat", "up leg first", "qun_concat", right, "", times)
    with pytest.raises(MisfitError, match=r"fault 'concat: up leg first': qun_concat\.sv holds .* times, not") as error:
        library_with(tmp_path / "rtl", broken)
    assert found is None or f"{found} times" in str(error.value)


def test_a_fault_in_a_module_that_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MisfitError, match=r"'concat: up leg first': the library has no qun_gone\.sv"):
        library_with(tmp_path / "rtl", replace(fault("concat", "up leg first"), module="qun_gone"))


def test_comments_are_no_code_and_stay() -> None:
    twice = Fault("fork", "named", "qun_fork", "a <= 1;", "a <= 0;")
    assert twice.put_into(COMMENTED) == COMMENTED.replace('"//a <= 1;"', '"//a <= 0;"')
    with pytest.raises(MisfitError, match="0 times"):
        twice.put_into("// a <= 1;\n")


def test_a_fault_that_changes_nothing_is_refused() -> None:
    with pytest.raises(MisfitError, match="changes nothing"):
        Fault("fork", "same", "qun_fork", "served_q", "served_q").put_into("served_q")


@pytest.mark.parametrize("each", [each for each in FAULTS if each.bench == "pair_products"], ids=str)
def test_a_fault_is_found(each: Fault) -> None:
    verdict = judge(each.bench, each)
    assert verdict.right, verdict
    assert verdict.caught_by


def test_a_survivor_fails_the_session_and_verdicts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_benches, "KEPT", tmp_path / "verdicts.json")
    harmless = Fault("fork", "none at all", "qun_fork", "& ~served_q", "& (~served_q)")
    monkeypatch.setattr(fault_benches, "FAULTS", (harmless, fault("fork", "served kept in reset")))
    output = io.StringIO()
    monkeypatch.setattr(fault_benches, "Console", lambda width: Console(file=output, width=width))
    assert fault_benches.main(["--bench", "fork"]) == 1
    assert "fork: none at all: SURVIVED in qun_fork.sv" in output.getvalue()
    assert "1 of 2 faults found" in output.getvalue()
    with monkeypatch.context() as changed:
        changed.setattr(fault_benches, "judge", None)  # nothing is judged again
        assert fault_benches.main(["--bench", "fork"]) == 1
        assert output.getvalue().count("1 of 2 faults found") == 2
    monkeypatch.setattr(fault_benches, "FAULTS", (replace(harmless, right="& other_q"),))
    assert fault_benches.main([]) == 2
    assert "fault 'fork: none at all': qun_fork.sv holds '& other_q' 0 times" in output.getvalue()


def test_what_does_not_build_is_not_found() -> None:
    verdict = judge("fork", Fault("fork", "no SystemVerilog", "qun_fork", "& ~served_q", "& ~nobody"))
    assert verdict.error is not None and "nobody" in verdict.error
    assert not verdict.right


def test_a_bench_that_fails_anyway_is_not_right() -> None:
    found, control = fault("fork", "served kept in reset"), Verdict("fork", None, None, None, 1.0)
    assert exit_code([control, Verdict("fork", found, "random_stalls", None, 1.0)]) == 0
    assert exit_code([replace(control, caught_by="full_speed"), Verdict("fork", found, "x", None, 1.0)]) == 1
    assert exit_code([control, Verdict("fork", found, None, None, 1.0)]) == 1
    assert exit_code([control]) == 1, "no fault was judged"
