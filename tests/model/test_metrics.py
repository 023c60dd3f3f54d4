"""Dice, IoU and accuracy against counts made by hand."""

import math

import numpy as np
import pytest
import torch
from monai.metrics import compute_dice, compute_iou

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


def test_shapes_must_agree():
    with pytest.raises(ShapeError):
        score(np.zeros((2, 4, 4), bool), np.zeros((1, 4, 4), np.uint8))
