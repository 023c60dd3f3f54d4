"""Proofs of the library hold, reach their cover points, and fail where a module is broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import prove_all
from helpers.faults import Fault, misfits
from helpers.proof_cases import FAULTS, SETTINGS, SLICE
from helpers.proofs import HARNESSES, ProofSetupError, Proven, Seeded, Setting, prove, violation

QUICK = [each for each in SETTINGS if not each.slow]
SLOW = [each for each in SETTINGS if each.slow]


@pytest.mark.parametrize("setting", QUICK, ids=str)
def test_properties_are_proven_and_cover_points_reached(setting: Setting) -> None:
    found = prove(setting)
    assert found.holds(), found
    assert len(found.proven) >= 4 and len(found.reached) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("setting", SLOW, ids=str)
def test_larger_settings_are_proven(setting: Setting) -> None:
    found = prove(setting)
    assert found.holds(), found
    assert len(found.proven) >= 4 and len(found.reached) >= 1


@pytest.mark.parametrize("seeded", FAULTS, ids=lambda each: f"{each.setting.module}: {each.fault.name}")
def test_a_seeded_fault_violates_its_property(seeded: Seeded) -> None:
    assert violation(seeded) is not None


def test_a_module_that_is_whole_violates_nothing_and_an_unknown_property_is_refused() -> None:
    harmless = replace(FAULTS[0].fault, wrong=f"{FAULTS[0].fault.right}  ")
    assert violation(replace(FAULTS[0], fault=harmless)) is None
    with pytest.raises(ProofSetupError, match="no property is named lost_or_overtaken"):
        violation(replace(FAULTS[0], violates="lost_or_overtaken"))


def test_every_fault_fits_and_every_module_and_harness_has_one() -> None:
    assert misfits([each.fault for each in FAULTS]) == []
    modules = {each.module for each in SETTINGS}
    assert {each.setting.module for each in FAULTS} == modules
    harnesses = {path.stem for path in HARNESSES.glob("prove_*.sv")}
    assert harnesses == {f"prove_{module.removeprefix('qun_')}" for module in modules}
    assert len(set(map(str, SETTINGS))) == len(SETTINGS) > 30


@pytest.mark.parametrize("macro", ["PROPERTY", "COVER"])
def test_a_proof_about_nothing_fails(macro: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "harnesses"
    folder.mkdir()
    for path in HARNESSES.iterdir():
        if path.suffix in {".sv", ".svh"}:
            text = path.read_text(encoding="utf-8")
            wire = {"PROPERTY": "wrong", "COVER": "seen"}[macro]
            (folder / path.name).write_text(text.replace(f"{wire}_``name", "other_``name"), encoding="utf-8")
    monkeypatch.setattr("helpers.proofs.HARNESSES", folder)
    with pytest.raises(ProofSetupError, match="expected properties and cover points, got"):
        prove(SLICE)


def test_assumptions_that_exclude_everything_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "harnesses"
    folder.mkdir()
    for path in HARNESSES.iterdir():
        if path.suffix in {".sv", ".svh"}:
            text = path.read_text(encoding="utf-8")
            (folder / path.name).write_text(
                text.replace("assume (s_data == '0 || sent_q != 2'd2);", "assume (1'b0);"), encoding="utf-8"
            )
    monkeypatch.setattr("helpers.proofs.HARNESSES", folder)
    found = prove(SLICE)
    assert found.missed and not found.holds()


def test_a_constant_that_is_not_there_is_refused() -> None:
    with pytest.raises(ProofSetupError, match="expected one constant NoSuch"):
        prove(replace(SLICE, constants={"NoSuch": 1}))


def test_a_source_that_is_not_accepted_is_refused() -> None:
    broken = Fault("proofs", "no semicolon", "qun_register_slice", "assign m_data  = out_q;", "assign m_data  = out_q")
    with pytest.raises(ProofSetupError, match=r"qun_register_slice\(Bits=2\)"):
        prove(SLICE, broken)


@pytest.mark.parametrize(
    ("change", "holds"),
    [({}, True), ({"proven": ()}, False), ({"reached": {}}, False), ({"failed": {"a": 1}}, False),
     ({"undecided": ("a",)}, False), ({"missed": ("a",)}, False)],
)  # fmt: skip
def test_only_all_proven_and_all_reached_holds(change: dict[str, object], holds: bool) -> None:
    good = Proven(("a",), {}, (), {"b": 1}, (), 0, 1.0)
    found = replace(good, **change)  # type: ignore[arg-type]
    assert found.holds() is holds
    assert ("unbounded" in prove_all.setting_row(SLICE, found)) is holds


def test_the_table_counts_and_fails_without_faults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove_all, "SETTINGS", (SLICE,))
    monkeypatch.setattr(prove_all, "FAULTS", tuple(each for each in FAULTS if each.setting == SLICE))
    assert prove_all.main(["--properties"]) == 0
    said = capsys.readouterr().out
    assert "| `qun_register_slice` | Bits 2 | 11 | 3 | yosys-abc pdr | unbounded |" in said
    assert "u_stream.gen_output[0].none_doubled: proven, unbounded" in said
    assert "1 settings, 11 properties proven, 3 cover points reached, 0 settings not proven; 3 of 3 seeded" in said
    monkeypatch.setattr(prove_all, "FAULTS", ())
    assert prove_all.main([]) == 1


def test_what_is_undecided_is_proven_to_a_bound_and_said_so() -> None:
    hard = max((each for each in SLOW if each.module == "qun_fifo"), key=lambda each: each.parameters["Depth"])
    found = prove(replace(hard, seconds=1, bound=3))
    assert found.bound == 3 and found.undecided == ()
    assert "| 3 cycles |" in prove_all.setting_row(hard, replace(found, missed=()))
