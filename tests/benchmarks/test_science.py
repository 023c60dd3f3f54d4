"""Tables of the science: statistics on known numbers, and that the document holds what the results say."""

from pathlib import Path

import pytest
from benchmarks import science, science_charts, science_runs

from quantunet.errors import FileFormatError
from quantunet.model import results

ROOT = Path(__file__).parents[2]


def _run(method, seed, dice, *, bits="learned", cost=1e9, mean=4.0):
    factor = 0.25 if bits == "learned" else float("nan")
    return science_runs.Run(
        name=f"busi_128_wearable_group_s{seed}/{method}",
        data="busi_128.npz",
        preset="wearable",
        split_by="group",
        seed=seed,
        method=method,
        bits=bits,
        factor=factor,
        weighting="layers" if bits == "learned" else "",
        changes="",
        values={
            "final_test_dice": dice,
            "final_val_dice": dice / 2,
            "distil": 1.0,
            "packed_bytes": cost / 1e4,
            "mac_bits": cost,
            "mean_bits_layers": mean,
            "hours": 0.1,
        },
        signatures="",
        precision="float32",
    )


def test_differences_are_paired_by_seed():
    left = [_run("lambda0.25_layers", seed, 0.70 + seed / 100) for seed in (0, 1, 2)]
    right = [_run("float", seed, 0.69 + seed / 100, bits="float") for seed in (2, 1, 5)]
    found = science.paired(left, right)
    assert found == pytest.approx([0.01, 0.01])


def test_uniform_networks_are_compared_at_equal_cost():
    uniform = [_run(f"uniform{b}", 0, dice, bits=str(b), cost=c) for b, dice, c in ((2, 0.5, 1e8), (4, 0.7, 1e10))]
    at_half_way = _run("lambda0.25_layers", 0, 0.65, cost=1e9)  # half way on a logarithmic scale
    beyond = _run("lambda0.25_layers", 0, 0.65, cost=1e11)
    other_seed = _run("lambda0.25_layers", 1, 0.65, cost=1e9)
    assert science.over_uniform([at_half_way, beyond, other_seed], uniform, "mac_bits") == pytest.approx([0.05])


def test_differences_of_both_parts():
    runs = [_run("float", seed, 0.6, bits="float") for seed in (0, 1)]
    runs += [_run(f"uniform{b}", 0, dice, bits=str(b), cost=c) for b, dice, c in ((2, 0.5, 1e8), (4, 0.7, 1e10))]
    runs += [_run("lambda0.25_layers", seed, 0.65, cost=1e9) for seed in (0, 1)]
    lines = science.differences(runs).splitlines()
    for part, failed, learned in (("validation", "-0.050", "+0.025"), ("test", "-0.100", "+0.050")):
        assert f"| busi_128.npz | {part} | uniform 2 | {failed}, n = 1 | – | – | – |" in lines
        cells = f"{learned} ({learned} to {learned}), n = 2 | {learned}, n = 1 | {learned}, n = 1"
        assert any(line.startswith(f"| busi_128.npz | {part} | learned, λ 0.25, by layers | {cells}") for line in lines)
    assert len(lines) == 2 + 2 * 4


def test_uniform_widths_that_came_down_from_8_are_a_row_of_their_own():
    runs = [_run("float", 0, 0.6, bits="float"), _run("lambda0.25_layers", 0, 0.65)]
    runs += [_run(f"uniform{b}", 0, dice, bits=str(b), cost=c) for b, dice, c in ((2, 0.5, 1e8), (4, 0.7, 1e10))]
    descended = _run("uniform2_descent9", 0, 0.55, bits="2", cost=1e8)
    descended.values["descent_epochs"] = 9
    lines = science.differences([*runs, descended]).splitlines()
    assert "| busi_128.npz | test | uniform 2, from 8 in 9 epochs | -0.050, n = 1 | – | – | – |" in lines
    assert any("| test | learned, λ 0.25, by layers | +0.050, n = 1 | +0.050, n = 1 |" in line for line in lines)


def test_trainings_of_one_seed_count_once():
    left = [
        _run(f"lambda{factor}_layers", seed, dice) for factor, seed, dice in ((1, 0, 0.7), (2, 0, 0.8), (1, 1, 0.7))
    ]
    right = [_run("float", seed, 0.7, bits="float") for seed in (0, 1)]
    assert science.paired(left, right) == pytest.approx([0.05, 0.0])


def test_every_training_is_counted():
    runs = [_run("lambda0.25_layers", seed, 0.7) for seed in range(3)]
    assert "| busi_128.npz | 3 | 0.3 |" in science.compute(runs)
    assert "| learned, λ 0.25, by layers | 3 |" not in science.front(runs)  # nothing to compare them with
    assert "| learned, λ 0.25, by layers | 3 |" in science.front([*runs, _run("uniform2", 0, 0.5, bits="2")])


def test_what_is_chance_is_the_difference_of_repeats():
    runs = [_run("lambda0.25_layers", seed, 0.7) for seed in range(3)]
    again = [_run("lambda0.25_layers", seed, 0.7 + error) for seed, error in ((0, 0.02), (1, -0.02))]
    assert "| standard deviation of one training |  |  | 0.007 | 0.014 |" in science.repeats(runs, again)
    assert "deviation" not in science.repeats(runs, [])


def test_a_document_that_lacks_a_table_is_refused():
    text = "<!-- table: one -->\nold\n<!-- end -->\n"
    assert "new" in science.fill(text, {"one": "new"}, "a.md")
    assert "old" not in science.fill(text, {"one": "new"}, "a.md")
    with pytest.raises(FileFormatError, match="two"):
        science.fill(text, {"one": "new", "two": "new"}, "a.md")


def test_results_that_are_missing_or_damaged_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="results of"):
        science_runs.read_runs(tmp_path / results.RUNS)
    (tmp_path / results.RUNS).write_text("name,data\na,b\n")
    with pytest.raises(FileFormatError, match="no 'preset'"):
        science_runs.read_runs(tmp_path / results.RUNS)


def test_the_document_holds_what_the_results_say():
    document = (ROOT / "docs" / "science.md").read_text(encoding="utf-8")
    folder = ROOT / "docs" / "science"
    runs, widths = science_runs.read_runs(folder / results.RUNS), results.read_rows(folder / results.WIDTHS)
    tables = science.make_tables(runs, science_runs.read_runs(folder / science.REPEATS), widths)
    assert science.fill(document, tables, "docs/science.md") == document
    assert all(len(table.splitlines()) > 2 for table in tables.values())


def test_charts_are_drawn(tmp_path):
    folder = ROOT / "docs" / "science"
    runs, widths = science_runs.read_runs(folder / results.RUNS), results.read_rows(folder / results.WIDTHS)
    drawn = science_charts.draw(runs, widths, tmp_path)
    assert len(drawn) >= 3
    for name in drawn:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert (folder / name).exists()


def test_without_uniform_networks_there_is_no_front(tmp_path):
    assert science_charts.draw([_run("float", 0, 0.7, bits="float")], [], tmp_path) == [
        "trajectories.png",
        "layers.png",
    ]
