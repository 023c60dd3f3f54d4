"""Two legs of one tensor that meet again: the computed FIFO depths never lock, whatever the beats of a pixel."""

from __future__ import annotations

import itertools

import pytest

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.hls.network import build
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder

TYPE = QType(5, True, 2)


def join(long: str, short: str, op: str, channels: int) -> Graph:
    """Return a network of two legs that read the image and meet in one op."""
    builder = GraphBuilder("net", 6, 6, channels, TYPE, 0)

    def leg(kind: str, name: str) -> str:
        if kind == "requant":
            return builder.requant(name, "image", TYPE)
        if kind == "maximum":
            return builder.maximum(name, builder.requant(f"{name}_first", "image", TYPE), "image")
        return builder.matrix(Conv2d, name, "image", channels, int(kind[-1]), 4, TYPE)

    first, second = leg(long, "long"), leg(short, "short")
    if op == "add":
        builder.add("join", first, second, TYPE)
    elif op == "multiply":
        builder.multiply("join", first, second)
    else:
        builder.concat("join", first, second)
    return builder.build()


@pytest.mark.parametrize("op", ["add", "concat", "multiply"])
@pytest.mark.parametrize(("long", "short"), [("conv1", "requant"), ("conv3", "requant"), ("maximum", "conv1")])
def test_computed_depths_run_at_the_pace_of_the_slowest_layer(long: str, short: str, op: str) -> None:
    """A pixel of many beats is where a leg that holds a beat or two less than was thought locks."""
    tried = 0
    for channels, turned in itertools.product((1, 4, 5, 8), (False, True)):
        graph = join(*((short, long) if turned else (long, short)), op, channels)
        for lanes in {1, 2, channels}:
            if channels % lanes:
                continue
            folding = Folding(graph, {node.name: Fold(lanes, lanes) for node in graph.nodes})
            depths = fifo_depths(graph, folding)
            found = schedule(build(graph, folding, depths), 4)
            assert not found.stuck, f"{channels} channels, {lanes} lanes, {depths}"
            assert found.frame_ends[-1] - found.frame_ends[-2] <= frame_interval(graph, folding)
            everywhere = {
                (node.name, index): 4096 for node in graph.nodes for index in range(node.arity) if node.arity > 1
            }
            least = least_depths(build(graph, folding, everywhere))
            for (reader, index), depth in depths.items():
                name = f"{graph.node(reader).inputs[index]}_fifo"
                assert depth >= least.get(name, 0)
            tried += 1
    assert tried == 18
