"""Scores of a data set: intervals, parts of a split, rows, and the card that they are held against."""

import json

import numpy as np
import pytest

from quantunet import golden
from quantunet.errors import DataSplitError, FileFormatError, StorageError
from quantunet.model import data, evaluation
from quantunet.model.card_file import read_card
from quantunet.model.metrics import score_images
from quantunet.zoo import card_path, load_network


@pytest.fixture(scope="module")
def tiny_card():
    return read_card(card_path("tiny"))


@pytest.fixture(scope="module")
def tiny_data():
    return data.load_phantoms(512, 32, seed=0)


def scores_of(*dice_pixels):
    """Scores of images of 2 x 8 pixels; the reference is the upper row, of which so many pixels are found."""
    truth = np.zeros((len(dice_pixels), 2, 8), np.uint8)
    guess = np.zeros(truth.shape, bool)
    for index, found in enumerate(dice_pixels):
        truth[index, 0] = found is not None
        guess[index, 0 if found is not None else 1, : found or 0] = True
    return score_images(guess, truth)


def test_masks_of_batches_are_those_of_the_images(monkeypatch, tiny_data):
    monkeypatch.setattr(evaluation, "_BATCH", 3)
    graph, seen = load_network("tiny"), []
    masks = evaluation.predict_masks(graph, tiny_data.images[:8], seen.append)
    assert seen == [3, 6, 8]
    assert 0 < masks.mean() < 1
    for image, mask in zip(tiny_data.images, masks, strict=False):
        assert (golden.mask(graph, golden.run(graph, image, plain=True)) == mask).all()


def test_a_summary_of_one_group_has_no_interval():
    each = scores_of(8, 8, 0)
    found = evaluation.summary(each, np.array([0, 0, 0]))
    assert found["dice"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["dice_std"] == pytest.approx(np.std([1, 1, 0], ddof=1), abs=1e-6)
    assert found["dice_interval"] == [None, None]
    assert found["false_positive_area"] is None


def test_cases_are_ranked_by_dice_and_normals_by_their_false_positives():
    assert evaluation.ranking(scores_of(8, None, 0, 4)).tolist() == [2, 3, 0]
    normals = np.zeros((3, 2, 2), bool)
    normals[1] = True
    assert evaluation.ranking(score_images(normals, np.zeros((3, 2, 2), np.uint8))).tolist() == [1, 0, 2]


def test_the_split_of_a_card_is_made_again(tiny_card, tiny_data):
    split = evaluation.card_split(tiny_card, tiny_data)
    assert {name: len(indices) for name, indices in split.parts().items()} == {"train": 358, "val": 77, "test": 77}


@pytest.mark.parametrize("kind", ["other name", "other images", "fewer images"])
def test_a_card_of_other_data_is_refused(kind, tiny_card, tiny_data):
    from dataclasses import replace

    if kind == "other name":
        tiny_data = replace(tiny_data, source="others.npz")
    elif kind == "other images":
        tiny_data = replace(data.load_phantoms(512, 32, seed=1), source=tiny_data.source)
    else:
        tiny_data = replace(data.load_phantoms(100, 32, seed=0), source=tiny_data.source)
    with pytest.raises(DataSplitError):
        evaluation.card_split(tiny_card, tiny_data)


def test_cards_that_cannot_be_read(tmp_path):
    with pytest.raises(StorageError, match="none.json"):
        read_card(tmp_path / "none.json")
    path = tmp_path / "card.json"
    content = json.loads(card_path("tiny").read_text())
    del content["training"]["config"]["seed"]
    whole = [("{", "model card"), ("[]", "model card"), ("null", "model card")]
    for text, message in (*whole, (json.dumps(content), "training.config.seed")):
        path.write_text(text)
        with pytest.raises(FileFormatError, match=message):
            read_card(path)


def test_a_second_observer_is_read_reduced_and_checked(tmp_path):
    path = tmp_path / "eyes.npz"
    images, masks = data.phantoms.generate(2, 32, seed=3)
    second = np.roll(masks, 1, axis=2)
    np.savez(path, images=images, masks=masks, group=np.arange(2), masks_observer2=second)
    samples = data.load(str(path), 16)
    assert (samples.masks == masks[:, 1::2, 1::2]).all()
    assert (samples.masks_observer2 == second[:, 1::2, 1::2]).all()
    for same in (second * 2, second.astype(np.int64), second.astype(np.bool_)):
        np.savez(path, images=images, masks=masks, group=np.arange(2), masks_observer2=same)
        assert (data.load(str(path), 16).masks_observer2 == second[:, 1::2, 1::2]).all()
    for wrong in (second[:1], second + 2 * masks, np.where(second, np.nan, 0)):
        np.savez(path, images=images, masks=masks, group=np.arange(2), masks_observer2=wrong)
        with pytest.raises(data.ImageError, match="masks_observer2"):
            data.load(str(path), 16)
