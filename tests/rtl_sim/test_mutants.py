"""Mutants by machine: what the generator makes, that benches find them, and that a survivor is seen and proven."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from helpers.benches.cases import CASES_FILE
from helpers.mutants import __main__ as command
from helpers.mutants import campaign
from helpers.mutants.again import GoneError, judge_again, updated
from helpers.mutants.bench import MutantsError, scenario_files, with_selector
from helpers.mutants.benches import BENCHES, LEFT, MODULES
from helpers.mutants.campaign import Result, bench_cases, chosen, judge
from helpers.mutants.equivalence import EQUIVALENT, VISIBLE, compare
from helpers.mutants.generate import Mutant, Mutated, mutate
from helpers.mutants.library import Library, read_library
from helpers.mutants.simulate import build_bench, run
from helpers.mutants.survivor import Survivor
from helpers.mutants.survivors import SURVIVORS, why_it_lives
from helpers.mutants.tree import ParseError, parse
from helpers.trust import named_mutant

from quantunet.hls.generate.rtl_project import RTL_FOLDER

SMALL = """module qun_small #(
    parameter int unsigned Bits = 4 + 1
) (
    input wire logic clk,
    input wire logic [Bits-1:0] a,
    output logic [Bits-1:0] q,
    output logic full
);
  function automatic int twice(int x);
    return 2 * x;
  endfunction
  localparam int unsigned Most = twice(3);
  if (Bits > 2) begin : gen_wide
    assign full = q == Bits'(Most);
  end
  always_ff @(posedge clk) begin
    if (!full) begin  // a comment
      q <= q + {(4 - 2) {a[1:0]}};
    end
  end
