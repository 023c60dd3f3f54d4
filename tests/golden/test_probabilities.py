"""Probabilities agree with the masks and classes that are made of the same logits."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from helpers.classes import small_network
from helpers.qonnx_files import SmallUnet

from quantunet import golden
from quantunet.errors import ShapeError
from quantunet.golden.masked import with_smallest_area
from quantunet.golden.probabilities import probabilities
from quantunet.ir import Graph, Reading
from quantunet.qonnx_import import load
from quantunet.random_network import random_image
from quantunet.values import step_of


@pytest.fixture
def graph(tmp_path):  # type: ignore[no-untyped-def]
    return load(SmallUnet().write(tmp_path / "small.onnx"))


def test_half_and_more_is_exactly_the_mask(graph: Graph) -> None:
    logits = np.arange(-40, 40).reshape(8, 10, 1)
    taps = {graph.logits.name: logits}
    got = probabilities(graph, taps)
    assert got.shape == (8, 10, 1) and got.dtype == np.uint16
    assert ((got[..., 0] >= 32768) == golden.mask(graph, taps)).all()
    exact = 65535 / (1 + np.exp(-logits * float(step_of(graph.logits))))
    assert np.abs(got - exact).max() <= 1


def test_of_several_classes_they_are_shares() -> None:
    graph = small_network(classes=4)
    taps = golden.run_batch(graph, [random_image(graph)])
    got = probabilities(graph, taps).astype(int)
    assert got.shape == (1, 8, 8, 4)
    assert np.abs(got.sum(axis=3) - 65535).max() <= 2
    assert (got.argmax(axis=3) == golden.classes(graph, taps)).all()
    logits = taps[graph.logits.name] * float(step_of(graph.logits))
    assert np.abs(got - 65535 * np.exp(logits) / np.exp(logits).sum(axis=3, keepdims=True)).max() <= 1


def test_what_the_integers_stand_for_is_regarded() -> None:
    graph = small_network(classes=1)
    graph = dataclasses.replace(graph, reading=Reading((Fraction(3, 2),), (Fraction(-3),)))
    got = probabilities(graph, {graph.logits.name: np.array([[[0]], [[2]], [[4]]])})
    assert got[:, 0, 0].tolist() == [round(65535 / (1 + np.exp(3))), 32768, round(65535 / (1 + np.exp(-3)))]


def test_a_network_of_masks_has_none(graph: Graph) -> None:
    with pytest.raises(ShapeError, match="gives its mask alone"):
        probabilities(with_smallest_area(graph, 2), {})
