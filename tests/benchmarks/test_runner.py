"""The runner of the benchmarks: what is kept, what is measured again, what is written, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import __main__ as runner
from benchmarks import charts, machine, report, store
from benchmarks.parts import PARTS
from benchmarks.rows import Context, Part, Row
from benchmarks.timing import Timing, in_turns

from quantunet.errors import StorageError, ToolFailedError


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the benchmarks by two quick ones, and return who was called."""
    called: list[str] = []

    def quick(context: Context) -> list[Row]:
        called.append(context.network)
        context.say("measuring")
        base = Row.timed(context.network, "base", Timing((0.2, 0.1, 0.4)))
        layer = Row("conv", "one layer", 0.5, "s", plot="time", series="golden", size=1000.0)
        return [base, Row(context.network, "other", 0.05, "s").over(base, "base"), layer]

    def broken(context: Context) -> list[Row]:
        called.append("broken")
        raise ToolFailedError("the tool", expected="a result", got="none")

    parts = {"quick": Part("quick", "Quick", quick, each_network=True), "broken": Part("broken", "Broken", broken)}
    monkeypatch.setattr(runner, "PARTS", parts)
    monkeypatch.setattr(runner, "inputs_digest", lambda: "digest")
    return called


def folders(out: Path) -> list[Path]:
    return sorted(path.parent for path in out.glob("*/results.json"))


def test_results_are_written_whole(calls: list[str], tmp_path: Path) -> None:
    assert runner.main(["--only", "quick", "--networks", "tiny,paper", "--out", str(tmp_path)]) == 0
    assert calls == ["tiny", "paper"]
    (folder,) = folders(tmp_path)
    document = json.loads((folder / "results.json").read_text())
    assert document["format"] == store.FORMAT
    assert document["machine"]["cores"] > 0
    assert set(document["machine"]["versions"]) >= {"numpy", "torch", "verilator"}
    assert [outcome["network"] for outcome in document["outcomes"]] == ["tiny", "paper"]
    first = document["outcomes"][0]["rows"][0]
    assert (first["value"], first["median"], first["most"], first["repeats"]) == (0.1, 0.2, 0.4, 3)
    assert document["outcomes"][0]["rows"][1]["ratio"] == 0.5
    table = (folder / "table.md").read_text()
    assert "| tiny | other | 50 ms |  | 0.50 × base |  |" in table
    assert "one layer" not in table
    assert "![time.svg](time.svg)" in table
    assert "<svg" in (folder / "time.svg").read_text()
    assert not (folder / "area.svg").exists()


def test_what_was_measured_is_kept_until_fresh_or_other_inputs(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--only", "quick", "--networks", "tiny", "--out", str(tmp_path)]
    for expected in (1, 1):
        runner.main(command)
        assert len(calls) == expected
    runner.main([*command, "--fresh"])
    assert len(calls) == 2
    monkeypatch.setattr(runner, "inputs_digest", lambda: "another")
    runner.main(command)
    assert len(calls) == 3


def test_a_damaged_file_is_measured_again(calls: list[str], tmp_path: Path) -> None:
    command = ["--only", "quick", "--networks", "tiny", "--out", str(tmp_path)]
    runner.main(command)
    (kept,) = (tmp_path / "kept").iterdir()
    for damage in ("", "[]", '{"format": "other"}', kept.read_text().replace('"unit"', '"units"')):
        kept.write_text(damage)
        calls.clear()
        runner.main(command)
        assert calls == ["tiny"]


def test_kept_figures_equal_the_measured_ones(calls: list[str], tmp_path: Path) -> None:
    rows = (
        Row("a", "b", 1.5, "s", median=2.0, most=3.0, repeats=7, ratio=0.5, of="c", note="d"),
        Row("e", "f", 2, "x"),
    )
    outcome = store.Outcome("quick", "Quick", "tiny", rows, 1.0)
    store.keep(tmp_path / "kept.json", outcome)
    found = store.find(tmp_path / "kept.json")
    assert found is not None
    assert found.kept
    assert found.rows == rows


def test_a_failed_benchmark_stops_no_other_and_ends_with_1(calls: list[str], tmp_path: Path) -> None:
    assert runner.main(["--networks", "tiny", "--only", "broken,quick", "--out", str(tmp_path)]) == 1
    assert calls == ["broken", "tiny"]
    (folder,) = folders(tmp_path)
    assert "the tool: expected a result" in (folder / "table.md").read_text()
    runner.main(["--networks", "tiny", "--out", str(tmp_path)])
    assert calls == ["broken", "tiny", "broken"]


@pytest.mark.parametrize("option", ["--only", "--networks"])
def test_unknown_names_are_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for names in ("tiny,nothing", ","):
        with pytest.raises(SystemExit) as ended:
            runner.main([option, names])
        assert ended.value.code == 2
    assert "expected names out of" in capsys.readouterr().err


def test_help_lists_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        runner.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name}" in said and part.title in said for name, part in PARTS.items())
    assert all(name == part.name for name, part in PARTS.items())


def test_the_digest_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in machine._FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").touch()
    source = tmp_path / "golden" / "fast.py"
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    digests = []
    for text in ("a = 1\n", "a = 2\n"):
        source.write_text(text)
        digests += [machine.inputs_digest(), machine.inputs_digest()]
    assert digests[0] == digests[1] != digests[2] == digests[3]
    source.rename(tmp_path / "golden" / "slow.py")
    assert machine.inputs_digest() not in digests
    (tmp_path / "hls" / "a.py").unlink()
    with pytest.raises(StorageError, match=r"files that are named hls/\*\*/\*, got none"):
        machine.inputs_digest()


def test_calculations_are_timed_in_turns() -> None:
    order: list[str] = []

    def work(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    times = in_turns({"a": work("a"), "b": work("b")}, rounds=2)
    changes = [name for name, before in zip(order, ["", *order], strict=False) if name != before]
    assert changes == ["a", "b", "a", "b", "a", "b"]  # the first ones warm up
    assert times["a"].repeats == times["b"].repeats == 200
    assert 0 < times["a"].least <= times["a"].median <= times["a"].most


def test_charts_are_drawn_from_rows_alone(tmp_path: Path) -> None:
    rows = [
        Row("L16", "area", 100.0 * lanes, "LUTeq", plot="area", series="folded-lut", size=lanes) for lanes in (1, 4)
    ]
    assert charts.draw(rows, tmp_path) == ["area.svg"]
    assert "folded-lut" in (tmp_path / "area.svg").read_text()
    assert charts.draw([Row("a", "b", 1, "s")], tmp_path) == []


def test_a_cell_cannot_break_the_table() -> None:
    row = Row("a|b", "c", 1.0, "s")
    outcome = store.Outcome("quick", "Quick", "", (row,), 1.0)
    (line,) = [
        line for line in report.markdown(machine.this_machine(), [outcome], [], "now").splitlines() if "a/b" in line
    ]
    assert line.count("|") == 7
