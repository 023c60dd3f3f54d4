"""Scores of the images that share a group with others."""

import dataclasses
from types import SimpleNamespace

import numpy as np

from quantunet.model import card, data, results
from quantunet.model.config import TrainConfig
from quantunet.model.data import Split
from quantunet.model.sweep import Job


def _scored(group):
    samples = dataclasses.replace(data.load_phantoms(10, 16, seed=0), group=np.array(group))
    outcome = SimpleNamespace(split=Split(np.arange(6), np.array([6]), np.array([7, 8, 9])))
    return {name: part.tolist() for name, part in card._scored(outcome, samples).items()}


def test_images_that_share_a_group_are_told_apart():
    scored = _scored([0, 0, 1, 2, 3, 4, 5, 0, 6, 5])
    assert scored == {"val": [6], "test": [7, 8, 9], "test_grouped": [7, 9], "test_single": [8]}


def test_where_all_do_or_none_does_there_are_no_such_parts():
    assert _scored([0] * 10).keys() == _scored(range(10)).keys() == {"val", "test"}


def test_the_results_hold_their_dice():
    scores = {part: dict.fromkeys(results._SCORES, 0.5) for part in ("val", "test")}
    final = scores | {"test_grouped": {"dice": 0.8, "lesion_images": 3}}
    training = {"hours": 0.1, "precision": "float32", "signatures": []}
    document = {"data": {"source": "a"}, "scores": {"float": scores, "control": final}, "training": training}
    row = results.run_row(Job("a", TrainConfig("tiny", bits="float")), document)
    assert (row["final_test_grouped_dice"], row["final_test_grouped_lesion_images"]) == (0.8, 3)
    assert row["final_test_single_dice"] == ""
