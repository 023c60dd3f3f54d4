"""What a card tells of a split that leaks."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from quantunet.model import card, data, results
from quantunet.model.config import TrainConfig
from quantunet.model.data import Split
from quantunet.model.sweep import Job


@pytest.fixture(scope="module")
def samples():
    return dataclasses.replace(data.load_phantoms(40, 16, seed=0), group=np.arange(40) // 2)


def test_images_that_training_has_seen_a_duplicate_of_are_told_apart(samples):
    split = Split(np.arange(0, 25), np.arange(25, 30), np.array([1, 24, 30, 31, 25]))  # 24 and 25 are of one group
    scored = card._scored(SimpleNamespace(split=split), samples)
    assert scored["test_seen"].tolist() == [1, 24, 25]
    assert scored["test_unseen"].tolist() == [30, 31]


def test_a_split_by_group_has_no_such_parts(samples):
    split = data.split_samples(samples, split_by="group", val_fraction=0.2, test_fraction=0.2, seed=0)
    assert card._scored(SimpleNamespace(split=split), samples).keys() == {"val", "test"}


def test_the_results_hold_their_dice():
    scores = {part: dict.fromkeys(results._SCORES, 0.5) for part in ("val", "test")}
    final = scores | {"test_seen": {"dice": 0.8, "lesion_images": 3}}
    training = {"hours": 0.1, "precision": "float32", "signatures": [], "commit": None}
    document = {"data": {"source": "a"}, "scores": {"float": scores, "control": final}, "training": training}
    row = results.run_row(Job("a", TrainConfig("tiny", bits="float")), document)
    assert (row["final_test_seen_dice"], row["final_test_seen_lesion_images"]) == (0.8, 3)
    assert row["final_test_unseen_dice"] == ""
