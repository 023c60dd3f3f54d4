"""Mutants by machine of golden and of the C++ headers: what is made, that one which nobody sees is told, the record."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.project import ROOT
from helpers.software_mutants import __main__ as command
from helpers.software_mutants import campaign, cpp, judge_cpp, judge_python, python
from helpers.software_mutants.campaign import digest, named, run
from helpers.software_mutants.forks import ENDLESS, Limits, forked
from helpers.software_mutants.mutant import REFUSED, Mutant, MutantsError, Verdict
from helpers.software_mutants.survivor import named_short
from helpers.software_mutants.survivors import SURVIVORS, why_it_lives

SMALL = '''"""Rounds."""

HALF: int = 1


def shifted(values: list[int], shift: int, *, even: bool = True) -> list[int]:
    """Return some."""
    if shift < 0:
        raise ValueError(f"{shift + 1}")
    low = min(values[1:])
    return [(each + (low if even else HALF)) >> shift for each in values if not each]
'''

EXPECTED = [
    ("constant", "1", "2"),
    ("constant", "1", "0"),
    ("constant", "True", "False"),
    ("condition always", "shift < 0", "True"),
    ("condition never", "shift < 0", "False"),
    ("operator", "shift < 0", "shift <= 0"),
    ("operator", "shift < 0", "shift >= 0"),
    ("constant", "shift < 0", "shift < 1"),
    ("constant", "shift < 0", "shift < -1"),
    ("call dropped", "min(values[1:])", "values[1:]"),
    ("name", "min(values[1:])", "max(values[1:])"),
    ("bound dropped", "1:", ":"),
    ("constant", "values[1:]", "values[2:]"),
    ("constant", "values[1:]", "values[0:]"),
    ("operator", "each + (low if even else HALF) >> shift", "each + (low if even else HALF) << shift"),
    ("operand dropped", "each + (low if even else HALF) >> shift", "each + (low if even else HALF)"),
    ("operator", "each + (low if even else HALF)", "each - (low if even else HALF)"),
    ("operand dropped", "each + (low if even else HALF)", "each"),
    ("operand dropped", "each + (low if even else HALF)", "low if even else HALF"),
    ("branches swapped", "low if even else HALF", "HALF if even else low"),
    ("first branch always", "low if even else HALF", "low"),
    ("second branch always", "low if even else HALF", "HALF"),
    ("condition always", "for each in values if not each", "for each in values"),
    ("operator dropped", "not each", "each"),
]
"""All mutants of SMALL; none of a text, an annotation or what is raised."""

HEADER = """namespace qun {
// The greater one, or the sum.
template <int Bits> int joined(int a, int b) {
    int values[2] = {a, b};
    if (a > b && Bits != 1)
        a -= b;
    values[0] = a;
    return values[0] + b;
}
} // namespace qun
"""

HEADER_EXPECTED = [
    ("condition always", "a > b && Bits != 1", "true"),
    ("condition never", "a > b && Bits != 1", "false"),
    ("operator", "a > b && Bits != 1", "a > b || Bits != 1"),
    ("operand dropped", "a > b && Bits != 1", "a > b"),
    ("operand dropped", "a > b && Bits != 1", "Bits != 1"),
    ("operator", "a > b", "a >= b"),
    ("operator", "a > b", "a <= b"),
]
"""The first mutants of HEADER, behind those of its array."""


def test_the_mutants_of_a_small_function() -> None:
    found = python.mutants(SMALL, "small.py")
    assert [(each.kind, each.original, each.mutated) for each in found] == EXPECTED
    assert [each.number for each in found] == list(range(1, len(EXPECTED) + 1))
    assert found[3].key == "shifted, condition always: `shift < 0` → `True`" and found[3].line == 8
    assert found[13].key.endswith("`values[1:]` → `values[0:]`") and len({each.key for each in found}) == len(found)


def test_a_mutant_is_the_source_with_one_thing_changed() -> None:
    text = ast.unparse(ast.parse(SMALL))
    changed = {ast.unparse(python.mutated(SMALL, number)) for number in range(1, len(EXPECTED) + 1)}
    assert text not in changed and len(changed) == len(EXPECTED)
    assert text.replace("min(", "max(") in changed and text.replace("shift < 0", "shift <= 0") in changed


def test_every_file_has_mutants_with_names_of_their_own() -> None:
    total = 0
    for file in command.FILES:
        text = (ROOT / file).read_text(encoding="utf-8")
        found = python.mutants(text, file) if file.endswith(".py") else judge_cpp.Judge(file, text).mutants()
        assert len({each.key for each in found}) == len(found), file
        total += len(found)
    assert total > 3000 and len(command.FILES) > 40


def test_every_survivor_is_a_mutant() -> None:
    left = {(each.file, each.where, name) for each in SURVIVORS for name in each.names}
    assert left and all(each.why for each in SURVIVORS)
    for file in {each.file for each in SURVIVORS}:
        text = (ROOT / file).read_text(encoding="utf-8")
        found = python.mutants(text, file) if file.endswith(".py") else judge_cpp.Judge(file, text).mutants()
        left -= {(file, each.where, named_short(each)) for each in found}
    assert not left


PLANTED = '''

def nobody_calls(value: int) -> int:
    """Return one more."""
    return value + 1
'''


def test_a_planted_survivor_is_told_and_verdicts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = "golden/ops/crop.py"
    text = (ROOT / file).read_text(encoding="utf-8") + PLANTED
    told: list[str] = []
    judge = judge_python.Judge(file, text, ())
    monkeypatch.setattr(judge_python, "_PASSED", {frozenset(sum(judge.tests(), []))})
    monkeypatch.setattr(judge_python.Judge, "tested", lambda _, number: f"test of {number}" if number < 5 else "")
    result = run(judge, tmp_path, tell=told.append)
    planted = [each for each in result.alive if each.where == "nobody_calls"]
    assert {each.mutated for each in planted} == {"value - 1", "value", "1", "value + 2", "value + 0"}
    assert all(any(named(each) in line for line in told) for each in planted)
    assert result.found["examples"] > 5, "its example finds them"
    assert result.document["digest"] == digest(text) and len(result.document["alive"]) == len(result.alive)

    def fails(*_: object) -> Iterator[tuple[Mutant, Verdict]]:
        raise AssertionError

    monkeypatch.setattr(judge_python.Judge, "compared", fails)
    assert run(judge, tmp_path) == result
    monkeypatch.setattr(campaign, "_tests_key", lambda: "other tests")
    with pytest.raises(AssertionError):
        run(judge, tmp_path)


def test_a_mutant_whose_reason_is_withdrawn_is_judged_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = "golden/ops/crop.py"
    judge = judge_python.Judge(file, (ROOT / file).read_text(encoding="utf-8"), ())
    asked: list[list[Mutant]] = []

    def judged(_: object, mutants: list[Mutant], *, quick: bool) -> Iterator[tuple[Mutant, Verdict]]:
        asked.append(mutants)
        return ((each, Verdict("", "")) for each in mutants)

    first = judge.mutants()[0]
    monkeypatch.setattr(judge_python.Judge, "judge", judged)
    monkeypatch.setattr(campaign, "why_it_lives", lambda mutant: "nobody looks" if mutant == first else "")
    assert [each for each, _ in run(judge, tmp_path).explained] == [first]
    run(judge, tmp_path)
    monkeypatch.setattr(campaign, "why_it_lives", lambda _: "")
    assert first in run(judge, tmp_path).alive
    assert asked == [judge.mutants(), [first]]


def test_golden_as_it_is_passes_and_a_wrong_rounding_is_found() -> None:
    file = "src/quantunet/rounding.py"
    judge = judge_python.Judge(
        file, (ROOT / file).read_text(encoding="utf-8"), judge_python.networks(wide=12, narrow=0)
    )
    assert judge.compared(0) == ""
    text = "values + half_less_one + (values >> shift & 1)"
    numbers = [each.number for each in judge.mutants() if each.original == text and each.kind == "operand dropped"]
    assert len(numbers) == 2 and all(judge.compared(number) for number in numbers)
    monkey = judge_python.Judge(file, judge.text.replace("values >> shift", "values"), judge.every)
    with pytest.raises(MutantsError, match="expected that it passes as it is"):
        next(monkey.judge(monkey.mutants(), quick=True))


def test_what_does_not_end_or_breaks_is_found() -> None:
    def endless() -> str:
        while True:
            pass

    assert forked(endless, Limits(cpu=1, wall=60)) == ENDLESS
    assert forked(lambda: "", Limits(cpu=5, wall=60)) == ""
    assert forked(lambda: str(1 // 0), Limits(cpu=5, wall=60)).startswith("ZeroDivisionError")
    assert forked(lambda: sys.exit("no"), Limits(cpu=5, wall=60)).startswith("SystemExit")


def test_a_test_finds_a_mutant(tmp_path: Path) -> None:
    """What examples and networks do not find meets the tests, in a process that has the mutant."""
    judge = judge_python.Judge("golden/windows.py", (ROOT / "golden/windows.py").read_text(encoding="utf-8"), ())
    test = tmp_path / "test_one.py"
    test.write_text(
        "from quantunet.golden import windows\n\ndef test_one():\n    assert windows.taps.__name__ == 'taps'\n"
    )
    wrong = judge_python.Judge("golden/windows.py", judge.text + "\ntaps = len\n", ())
    for each, found in ((judge, ""), (wrong, "test_one")):
        object.__setattr__(each, "tests", lambda: ([str(test)],))
        said = each.tested(0)
        assert said.endswith(found) and bool(said) == bool(found)


def test_the_mutants_of_a_small_header() -> None:
    mutated = cpp.mutate(HEADER, "small.h")
    found = list(mutated.mutants.values())
    assert [(each.kind, each.mutated) for each in found[:2]] == [("name", "b"), ("name", "a")]
    assert [(each.kind, each.original, each.mutated) for each in found[2:9]] == HEADER_EXPECTED
    assert {each.where for each in found} == {"joined"} and len({each.key for each in found}) == len(found)
    assert not any(each.original == "2" for each in found), "the size of an array"
    assert mutated.alone(3) == HEADER.replace("a > b && Bits != 1", "true")
    with pytest.raises(SyntaxError):
        cpp.mutate("int f( {", "small.h")


def test_a_program_chooses_a_mutant(tmp_path: Path) -> None:
    mutated = cpp.mutate(HEADER, "small.h")
    (tmp_path / "qun_mutants.h").write_text(cpp.HEADER)
    (tmp_path / "small.h").write_text(mutated.schemata())
    called = 'std::printf("%d %d", qun::joined<2>(7, 3), qun::joined<1>(2, 3));'
    main = f'#include <cstdio>\n#include "small.h"\nint main() {{ {called} }}\n'
    (tmp_path / "main.cpp").write_text(main)
    judge_cpp._gpp([tmp_path], tmp_path / "main.cpp", tmp_path / "main")

    def says(number: int) -> str:
        environment = {cpp.VARIABLE: str(number)}
        return subprocess.run([tmp_path / "main"], env=environment, capture_output=True, text=True, check=False).stdout

    assert says(0) == "7 5"
    by_name = {(each.kind, each.mutated): says(each.number) for each in mutated.mutants.values()}
    assert by_name["condition never", "false"] == "10 5"
    assert by_name["condition always", "true"] == "7 2"
    assert by_name["operator", "a += b;"] == "13 5"
    assert by_name["operator", "values[0] - b"] == "1 -1"
    assert by_name["statement dropped", ""] in ("10 5", "7 5")


def test_what_does_not_compile_is_named_by_its_number(tmp_path: Path) -> None:
    text = "struct pair { int first; };\nint f(pair a, pair b) { if (a.first > b.first) return 1; return g(a + 1); }\n"
    (tmp_path / "qun_mutants.h").write_text(cpp.HEADER)
    mutated = cpp.mutate(text.replace("g(a + 1)", "a.first + 1"), "small.h")
    (tmp_path / "main.cpp").write_text(mutated.schemata().replace("return 2;", "return wrong;", 1))
    with pytest.raises(judge_cpp.CompileError) as raised:
        judge_cpp._gpp([tmp_path], tmp_path / "main.cpp", tmp_path / "main", "-c")
    (number,) = raised.value.numbers
    assert mutated.mutants[number].kind == "constant"


def test_files_that_have_changed_are_told() -> None:
    texts = {file: file for file in command.FILES}
    record = {"files": {file: {"digest": digest(text)} for file, text in texts.items()}}
    assert command.stale(record, texts.__getitem__) == []
    texts["golden/ops/add.py"] += "\n"
    del record["files"]["golden/fast.py"]
    assert command.stale(record, texts.__getitem__) == ["golden/ops/add.py", "golden/fast.py"]


def test_the_record_is_about_the_files_that_there_are() -> None:
    """Which of them have changed since is told by ``nox -s mutants_software -- --stale``."""
    record = json.loads((ROOT / "docs" / "trust.json").read_text(encoding="utf-8"))["software"]["files"]
    assert set(record) == set(command.FILES)
    assert all(each["digest"] and each["found"] + each["left"] > 0 for each in record.values())
    assert sum(each["found"] for each in record.values()) > 1500


def test_the_session_fails_where_one_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = python.mutants(SMALL, "golden/codes.py")[0]

    def judged(stage: str) -> int:
        verdicts = [(mutant, Verdict(stage, "")), (second, Verdict("tests", ""))]

        def judge(_: Sequence[Mutant], *, quick: bool) -> Iterator[tuple[Mutant, Verdict]]:
            return iter(verdicts)

        fake = SimpleNamespace(file=mutant.file, text=stage, mutants=lambda: [mutant, second], judge=judge)
        monkeypatch.setattr(command, "judges", lambda *_, **__: [fake])
        monkeypatch.setattr(command, "run", lambda one, **_: run(one, tmp_path))
        return command.main(["--file", mutant.file, "--out", str(tmp_path / "out.json")])

    second = python.mutants(SMALL, "golden/codes.py")[2]
    assert judged("") == 1 and judged("networks") == 0
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["files"][mutant.file]
    assert document["by"] == {"networks": 1, "tests": 1} and not document["alive"]
    assert judged(REFUSED) == 0 and not why_it_lives(mutant)
