"""Tables of the science: statistics on known numbers, and that the document holds what the results say."""

import dataclasses
from pathlib import Path

import pytest
from benchmarks import (
    intervals,
    other_hospital,
    pooled_folds,
    science,
    science_charts,
    science_claims,
    science_compare,
    science_methods,
    science_paper,
    science_runs,
    science_steps,
)

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
    found = science_compare.paired(left, right)
    assert found == pytest.approx([0.01, 0.01])


def test_uniform_networks_are_compared_at_equal_cost():
    uniform = [_run(f"uniform{b}", 0, dice, bits=str(b), cost=c) for b, dice, c in ((2, 0.5, 1e8), (4, 0.7, 1e10))]
    at_half_way = _run("lambda0.25_layers", 0, 0.65, cost=1e9)  # half way on a logarithmic scale
    beyond = _run("lambda0.25_layers", 0, 0.65, cost=1e11)
    other_seed = _run("lambda0.25_layers", 1, 0.65, cost=1e9)
    assert science_compare.over_uniform([at_half_way, beyond, other_seed], uniform, "mac_bits") == pytest.approx([0.05])


def test_differences_of_both_parts():
    runs = [_run("float", seed, 0.6, bits="float") for seed in (0, 1)]
    runs += [_run(f"uniform{b}", 0, dice, bits=str(b), cost=c) for b, dice, c in ((2, 0.5, 1e8), (4, 0.7, 1e10))]
    runs += [_run("lambda0.25_layers", seed, 0.65, cost=1e9) for seed in (0, 1)]
    lines = science.differences(runs).splitlines()
    for part, failed, learned in (("validation", "-0.050", "+0.025"), ("test", "-0.100", "+0.050")):
        assert f"| busi_128.npz | {part} | uniform 2 | {failed}, n = 1 | – | – | – |" in lines
        cells = f"{learned} [range {learned} to {learned}], n = 2 | {learned}, n = 1 | {learned}, n = 1"
        assert any(line.startswith(f"| busi_128.npz | {part} | learned, λ 0.25, by layers | {cells}") for line in lines)
    assert sum(line.startswith("| busi") for line in lines) == 2 * 4
    assert "The table prints 20 differences: 0 with an interval, of which 0 exclude zero, 4 with a range" in lines[-2]


def test_a_uniform_network_that_has_failed_is_no_end_of_the_curve():
    """From 0.2 to 0.7 every learned network a little smaller than the second seems far ahead."""
    control = [_run("float", 0, 0.7, bits="float")]
    uniform = [
        _run(f"uniform{b}", 0, d, bits=str(b), cost=c) for b, d, c in ((2, 0.2, 1e8), (3, 0.68, 2e9), (4, 0.7, 1e10))
    ]
    learned = [_run("lambda0.25_layers", 0, 0.65, cost=1e9)]
    assert science_compare.over_uniform(learned, uniform, "mac_bits")[0] > 0.05
    left = science_compare.working(uniform, control)
    assert [run.bits for run in left] == ["3", "4"]
    assert science_compare.over_uniform(learned, left, "mac_bits") == []
    assert science_compare.working(uniform, []) == []
    rows = science.differences([*control, *uniform, *learned])
    assert "| busi_128.npz | test | learned, λ 0.25, by layers | -0.050, n = 1 | – | – |" in rows


def test_the_corrected_interval_by_hand():
    """Mean 0.02, s = 0.01, t(0.975; 2) = 4.30265, n_test / n_train = 0.15 / 0.7."""
    found = intervals.over_seeds([0.01, 0.02, 0.03], 0.15 / 0.7)
    half = 4.30265 * 0.01 * (1 / 3 + 0.15 / 0.7) ** 0.5
    assert (found.mean, found.low, found.high) == pytest.approx((0.02, 0.02 - half, 0.02 + half), abs=1e-7)
    four = [intervals.over_seeds([0.0, 0.01, 0.02, 0.05], ratio) for ratio in (0.15 / 0.7, 0.0)]
    assert (four[0].high - four[0].low) / (four[1].high - four[1].low) == pytest.approx(1.3628, abs=1e-4)
    apart = intervals.of_two_groups(
        [0.1, 0.2, 0.3], [0.0, 0.1, 0.2], 0.15 / 0.7
    )  # equal variances: 4 degrees of freedom
    half = 2.776445 * (2 * 0.01 * (1 / 3 + 0.15 / 0.7)) ** 0.5
    assert (apart.low, apart.high) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-6)


