"""Golden, plain and fast, against docs/numerics.md in exact fractions, of graphs that no file makes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from helpers import random_wide
from helpers.csim_cases import small_layers
from helpers.exact_graph import RULES, differences
from helpers.random_graphs import random_graph

from quantunet import golden
from quantunet.golden.ops import requant
from quantunet.ir import Array, Graph, Node
from quantunet.ops import stems
from quantunet.random_network import random_image


def test_every_op_has_a_rule() -> None:
    assert set(RULES) == set(stems(computes=True))


def _compared(graph: Graph, seed: int) -> tuple[int, list[str]]:
    image = random_image(graph, seed)
    runs = {"plain": golden.run(graph, image, plain=True), "fast": golden.run(graph, image)}
    return differences(graph, image, runs)


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_random_graphs_of_wide_types(first: int) -> None:
    compared = 0
    for seed in range(first, first + 20):
        number, found = _compared(random_graph(seed), seed)
        assert not found, f"seed {seed}: {found}"
        compared += number
    assert compared > 20_000


def test_graphs_of_every_op() -> None:
    """An op that the generator forgot would not be tested: each must be drawn."""
    compared, ops = 0, Counter[str]()
    for seed in range(150):
        graph = random_wide.generate(seed)
        number, found = _compared(graph, seed)
        assert not found, f"seed {seed}: {found}"
        compared += number
        ops.update({node.op for node in graph.nodes})
    assert compared > 50_000
    counts = {op: ops[op] for op in stems(computes=True)}
    assert min(counts.values()) >= 2, counts


def test_batches_of_single_layers_in_the_corners_of_the_types() -> None:
    compared, ops = 0, set[str]()
    for graph in small_layers():
        images = [random_image(graph, seed) for seed in range(2)]
        names = [tensor.name for tensor in graph.tensors]
        batch = golden.run_batch(graph, [*images, *images, images[0]], names)
        for seed, image in enumerate(images):
            runs = {f"image {place}": {name: batch[name][place] for name in names} for place in range(seed, 5, 2)}
            number, found = differences(graph, image, runs | {"plain": golden.run(graph, image, plain=True)})
            assert not found, f"{graph.name}: {found}"
            compared += number
        ops.update(node.op for node in graph.nodes)
    assert compared > 20_000
    assert ops == set(stems(computes=True)) - {"add", "concat", "maximum", "multiply"}


def test_a_wrong_rounding_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = requant.evaluate

    def down(graph: Graph, node: Node, inputs: list[Array]) -> Array:
        return np.minimum(right(graph, node, inputs), graph.output_of(node).qtype.qmax - 1)

    monkeypatch.setattr(requant, "evaluate", down)
    found = [_compared(random_graph(seed), seed)[1] for seed in range(20)]
    assert any(each and each[0].startswith("plain: ") for each in found)
