"""How the integers of a tensor spread over its type."""

from __future__ import annotations

import dataclasses

import numpy as np

from quantunet import golden
from quantunet.golden.histogram import Histogram, histogram, histograms
from quantunet.graph_check import check
from quantunet.ir import Conv2d, IntArray, QType
from quantunet.random_network import random_image
from quantunet.zoo import load_network


def test_a_signed_type() -> None:
    values = np.array([[[-2, -2]], [[1, 0]], [[1, -1]]])
    found = histogram("y", values, QType(2, True, 0))
    assert (found.values, found.distinct, found.constant_channels) == (6, 4, 0)
    assert (found.zero_share, found.saturated_share) == (1 / 6, 4 / 6)
    assert found.counts.tolist() == [2, 1, 1, 2]
    assert found.shades() == "@**@"
    assert len(histogram("y", values, QType(8, True, 0)).shades(16)) == 16


def test_the_lower_end_of_a_signed_type_is_an_end_and_that_of_an_unsigned_one_is_none() -> None:
    lower = np.array([[[-2], [-2], [-2], [0]]])
    assert histogram("y", lower, QType(2, True, 0)).saturated_share == 3 / 4
    assert histogram("y", lower + 2, QType(2, False, 0)).saturated_share == 0


def test_two_values_are_not_dead_and_a_channel_that_varies_across_is_not_constant() -> None:
    values = np.array([[[0, 1], [1, 1]], [[0, 1], [1, 1]]], np.uint8)
    found = histogram("y", values, QType(8, False, 0))
    assert not found.dead
    assert (found.constant_channels, found.channels) == (1, 2)
    assert found.codes.dtype == np.int64, "sums of codes of eight bits have more"
    assert (found.columns(4).tolist(), found.columns(4).dtype) == ([8, 0, 0, 0], np.dtype(np.int64))
    assert len(found.shades()) == 16


def test_nothing_counted_is_blank() -> None:
    nothing = Histogram("y", QType(2, True, 0), np.zeros(0, np.int64), np.zeros(0, np.int64), 0, 1)
    assert nothing.shades() == "    "


def test_a_dead_layer_is_seen() -> None:
    """A bias far below every sum leaves zeros behind the rectifier."""
    graph = load_network("tiny")
    image = random_image(graph)
    found = histograms(graph, golden.run(graph, image))
    assert [each.name for each in found] == [tensor.name for tensor in graph.tensors]
    assert not any(each.dead for each in found)
    nodes = list(graph.nodes)
    index, node = next((i, n) for i, n in enumerate(nodes) if n.name == "dec1_conv0")
    assert isinstance(node, Conv2d)
    nodes[index] = dataclasses.replace(node, bias=IntArray.of(node.bias.array - 100_000))
    broken = check(dataclasses.replace(graph, nodes=tuple(nodes)))
    dead = {each.name: each for each in histograms(broken, golden.run(broken, image))}["dec1_conv0_out"]
    assert dead.dead
    assert (dead.distinct, dead.zero_share, dead.constant_channels) == (1, 1.0, dead.channels)
