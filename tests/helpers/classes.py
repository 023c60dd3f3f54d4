"""Small networks of any input type, number of channels and number of classes."""

from __future__ import annotations

import dataclasses

import numpy as np

from quantunet import golden
from quantunet.graph_check import check
from quantunet.ir import INPUT_TYPE, Conv2d, Graph, IntArray, QType
from quantunet.pixels import Pixels
from quantunet.random_network import GraphBuilder, random_image

SILENT = Pixels()
"""A network that does not say what a byte means."""


def small_network(
    name: str = "net",
    *,
    size: tuple[int, int] = (8, 8),
    channels: int = 3,
    classes: int = 4,
    qtype: QType = INPUT_TYPE,
    pixels: Pixels = SILENT,
    sigmoid: bool = False,
    seed: int = 0,
) -> Graph:
    """Return a network of two convolutions whose classes all occur, with ties.

    Args:
        name: The network's.
        size: Height and width.
        channels: Of the input.
        classes: Channels of the logits.
        qtype: Of the input.
        pixels: What a byte means.
        sigmoid: Whether probabilities come out.
        seed: Of the weights.
    """
    builder = GraphBuilder(name, *size, channels, qtype, seed)
    hidden = builder.matrix(Conv2d, "hidden", "image", 8, 3, 4, QType(5, signed=False, frac=4))
    logits = builder.matrix(Conv2d, "head", hidden, classes, 1, 4, QType(4, signed=True, frac=1))
    if sigmoid:
        builder.sigmoid("sigmoid", logits)
    graph = builder.build()
    head = graph.node("head")
    assert isinstance(head, Conv2d)
    sums = golden.run(graph, random_image(graph))["hidden_out"] @ head.weight.array[0, 0]
    fair = dataclasses.replace(head, bias=IntArray.of(-np.rint(sums.mean(axis=(0, 1))).astype(np.int64)))
    nodes = tuple(fair if node is head else node for node in graph.nodes)
    return check(dataclasses.replace(graph, nodes=nodes, pixels=pixels))
