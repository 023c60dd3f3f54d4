"""Class maps: the greatest logit, the first of equals; one channel is a mask."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.classes import small_network

from quantunet import golden
from quantunet.errors import ShapeError
from quantunet.random_network import random_image


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 16, 300])
def test_the_first_of_the_greatest_logits_wins(classes: int) -> None:
    graph = small_network(classes=classes)
    taps = golden.run(graph, random_image(graph))
    found = golden.classes(graph, taps)
    logits = taps[graph.logits.name]
    ties = 0
    for y, x in np.ndindex(8, 8):
        row = logits[y, x].tolist()
        best = next(index for index, value in enumerate(row) if value == max(row))
        ties += row.count(max(row)) > 1
        assert found[y, x] == best
    assert ties
    assert len(np.unique(found)) > 1
    assert golden.class_count(graph) == classes


def test_ties_of_all_kinds() -> None:
    graph = small_network(classes=3)
    logits = np.array([[[1, 1, 1], [0, 2, 2], [2, 0, 2], [-3, -3, -4], [-8, -8, 7]]])
    assert golden.classes(graph, {graph.logits.name: logits}).tolist() == [[0, 1, 0, 0, 2]]


def test_one_channel_has_two_classes() -> None:
    graph = small_network(classes=1)
    taps = golden.run(graph, random_image(graph))
    assert golden.class_count(graph) == 2
    assert (golden.classes(graph, taps) == (taps["head_out"][:, :, 0] >= 0)).all()
    assert golden.classes(graph, {"head_out": np.array([[[0], [-1]]])}).tolist() == [[1, 0]]


def test_a_batch_keeps_its_axis_and_probabilities_do_not_decide() -> None:
    graph = small_network(classes=4, sigmoid=True)
    batch = golden.run_batch(graph, [random_image(graph, seed) for seed in range(3)])
    maps = golden.classes(graph, batch)
    assert maps.shape == (3, 8, 8)
    assert (maps == batch["head_out"].argmax(axis=-1)).all()


def test_several_classes_have_no_mask() -> None:
    graph = small_network(classes=2)
    with pytest.raises(ShapeError, match="class map"):
        golden.mask(graph, golden.run(graph, random_image(graph)))