`ifdef QUN_ASSERT_ACTIVE
  logic seen_q;
  always_ff @(posedge clk) seen_q <= full;
`endif
  `QUN_ASSERT(never, !(full && a == 0), "no")
endmodule
"""

EXPECTED = [
    ("stuck at zero", "(q == Bits'(Most)) ^ (q == Bits'(Most))"),
    ("stuck at one", "~((q == Bits'(Most)) ^ (q == Bits'(Most)))"),
    ("operator", "q != Bits'(Most)"),
    ("operator", "q >= Bits'(Most)"),
    ("operator", "q <= Bits'(Most)"),
    ("condition always", "1'b1"),
    ("condition never", "1'b0"),
    ("unary operator", "full"),
    ("stuck at zero", "(q + {(4 - 2) {a[1:0]}}) ^ (q + {(4 - 2) {a[1:0]}})"),
    ("stuck at ones", "~((q + {(4 - 2) {a[1:0]}}) ^ (q + {(4 - 2) {a[1:0]}}))"),
    ("operator", "q - {(4 - 2) {a[1:0]}}"),
    ("statement dropped", ""),
]
"""All mutants of SMALL; none of a parameter, a width, a count of copies, a generate condition, a constant
function or an assertion."""


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library(RTL_FOLDER)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("small")
    (folder / "qun_small.sv").write_text(SMALL, encoding="ascii")
    return read_library(folder)


def test_the_mutants_of_a_small_module(small: Library) -> None:
    mutated = mutate(small, "qun_small")
    assert [(each.kind, each.mutated) for each in mutated.mutants] == EXPECTED
    assert [each.number for each in mutated.mutants] == list(range(1, len(EXPECTED) + 1))
    assert mutated.mutants[2].key == "qun_small:14:19 operator: q == Bits'(Most) -> q != Bits'(Most)"
    assert mutated.text.count("\n") == SMALL.count("\n"), "a message of the compiler names the line of the module"
    assert "// a comment" in mutated.text
    assert small.constant_functions == {"twice"}


def test_what_does_not_compile_is_left_out_and_the_others_keep_their_numbers(small: Library) -> None:
    every = mutate(small, "qun_small").mutants
    fewer = mutate(small, "qun_small", {every[2].key})
    assert fewer.mutants == (*every[:2], *every[3:])
    assert "selected == 3 ?" not in fewer.text and "selected == 4 ?" in fewer.text


def test_every_module_has_mutants_with_names_of_their_own_and_stays_itself_without_them(library: Library) -> None:
    total = 0
    for name, module in library.modules.items():
        mutants = mutate(library, name).mutants
        keys = {each.key for each in mutants}
        assert len(keys) == len(mutants)
        assert mutate(library, name, keys).text == module.text
        total += len(mutants)
    assert total > 9000


def test_every_module_has_benches_or_a_reason(library: Library) -> None:
    assert set(MODULES) | set(LEFT) == set(library.modules)
    assert not set(MODULES) & set(LEFT)
    assert {bench for benches in MODULES.values() for bench in benches} == set(BENCHES)


def test_every_survivor_is_a_mutant(library: Library) -> None:
    for each in SURVIVORS:
        named = sum(each.is_that(mutant) for mutant in mutate(library, each.module).mutants)
        assert named == each.count > 0, each
        assert each.why


def test_a_choice_is_a_part_of_a_greater_one(library: Library) -> None:
    mutants = mutate(library, "qun_fifo").mutants
    few, more = (chosen(mutants, "qun_fifo", count, 1) for count in (20, 60))
    assert set(few) < set(more) < set(mutants) and (len(few), len(more)) == (20, 60)
    assert chosen(mutants, "qun_fifo", 20, 2) != few


def test_benches_find_mutants_and_verdicts_are_kept(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = judge(library, "qun_fork", 12, seed=1, folder=tmp_path)
    assert (len(result.found), result.alive, result.left_out) == (12, (), ())
    assert {each.scenario for each in result.found} <= {"full_speed", "random_stalls", "reset_in_mid_frame"}
    assert all(each.reason for each in result.found)

    def fails(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(campaign, "run", fails)
    assert judge(library, "qun_fork", 12, seed=1, folder=tmp_path) == result


def harmless(mutated: Mutated) -> tuple[Mutated, Mutant]:
    """Return a module with one mutant more, which nobody can see."""
    right, same = "(served_q | m_axis_tready)", "(m_axis_tready | served_q)"
    text = mutated.text.replace(right, f"(qun_mutant_pkg::selected == 999 ? {same} : {right})")
    assert text != mutated.text
    added = dataclasses.replace(mutated.mutants[0], number=999, kind="operands swapped")
    return dataclasses.replace(mutated, text=text, mutants=(*mutated.mutants, added)), added


def test_a_survivor_is_seen_and_proven_to_be_invisible(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, added = harmless(mutate(library, "qun_fork"))
    monkeypatch.setattr("helpers.mutants.simulate.mutate", lambda *_: changed)
    built = build_bench(library, "qun_fork", BENCHES["fork"], tmp_path)
    first, second = run(built, [added.number, 1])
    assert (first.scenario, first.reason) == ("", "")
    assert second.scenario and second.reason
    proofs = list(compare(bench_cases("fork")[0], changed, [0, 999, 1]))
    assert [each.verdict for each in proofs] == [EQUIVALENT, EQUIVALENT, VISIBLE]
    assert proofs[2].cycle is not None
    cases = json.loads((built.work / CASES_FILE).read_text(encoding="utf-8"))
    cases[0]["outputs"][0]["frames"][0][0] ^= 1
    (built.work / CASES_FILE).write_text(json.dumps(cases), encoding="utf-8")
    with pytest.raises(MutantsError, match="full_speed fails without a mutant: AssertionError: c0 qun_fork"):
        run(built, [1])


def test_the_session_fails_where_one_is_alive(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mutant = mutate(library, "qun_fork").mutants[0]
    found = campaign.Found(mutant, "fork", "random_stalls", "no")
    result = Result("qun_fork", 51, (found,), (), ((mutant, "nobody looks"),), (), ())
    monkeypatch.setattr(command, "read_library", lambda _: library)
    monkeypatch.setattr(command, "prepare", lambda: None)
    arguments = ["--module", "qun_fork", "--out", str(tmp_path / "out.json")]
    for alive, code in (((), 0), (((mutant, "unknown"),), 1)):
        monkeypatch.setattr(command, "judge", lambda *_, alive=alive, **__: dataclasses.replace(result, alive=alive))
        assert command.main(arguments) == code
    assert f"alive, unknown: {mutant.key}" in capsys.readouterr().out
    monkeypatch.setattr(command, "judge", lambda *_, **__: dataclasses.replace(result, found=()))
    assert command.main(arguments) == 1, "nothing was found"


def test_a_survivor_is_named_by_its_text(library: Library) -> None:
    mutant = mutate(library, "qun_fork").mutants[0]
    survivor = Survivor("qun_fork", ".s_data", mutant.kind, mutant.original, mutant.mutated, "for this test")
    assert survivor.is_that(mutant)
    assert not dataclasses.replace(survivor, statement=".s_valid").is_that(mutant)
    assert dataclasses.replace(survivor, column=mutant.column).is_that(mutant)
    assert not dataclasses.replace(survivor, column=mutant.column + 1).is_that(mutant)


@pytest.mark.parametrize(
    ("original", "mutated", "lives"),
    [
        ("level_q == '0", "level_q <= '0", True),
        ("level_q != '0", "level_q > '0", True),
        ("level_q == '0", "level_q >= '0", False),
        ("level_q == 0", "level_q <= 0", False),  # of a number that may be negative
        ("y_q == YBits'(Height - 1)", "y_q >= YBits'(Height - 1)", True),
        ("y_q == YBits'(Height - 1)", "y_q <= YBits'(Height - 1)", False),
        ("y_q == YBits'(Height - 2)", "y_q >= YBits'(Height - 2)", False),
        ("z_q == YBits'(Height - 1)", "z_q >= YBits'(Height - 1)", False),  # nothing is asserted of it
        ("fill_q != fill_t'(RingPixels)", "fill_q < fill_t'(RingPixels)", True),
    ],
)
def test_what_nobody_sees_in_any_module(library: Library, original: str, mutated: str, *, lives: bool) -> None:
    mutant = dataclasses.replace(
        mutate(library, "qun_row_repeat").mutants[0], kind="operator", original=original, mutated=mutated, statement="-"
    )
    assert bool(why_it_lives(mutant)) == lives


def test_a_reason_does_not_keep_a_mutant_from_small_benches(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "why_it_lives", lambda _: "for this test")
    result = judge(library, "qun_fork", 4, seed=1, folder=tmp_path)
    assert (len(result.found), result.explained, result.alive) == (4, (), ())


@pytest.mark.parametrize(("bench", "module"), [("reset", "qun_reset_sync"), ("status", "qun_axi_lite_status")])
def test_a_design_that_is_no_case_of_an_op_finds_mutants(
    library: Library, tmp_path: Path, bench: str, module: str
) -> None:
    built = build_bench(library, module, BENCHES[bench], tmp_path)
    verdicts = run(built, [each.number for each in built.mutated.mutants[:3]])
    assert verdicts and all(each.scenario and each.reason for each in verdicts)
    assert "tb_" in scenario_files(BENCHES[bench])[-1].name


def test_what_is_no_systemverilog_or_no_top_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "qun_broken.sv"
    broken.write_text("module qun_broken (;\nendmodule\n", encoding="ascii")
    with pytest.raises(ParseError, match=r"qun_broken\.sv"):
        parse([broken])
    broken.write_text("// Größe\n", encoding="utf-8")
    with pytest.raises(ParseError, match="expected ASCII"):
        parse([broken])
    top = with_selector("module qun_some (\n    input  wire logic   clk,\n    output logic q\n);\nendmodule\n")
    assert "clk, input wire logic [31:0] mutant,\n" in top and top.count("\n") == 6
    with pytest.raises(MutantsError, match="expected a module with a clock"):
        with_selector("package qun_none;\nendpackage\n")


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_mutants_of_every_module_are_found(library: Library, module: str) -> None:
    result = judge(library, module, 200, seed=1)
    assert result.found
    assert not result.alive, [(each.key, verdict) for each, verdict in result.alive]


def test_what_was_alive_is_judged_again_and_the_record_follows(library: Library) -> None:
    mutants = mutate(library, "qun_fork").mutants
    names = [named_mutant(vars(each)) for each in mutants if each.kind == "statement dropped"]
    found, living = judge_again(library, "qun_fork", names)
    assert (sum(found.values()), living) == (len(names), []) and names
    entry = {"found": 3, "by": {"fork": 3}, "explained": [], "alive": names, "judged": 3 + len(names)}
    after = updated(entry, found, [mutants[0]])
    assert (after["found"], after["by"]["fork"], after["alive"]) == (
        3 + len(names),
        3 + found["fork"],
        [named_mutant(vars(mutants[0]))],
    )
    with pytest.raises(GoneError, match="no such text"):
        judge_again(library, "qun_fork", ["no such text"])
