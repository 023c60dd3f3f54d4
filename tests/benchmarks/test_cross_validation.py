"""A cross-validation: folds put together, compared image by image over patients, and read from trainings."""

import dataclasses
import json

import numpy as np
import pytest
from benchmarks import cross_validation as cv
from benchmarks import pooled_folds, science_claims, science_runs
from helpers.training import quick, samples, small

from quantunet.errors import DataSplitError, FileFormatError
from quantunet.model import results
from quantunet.model.card import publish, publish_control
from quantunet.model.train import Trainer

__all__ = ["quick", "samples", "small"]

PATIENT = np.arange(12) // 2
FOLD = np.arange(12) // 6
ONE, TWO = np.array([0.9, 0.5, 0.4, 0.9, 0.7, 0.2]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def _run(method, fold, *, bits="learned", size=float("nan"), changes=""):
    values = {"mean_bits_layers": 4.0} | ({} if np.isnan(size) else {"packed_bytes": size})
    name = f"start{fold}/{method}"
    settings = f"fold={fold} {changes}".strip()
    factor, weighting = (0.5, "layers") if bits == "learned" else (float("nan"), "")
    return science_runs.Run(
        name, "busbra_128.npz", "small", "group", 0, method, bits, factor, weighting, settings, values, "", "float32"
    )


def _pooled(**dice):
    """Networks by method, a Dice of each image of both folds or of the second one."""
    label = np.array(["benign", "malignant"] * 6)
    pooled = pooled_folds.Pooled(PATIENT, label, FOLD, {})
    for method, values in dice.items():
        at = np.arange(12)[-len(values) :]
        dice = np.asarray(values)
        found = {"dice": dice, "iou": dice / 2, "hd95": dice * 10, "marked": np.ones(len(dice))}
        pooled_folds.with_scores(pooled, f"small {method}", at, found)
    return pooled


def test_scores_are_written_and_read_again(tmp_path):
    pooled = _pooled(float=ONE, uniform3=np.concatenate([ONE, TWO]))
    path = tmp_path / pooled_folds.PATIENTS
    path.write_text(pooled_folds.write(pooled))
    again = pooled_folds.read(path)
    assert (again.folds_of("small float"), again.folds_of("small uniform3")) == ([1], [0, 1])
    for name, scores in pooled.scores.items():
        for score, values in scores.items():
            np.testing.assert_array_equal(again.scores[name][score], values)
    for column in ("group", "label", "fold"):
        np.testing.assert_array_equal(getattr(again, column), getattr(pooled, column))
    assert pooled_folds.read(tmp_path / "none.csv") is None
    for text in ("", "image,group\n0,1\n", path.read_text().replace("malignant,0", "malignant,x")):
        path.write_text(text)
        with pytest.raises(FileFormatError, match="scores of images"):
            pooled_folds.read(path)


def test_networks_are_compared_on_the_images_that_both_have():
    pooled = _pooled(lambda0=np.concatenate([ONE, TWO]), float=ONE)
    found = pooled_folds.compare(pooled, "small lambda0", "small float")
    assert (found.images, found.groups) == (6, 3)
    assert found.difference == pytest.approx((TWO - ONE).mean())
    assert found.low <= found.difference <= found.high


def test_learned_widths_are_compared_with_uniform_ones_of_their_size():
    every = {"float": ONE, "lambda0.5_layers": ONE, "uniform4": TWO, "uniform3": np.full(6, 0.3), "uniform8": ONE}
    sizes = {"float": float("nan"), "lambda0.5_layers": 200.0, "uniform4": 400.0, "uniform3": 100.0, "uniform8": 800.0}
    bits = {"float": "float", "lambda0.5_layers": "learned"}
    pooled = _pooled(**every)
    runs = [_run(m, 1, bits=bits.get(m, m.removeprefix("uniform")), size=size) for m, size in sizes.items()]
    found = pooled_folds.at_equal_size(pooled, runs, "small lambda0.5_layers")
    expected = ONE - (0.3 + TWO) / 2  # half way on a logarithmic scale
    assert found.difference == pytest.approx(expected.mean())
    rows = pooled_folds.report(pooled, runs).splitlines()[2:]
    assert len(rows) == 5
    (row,) = (row for row in rows if "λ 0.5" in row)
    cells = row.split(" | ")
    assert cells[3:6] == ["1", "6", "3"]
    assert cells[7:9] == [f"{ONE[::2].mean():.4f}", f"{ONE[1::2].mean():.4f}"]
    assert cells[-2].startswith("+0.0000 (") and cells[-1].startswith(f"{expected.mean():+.4f} (")
    place = runs[0].place
    claim = science_claims.Claim("text", "data", science_claims._patients(place, "lambda0.5_layers"), "above")
    assert claim.find(science_claims.Results(runs, pooled)).count == 3
    assert claim.find(science_claims.Results(runs)) is None
    away = science_claims.Claim(
        "text", "data", science_claims._patients(place, "lambda0.5_layers", away="a_on_b"), "above"
    )
    assert away.find(science_claims.Results(runs, pooled)) is None
    assert away.find(science_claims.Results(runs, None, {"a_on_b": pooled})).count == 3

    # Without the smaller one, or where it has failed, there is nothing to compare with.
    assert pooled_folds.at_equal_size(pooled, [r for r in runs if r.bits != "3"], "small lambda0.5_layers") is None
    pooled.scores["small uniform3"]["dice"][:] = 0.2
    assert pooled_folds.at_equal_size(pooled, runs, "small lambda0.5_layers") is None


def test_trainings_are_scored_on_their_own_folds(quick, samples, tmp_path, monkeypatch):
    monkeypatch.setitem(science_runs.FOLDS, samples.source, 2)
    folded = dataclasses.replace(samples, fold=np.arange(len(samples)) % 2)
    runs = []
    for fold in (0, 1):
        for method, bits in (("float", "float"), ("uniform3", 3)):
            config = quick.changed(fold=fold, bits=bits)
            folder = tmp_path / f"start{fold}" / method
            outcome = Trainer(config, folded, folder).run()
            write = publish_control if bits == "float" else publish
            write(outcome, config, folded, folder / "small.onnx", "a test")
            runs.append(dataclasses.replace(_run(method, fold, bits=str(bits)), data=folded.source))
    pooled = cv.score_folds(tmp_path, runs, folded, None)
    assert list(pooled.scores) == ["small float", "small uniform3"]
    for name in pooled.scores:
        assert pooled.folds_of(name) == [0, 1]
    for fold in (0, 1):
        card = json.loads((tmp_path / f"start{fold}" / "uniform3" / "small.json").read_text())
        lesions = folded.masks[pooled.fold == fold].any(axis=(1, 2))
        dice = pooled.scores["small uniform3"]["dice"][pooled.fold == fold]
        np.testing.assert_array_equal(np.isnan(dice), ~lesions)
        assert np.nanmean(dice) == pytest.approx(card["scores"]["quantised"]["test"]["dice"], abs=1e-4)

    # What was scored before is kept, unless it is scored again.
    known = pooled_folds.Pooled(pooled.group, pooled.label, pooled.fold, {"gone": pooled.scores["small float"]})
    assert list(cv.score_folds(tmp_path, runs, folded, known).scores) == ["gone", "small float", "small uniform3"]
    others = dataclasses.replace(known, group=known.group[:-1])
    with pytest.raises(DataSplitError, match="images of patients.csv"):
        cv.score_folds(tmp_path, runs, folded, others)
    with pytest.raises(DataSplitError, match="fold 1 as its test part"):
        cv.score_folds(tmp_path, [dataclasses.replace(runs[0], changes="fold=1")], folded, None)


def test_a_folder_without_trainings_is_refused(samples, tmp_path):
    folded = dataclasses.replace(samples, fold=np.arange(len(samples)) % 2)
    with pytest.raises(FileFormatError, match="that are folds"):
        cv.score_folds(tmp_path, [_run("float", 1, bits="float")], folded, None)
    with pytest.raises(DataSplitError, match="an array fold"):
        cv.score_folds(tmp_path, [], samples, None)
    assert cv.main([str(tmp_path), "--data", "phantoms", "--results", str(tmp_path)]) == 2
    assert not list(tmp_path.glob(results.RUNS))