def test_two_values_are_a_range_and_one_a_value():
    assert str(intervals.over_seeds([0.01, 0.03], 0.2)) == "+0.020 [range +0.010 to +0.030]"
    assert str(intervals.over_seeds([0.01], 0.2)) == "+0.010"
    assert not intervals.over_seeds([0.01, 0.03], 0.2).excludes_zero
    assert str(intervals.of_two_groups([0.01], [0.03], 0.2)) == "-0.020"


def test_the_split_of_a_run_decides_the_correction():
    run = _run("float", 0, 0.7, bits="float")
    assert run.test_per_train == pytest.approx(0.15 / 0.7)
    changed = dataclasses.replace(run, changes="test_fraction=0.3 qat_epochs=5")
    assert changed.test_per_train == pytest.approx(0.3 / 0.55)


def test_folds_of_one_data_set_are_compared_as_seeds_are():
    """All have seed 0; test part 1/4, training part (1 - 0.15) * 3/4 of the groups."""
    runs = [
        dataclasses.replace(
            _run(method, 0, dice + fold / 100, bits=bits), changes=f"fold={fold} x=1", data="busbra_128.npz"
        )
        for fold in (1, 2, 3)
        for method, bits, dice in (("float", "float", 0.8), ("lambda0.25_layers", "learned", 0.79))
    ]
    assert len({run.place for run in runs}) == 1
    assert runs[0].place[0] == "busbra_128.npz, x=1"
    assert runs[0].test_per_train == pytest.approx(0.25 / (0.85 * 0.75))
    found = science_compare.paired(
        [run for run in runs if run.bits == "learned"], [run for run in runs if run.bits == "float"]
    )
    assert found == pytest.approx([-0.01] * 3)


def test_the_warm_start_stands_beside_the_control():
    runs = [_run("float", seed, 0.6, bits="float") for seed in (0, 1)] + [_run("lambda0.25_layers", 0, 0.65)]
    for run in runs:
        run.values["start_test_dice"] = 0.62
    lines = science.scores(runs).splitlines()
    assert any("| float warm start | 2 | 0.620 ± 0.000 |" in line and "| +0.020 [range" in line for line in lines)
    assert any("| learned, λ 0.25, by layers | 1 |" in line and line.endswith("| +0.050 | +0.030 |") for line in lines)


def test_claims_are_judged_by_their_interval():
    runs = [_run("float", seed, 0.6, bits="float") for seed in range(3)]
    better = [_run("lambda0.5_layers", seed, 0.65 + seed / 1000) for seed in range(3)]
    beside = [c for c in science_claims.CLAIMS if c.data == "BUSI, test" and "0.5" in c.text and "control" in c.text]

    def table(*found):
        return science_claims.claims(science_claims.Results(found), beside).splitlines()

    lines = table(*runs, *better)
    assert "| 3 | +0.051 (+0.048 to +0.054) | shown |" in lines[2]
    worse = [_run("lambda0.5_layers", seed, 0.55 + seed / 1000) for seed in range(3)]
    assert table(*runs, *worse)[2].endswith("| contradicted |")
    two = table(*runs, *better[:2])[2]
    assert two.endswith("[range +0.050 to +0.051] | not shown: n = 2 |")
    assert table()[2].endswith("| – | – | no runs |")


def test_one_claim_of_each_data_set_is_primary_and_they_stand_on_top():
    assert [claim.primary for claim in science_claims.CLAIMS].count(True) == 2
    assert all(claim.primary for claim in science_claims.CLAIMS[:2])
    folder = ROOT / "docs" / "science"
    runs, pooled = science_runs.read_runs(folder / results.RUNS), pooled_folds.read(folder / pooled_folds.PATIENTS)
    text = science_claims.claims(science_claims.Results(runs, pooled, other_hospital.read_all(folder)))
    assert "no runs" not in text  # a method that is misspelled finds none


def test_every_size_that_was_trained_stands_beside_the_paper():
    runs = [_run("float", 0, 0.7, bits="float"), _run("lambda0.5_layers", 0, 0.7)]
    larger = [dataclasses.replace(run, preset="paper") for run in runs]
    for run in (*runs, *larger):
        run.values.update(final_test_accuracy=0.95, final_val_accuracy=0.96)
    lines = science_paper.paper([*runs, *larger]).splitlines()[2:]
    assert [line.split(" | ")[1] for line in lines] == ["64", "64", "8", "8", "64", "64"]
    assert "| 94.25 | – | -1.89 |" in lines[1]
    assert "| 96.0 | 95.0 | +0.00 |" in lines[3]


