"""Dice, IoU and accuracy against counts made by hand."""

import math

import numpy as np
import pytest
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_iou

from quantunet.errors import ShapeError
from quantunet.model.metrics import score, score_images


def test_scores_by_hand():
    truth = np.zeros((3, 4, 4), np.uint8)
    truth[0, :2] = 1  # 8 pixels
    truth[1, 0, 0] = 1
    guess = np.zeros((3, 4, 4), bool)
    guess[0, 1:3] = True  # 8 pixels, 4 of them right
    guess[2, 3, 3] = True
    scores = score(guess, truth)
    assert scores.images == 3
    assert scores.lesion_images == 2
    assert scores.dice == pytest.approx((0.5 + 0.0) / 2)
    assert scores.iou == pytest.approx((4 / 12 + 0.0) / 2)
    assert scores.accuracy == pytest.approx((48 - 8 - 1 - 1) / 48)
    assert scores.background_accuracy == pytest.approx((48 - 9) / 48)
    assert scores.clean_normals == 0
    assert scores.false_positive_area == pytest.approx(1 / 16)
    assert score_images(guess, truth).false_positive.tolist() == [4 / 16, 0, 1 / 16]


def test_no_lesion_has_no_dice():
    scores = score(np.zeros((2, 4, 4), bool), np.zeros((2, 4, 4), np.uint8))
    assert math.isnan(scores.dice)
    assert scores.clean_normals == 2
    assert scores.false_positive_area == 0
    assert math.isnan(score(np.ones((2, 4, 4), bool), np.ones((2, 4, 4), np.uint8)).false_positive_area)


def test_dice_and_iou_are_those_of_monai():
    rng = np.random.default_rng(0)
    share = np.linspace(0, 1, 50)[:, None, None]
    truth, guess = (rng.random((2, 50, 16, 16)) < share).astype(np.uint8)
    guess[::7] = 0
    each = score_images(guess.astype(bool), truth)
    y_pred, y = (torch.from_numpy(masks[:, None].astype(np.float32)) for masks in (guess, truth))
    for ours, theirs in ((each.dice, compute_dice(y_pred, y)), (each.iou, compute_iou(y_pred, y))):
        assert np.isfinite(ours).sum() > 40
        np.testing.assert_allclose(ours, theirs.numpy()[:, 0], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::Warning")
def test_hd95_is_that_of_monai():
    rng = np.random.default_rng(3)
    smooth = rng.normal(size=(2, 40, 24, 32)).cumsum(axis=2).cumsum(axis=3)
    truth, guess = (smooth > np.quantile(smooth, 0.7, axis=(2, 3), keepdims=True)).astype(np.uint8)
    guess[::9] = rng.random(guess[::9].shape) < 0.1  # scattered, and up to the border
    guess[1::9], truth[2::9] = 0, 0
    each = score_images(guess.astype(bool), truth, distances=True)
    y_pred, y = (torch.from_numpy(masks[:, None].astype(np.float32)) for masks in (guess, truth))
    theirs = compute_hausdorff_distance(y_pred, y, include_background=True, percentile=95).numpy()[:, 0]
    known = ~np.isnan(each.hd95)
    assert 25 < known.sum() < 40
    assert np.array_equal(known, guess.any(axis=(1, 2)) & truth.any(axis=(1, 2)))
    np.testing.assert_allclose(each.hd95[known], theirs[known], rtol=1e-6)
    assert len(np.unique(each.hd95[known])) > 10
    assert score(guess.astype(bool), truth, distances=True).hd95 == pytest.approx(theirs[known].mean())
    assert math.isnan(score(guess.astype(bool), truth).hd95)


def test_missed_lesions_and_marked_normals_are_counted():
    truth, guess = np.zeros((5, 4, 4), np.uint8), np.zeros((5, 4, 4), bool)
    truth[:3, 0, 0] = 1
    guess[0, 0, 0] = True  # found
    guess[1, 3, 3] = True  # beside it
    guess[3, 1, 1] = True  # a normal image with a mask
    scores = score(guess, truth)
    assert (scores.lesions_missed, scores.marked_normals, scores.clean_normals) == (2, 0.5, 1)


def test_shapes_must_agree():
    with pytest.raises(ShapeError):
        score(np.zeros((2, 4, 4), bool), np.zeros((1, 4, 4), np.uint8))
