"""Networks of any ops in any folding settle at the pace of their slowest layer, with the FIFOs that are computed."""

from __future__ import annotations

import random

import pytest
from helpers.foldings import lopsided_folding

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding, ideal_cycles
from quantunet.hls.network import build, connections
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule, settled
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType
from quantunet.random_network import GraphBuilder

TYPE = QType(4, True, 2)
MOST = 120
"""Pixels of a map that is still enlarged."""


class Mixed:
    """A random network that grows at one end; what it does is a function of its seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311
        shape = self.rng.choice([1, 5, 6, 8]), self.rng.choice([5, 6, 8]), self.rng.choice([2, 4, 8])
        self.builder = GraphBuilder("net", *shape, TYPE, seed)
        self.count = 0

    def name(self, op: str) -> str:
        self.count += 1
        return f"{op}_{self.count}"

    def shape(self, tensor: str) -> tuple[int, int, int]:
        return next(each.shape for each in self.builder.tensors if each.name == tensor)

    def same(self, x: str) -> str:
        """A layer that leaves the size as it is."""
        op = self.rng.choice(["conv1", "conv3", "requant", "padded", "affine"])
        if op.startswith("conv"):
            kernel = int(op[-1]) if min(self.shape(x)[:2]) > 1 else 1
            return self.builder.matrix(Conv2d, self.name("conv"), x, self.shape(x)[2], kernel, 3, TYPE)
        if op == "padded":
            sides = (0, 1, 0, 1) if self.shape(x)[0] == 1 else (1, 1, 1, 1)
            kernel = (1, 3) if self.shape(x)[0] == 1 else (3, 3)
            padded = self.builder.pad(self.name("pad"), x, sides, 1)
            return self.builder.depthwise_conv2d(self.name("depthwise"), padded, kernel, 3, TYPE)
        if op == "affine":
            return self.builder.affine(self.name("affine"), x, TYPE)
        return self.builder.requant(self.name("requant"), x, TYPE)

    def moved(self, x: str) -> str:
        """A layer that moves pixels, or another number of channels."""
        (height, width, channels), rng = self.shape(x), self.rng
        ops = ["pad", "channels", "pool"]
        if height * width <= MOST:
            ops += ["nearest", "bilinear", "transpose"] + (["depth_to_space"] if channels % 4 == 0 else [])
        ops += ["crop"] if min(height, width) > 3 else []
        op = rng.choice(ops)
        if op == "pad":
            sides = tuple(rng.randint(0, 2) for _ in range(4))
            return self.builder.pad(self.name("pad"), x, (sides[0], sides[1], sides[2], sides[3] + (sum(sides) == 0)))
        if op == "crop":
            return self.builder.crop(self.name("crop"), x, (rng.randint(0, 1), 1, 1, rng.randint(0, 1)))
        if op == "channels":
            return self.builder.matrix(Conv2d, self.name("conv"), x, rng.choice([2, 3, 4, 8]), 1, 3, TYPE)
        if op == "pool":
            kernel, stride = (min(2, height), min(2, width)), (min(rng.choice([1, 2]), height), min(2, width))
            return self.builder.maxpool2d(self.name("maxpool"), x, kernel, stride)
        if op == "nearest":
            return self.builder.resize_nearest(self.name("nearest"), x, rng.choice([(2, 2), (1, 2), (3, 1), (2, 4)]))
        if op == "transpose" and height > 1:
            return self.builder.matrix(ConvTranspose2d, self.name("transpose"), x, rng.choice([2, 4]), 2, 3, TYPE)
        if op == "depth_to_space":
            return self.builder.depth_to_space(self.name("shuffle"), x)
        finer = self.builder.resize_bilinear(self.name("bilinear"), x, (2, 2) if height > 1 else (1, 2))
        return self.builder.requant(self.name("requant"), finer, TYPE)

    def joined(self, x: str) -> str:
        """Two legs that meet again."""
        long = self.same(self.same(x))
        short = self.rng.choice([lambda: x, lambda: self.same(x)])()
        legs = [long, short] if self.rng.random() < 0.5 else [short, long]
        if self.rng.random() < 0.6:
            return self.builder.concat(self.name("concat"), *legs)
        return self.builder.add(self.name("add"), *legs, TYPE)

    def graph(self) -> Graph:
        x = self.same("image")
        for _ in range(self.rng.randint(2, 5)):
            x = self.rng.choice([self.same, self.moved, self.joined])(x)
        self.same(x)
        return self.builder.build()


def intervals(graph: Graph, folding: Folding) -> tuple[int, int]:
    """Return the interval at which a network settles, and that of its slowest layer."""
    design, ideal = build(graph, folding, fifo_depths(graph, folding)), frame_interval(graph, folding)
    found = settled(design, ideal, schedule(design, 1).first_output)
    assert not found.stuck
    return found.frame_interval, ideal


def check(seed: int) -> bool:
    """Check a network in a random folding; return whether a stream is widened for a reader that takes bursts."""
    graph = Mixed(seed).graph()
    folding = Folding(graph, lopsided_folding(graph, seed))
    found, ideal = intervals(graph, folding)
    assert found == ideal, f"seed {seed}: {found} cycles between frames, {ideal} in the slowest layer"
    return any(
        stream.widens_first(graph, folding, reader) for stream in connections(graph) for reader, _ in stream.readers
    )


def test_random_networks_settle_at_the_pace_of_their_slowest_layer() -> None:
    assert sum(check(seed) for seed in range(60)) >= 10


@pytest.mark.slow
def test_many_random_networks_settle_at_the_pace_of_their_slowest_layer() -> None:
    assert sum(check(seed) for seed in range(60, 1000)) >= 150


def test_a_border_that_leaves_before_a_slow_stream_goes_on() -> None:
    """A padding takes nothing for a whole row, and then a beat of all its lanes every cycle."""
    builder = GraphBuilder("net", 10, 12, 16, TYPE, 0)
    builder.matrix(Conv2d, "conv", builder.requant("first", "image", TYPE), 16, 1, 4, TYPE)
    builder.depthwise_conv2d("depthwise", builder.pad("pad", "conv_out", (1, 1, 1, 1)), (3, 3), 4, TYPE)
    graph = builder.build()
    folds = {"first": Fold(4, 4), "conv": Fold(1, 16), "pad": Fold(2, 2), "depthwise": Fold(8, 8)}
    folding = Folding(graph, folds)
    assert ideal_cycles(graph, graph.node("conv"), folding["conv"]) == 1920
    assert intervals(graph, folding) == (2160, 2160)


def test_a_leg_that_waits_for_the_other_one_s_beats() -> None:
    """A concatenation takes all of one leg at its own lanes, while the other stream of half of them is widened."""
    builder = GraphBuilder("net", 6, 8, 32, TYPE, 0)
    builder.requant("left", "image", TYPE)
    builder.requant("right", "image", TYPE)
    builder.concat("join", "left_out", "right_out")
    graph = builder.build()
    folding = Folding(graph, {"left": Fold(2, 2), "right": Fold(2, 2), "join": Fold(4, 4)})
    assert intervals(graph, folding) == (768, 768)