def test_a_fall_of_the_dice_is_counted_within_a_training():
    runs = [_run("lambda0.25_layers", seed, 0.7) for seed in (0, 1)]
    rows = [
        {"name": run.name, "epoch": str(epoch), "val_dice": dice, "head": width}
        for run in runs
        for epoch, dice, width in (
            (1, "0.9", "8/8"),
            (2, "0.1", "8/8"),
            (3, "0.7", "8/8"),
            (4, "0.5", "8/7"),
            (5, "0.5", "8/7"),
        )
    ]
    assert "| busi_128.npz | 4 | 2 | 2 | 2 |" in science.drops(runs, rows)


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
    assert science_compare.paired(left, right) == pytest.approx([0.05, 0.0])


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


def test_a_table_that_stands_in_no_document_or_in_two_is_refused(tmp_path):
    one, two = tmp_path / "a.md", tmp_path / "b.md"
    one.write_text("<!-- table: one -->\nold\n<!-- end -->\n")
    two.write_text("before <!-- table: two -->\n<!-- end -->\n")
    filled = science.fill_all([one, two], {"one": "new", "two": "newer"})
    assert "new" in filled[one]
    assert "old" not in filled[one]
    assert filled[two] == "before <!-- table: two -->\n\nnewer\n<!-- end -->\n"
    for documents, tables in (([one], ["one", "two"]), ([one, two], ["one"]), ([one, one, two], ["one", "two"])):
        if documents.count(one) > 1:
            two.write_text(one.read_text() + two.read_text())
        with pytest.raises(FileFormatError, match="marks for the tables"):
            science.fill_all(documents, dict.fromkeys(tables, "new"))


def test_results_that_are_missing_or_damaged_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="results of"):
        science_runs.read_runs(tmp_path / results.RUNS)
    (tmp_path / results.RUNS).write_text("name,data\na,b\n")
    with pytest.raises(FileFormatError, match="no 'preset'"):
        science_runs.read_runs(tmp_path / results.RUNS)


def test_the_documents_hold_what_the_results_say():
    tables = science.make_tables(ROOT / "docs" / "science")
    for document, text in science.fill_all([ROOT / document for document in science.DOCUMENTS], tables).items():
        assert document.read_text(encoding="utf-8") == text
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


def test_ways_to_find_ranges_are_compared_with_the_usual_one_of_their_size():
    runs = [_run("float", 0, 0.7, bits="float")]
    runs += [_run("uniform3", 0, 0.6, bits="3", cost=1e8), _run("uniform4", 0, 0.7, bits="4", cost=1e10)]
    runs += [_run("lambda0.25_layers", 0, 0.68, cost=1e10)]
    other = [
        _run("uniform3_range_least_error", 0, 0.62, bits="3", cost=1e8),
        _run("lambda0.25_layers_range_learned_rangelr0.01_by_step", 0, 0.69, cost=1e9),
        _run("lambda0.25_layers_equalise", 0, 0.69, cost=1e11),
    ]
    rows = [line.split(" | ") for line in science_methods.methods([*runs, *other]).splitlines()[2:]]
    found = {row[2]: row[-2:] for row in rows}
    assert found == {
        "uniform 3": ["–", "– |"],
        "uniform 3, ranges of least error": ["+0.010", "+0.020 |"],
        "learned, λ 0.25, by layers": ["–", "– |"],
        "learned, λ 0.25, by layers, channels balanced": ["–", "– |"],  # dearer than any
        "learned, λ 0.25, by layers, learned ranges (rate 0.01), by steps": ["+0.020", "+0.040 |"],
    }
    assert len(science_methods.methods(runs).splitlines()) == 2


def test_lengths_of_qat_stand_beside_the_usual_one_of_their_seed_and_factor():
    usual = _run("lambda0.25_layers", 0, 0.7)
    longer = dataclasses.replace(_run("lambda0.25_layers", 0, 0.6), changes="qat_epochs=40")
    runs = [
        usual,
        longer,
        dataclasses.replace(longer, changes="qat_epochs=40 scanners=True"),
        dataclasses.replace(longer, seed=1),  # which has no usual one
        dataclasses.replace(longer, method="lambda0.25_macs"),
        dataclasses.replace(longer, data="other.npz"),
    ]
    lines = science_steps.steps(runs).splitlines()
    assert lines[0] == "| λ | seed | 20 epochs of QAT | 40 epochs of QAT |"
    assert [line.split(" | ")[:2] for line in lines[2:]] == [["| 0.25", "0"]]
    assert [cell.split("; ")[1] for cell in lines[2].strip(" |").split(" | ")[2:]] == ["0.350, 0.700", "0.300, 0.600"]
    assert len(science_steps.steps([usual]).splitlines()) == 2
