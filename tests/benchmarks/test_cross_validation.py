"""A cross-validation: folds put together, compared image by image over patients, and read from trainings."""

import dataclasses
import json

import numpy as np
import pytest
from benchmarks import cross_validation as cv
from helpers.training import quick, samples, small

from quantunet.errors import DataSplitError, FileFormatError
from quantunet.model.card import publish, publish_control
from quantunet.model.metrics import score_images
from quantunet.model.train import Trainer

__all__ = ["quick", "samples", "small"]

PATIENT = np.arange(12) // 2


def _fold(method, fold, hits, *, size=None):
    """Six images of a 4x4 lesion, of which each mask hits so many pixels and no other."""
    truth = np.zeros((6, 8, 8), np.uint8)
    truth[:, 2:6, 2:6] = 1
    masks = np.zeros(truth.shape, np.bool_)
    for mask, count in zip(masks, hits, strict=True):
        mask[2:6, 2:6].flat[:count] = False
        rows, columns = np.unravel_index(np.arange(count), (4, 4))
        mask[2 + rows, 2 + columns] = True
    each = score_images(masks, truth, distances=True)
    return cv.Fold(method, fold, np.arange(6) + 6 * fold, each, 32.0 if size is None else 4.0, size)


def _dice(hits):
    return np.array([2 * count / (count + 16) for count in hits])


ONE, TWO = (16, 8, 4, 16, 12, 2), (1, 2, 3, 4, 5, 6)


def test_folds_are_put_together_in_the_order_of_the_images():
    method = cv.together([_fold("float", 1, TWO), _fold("float", 0, ONE)])
    assert method.indices.tolist() == list(range(12))
    np.testing.assert_allclose(method.dice, _dice(ONE + TWO), rtol=0, atol=1e-12)
    assert (method.folds, method.mean_bits, method.packed_bytes) == (2, 32.0, None)
    with pytest.raises(DataSplitError, match="an image in two"):
        cv.together([_fold("float", 0, ONE), _fold("float", 0, TWO)])


def test_methods_are_compared_on_the_images_that_both_have():
    learned = cv.together([_fold("lambda0.5_layers", 0, ONE, size=200), _fold("lambda0.5_layers", 1, TWO, size=220)])
    control = cv.together([_fold("float", 1, ONE)])
    found = cv.compare(learned, control, PATIENT)
    assert (found.images, found.groups) == (6, 3)
    assert found.difference == pytest.approx((_dice(TWO) - _dice(ONE)).mean())
    assert found.low <= found.difference <= found.high
    with pytest.raises(DataSplitError, match="share|both"):
        cv.compare(cv.together([_fold("float", 0, ONE)]), control, PATIENT)


def test_learned_widths_are_compared_with_uniform_ones_of_their_size():
    methods = {
        name: cv.together([_fold(name, 0, hits, size=size)])
        for name, hits, size in (
            ("lambda0.5_layers", ONE, 175),
            ("uniform4", TWO, 200),
            ("uniform3", (2,) * 6, 100),
            ("uniform8", (16,) * 6, 400),
        )
    }
    found = cv.at_equal_size(methods, "lambda0.5_layers", PATIENT)
    expected = _dice(ONE) - (0.25 * _dice((2,) * 6) + 0.75 * _dice(TWO))
    assert found.difference == pytest.approx(expected.mean())
    del methods["uniform3"]
    assert cv.at_equal_size(methods, "lambda0.5_layers", PATIENT) is None


def test_trainings_are_scored_on_their_own_folds(quick, samples, tmp_path):
    folded = dataclasses.replace(samples, fold=np.arange(len(samples)) % 2)
    for fold in (0, 1):
        for method, bits in (("float", "float"), ("uniform3", 3)):
            config = quick.changed(fold=fold, bits=bits)
            folder = tmp_path / "trainings" / f"start{fold}" / method
            outcome = Trainer(config, folded, folder).run()
            write = publish_control if bits == "float" else publish
            write(outcome, config, folded, folder / "small.onnx", "a test")
            (folder / "result.json").write_text(json.dumps({"name": f"start{fold}/{method}"}))
    folds = cv.score_folds(tmp_path / "trainings", folded)
    assert [(fold.method, fold.fold) for fold in folds] == [
        ("float", 0),
        ("uniform3", 0),
        ("float", 1),
        ("uniform3", 1),
    ]
    for fold in folds:
        assert fold.indices.tolist() == np.flatnonzero(folded.fold == fold.fold).tolist()
    assert all(fold.packed_bytes is None for fold in folds[::2])
    assert all(fold.packed_bytes > 0 and fold.mean_bits == 3 for fold in folds[1::2])
    text = cv.text_of(folds, folded)
    rows = [line.split(" | ") for line in text.splitlines()[2:]]
    lesions = int(folded.masks.any(axis=(1, 2)).sum())
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("| float", "2", str(lesions)),
        ("| uniform3", "2", str(lesions)),
    ]
    assert "–" in rows[0][-1] and "(" in rows[1][-1]


def test_a_folder_without_trainings_is_refused(samples, tmp_path):
    with pytest.raises(FileFormatError, match="trainings of a sweep"):
        cv.score_folds(tmp_path, samples)
    assert cv.main([str(tmp_path), "--data", "phantoms"]) == 2
