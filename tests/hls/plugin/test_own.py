"""The project's own networks come back from the ModelGraph as they were, every op; edited ones are refused."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantunet.errors import UnsupportedOpError
from quantunet.graph_check import check
from quantunet.hls.csim.lower.network import model_graph
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.ir import INPUT_TYPE, MASK_TYPE, Conv2d, ConvTranspose2d, Graph, IntArray, QType, Reading
from quantunet.ops import stems
from quantunet.pixels import Pixels
from quantunet.random_network import GraphBuilder, random_unet

SEEDS = 12


def round_trip(graph: Graph, folder: Path) -> Graph:
    return from_model_graph(model_graph(graph, folder, backend="QuantUNet"))


class Growing:
    """A network of random ops; every step reads the last tensor, and keeps it small enough for the next."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = GraphBuilder(f"own{seed}", *self.drawn((4, 6), (5, 8), (2, 4)), self.qtype(), seed)
        self.x = "image"
        self.count = 0
        self.end = seed % 3

    def drawn(self, *choices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(int(self.rng.choice(each)) for each in choices)

    def qtype(self, source: QType | None = None) -> QType:
        """A type; one to which another is requantised keeps a bit of it, which C simulation asks for."""
        bits = int(self.rng.integers(2, 9))
        least = 0 if source is None else source.frac - source.bits + 1
        return QType(bits, bool(self.rng.integers(2)), max(int(self.rng.integers(0, bits + 2)), least))

    @property
    def tensor(self) -> Any:
        return self.builder._tensor(self.x)

    def name(self, op: str) -> str:
        self.count += 1
        return f"{op}{self.count}"

    def pair(self, high: int) -> tuple[int, int]:
        return int(self.rng.integers(1, high + 1)), int(self.rng.integers(1, high + 1))

    def kernel(self) -> tuple[int, int]:
        height, width, _ = self.tensor.shape
        return int(self.rng.integers(1, min(3, height) + 1)), int(self.rng.integers(1, min(3, width) + 1))

    def conv2d(self) -> None:
        name, bits, channels = self.name("conv"), int(self.rng.integers(2, 6)), int(self.rng.choice((2, 4)))
        kind = int(self.rng.integers(3))
        if kind == 0:
            self.x = self.builder.convolution(name, self.x, channels, (1, 1), bits, self.qtype())
        elif kind == 1:
            square = int(self.rng.choice((1, 3)))
            self.x = self.builder.matrix(Conv2d, name, self.x, channels, square, bits, self.qtype())
        else:
            kernel = self.kernel()
            height, width, channels_in = self.tensor.shape
            groups = 2 if channels_in % 2 == 0 and self.rng.integers(2) else 1
            dilation = (2 if 2 * kernel[0] - 1 <= height else 1, 2 if 2 * kernel[1] - 1 <= width else 1)
            self.x = self.builder.convolution(
                name, self.x, channels, kernel, bits, self.qtype(), stride=self.pair(2), dilation=dilation,
                groups=groups,
            )  # fmt: skip

    def conv_transpose2d(self) -> None:
        name = self.name("up")
        if self.rng.integers(2):
            self.x = self.builder.matrix(ConvTranspose2d, name, self.x, 2, 2, 3, self.qtype())
        else:
            crop = tuple(int(each) for each in self.rng.integers(1, 3, size=4))
            self.x = self.builder.convolution(name, self.x, 2, (3, 3), 3, self.qtype(), stride=(2, 2), crop=crop)

    def depthwise_conv2d(self) -> None:
        self.x = self.builder.depthwise_conv2d(
            self.name("depthwise"), self.x, self.kernel(), 4, self.qtype(), self.pair(2)
        )

    def maxpool2d(self) -> None:
        halves = self.tensor.shape[0] % 2 == self.tensor.shape[1] % 2 == 0 and self.rng.integers(2)
        kernel, stride = ((2, 2), (2, 2)) if halves else (self.kernel(), self.pair(2))
        self.x = self.builder.maxpool2d(self.name("pool"), self.x, kernel, stride)

    def sumpool2d(self) -> None:
        self.x = self.builder.sumpool2d(self.name("sums"), self.x, self.kernel(), self.pair(2))
        self.requant()

    def requant(self) -> None:
        self.x = self.builder.requant(self.name("requant"), self.x, self.qtype(self.tensor.qtype))

    def fork(self, qtype: QType) -> tuple[str, str]:
        return (
            self.builder.requant(self.name("left"), self.x, qtype),
            self.builder.requant(self.name("right"), self.x, qtype),
        )

    def concat(self) -> None:
        self.x = self.builder.concat(self.name("join"), *self.fork(self.qtype(self.tensor.qtype)))

    def add(self) -> None:
        first = self.builder.requant(self.name("one"), self.x, self.qtype(self.tensor.qtype))
        second = self.builder.requant(self.name("other"), self.x, self.qtype(self.tensor.qtype))
        gains = (1, 1) if self.rng.integers(2) else self.drawn((-3, -1, 1, 5), (-3, -1, 1, 5))
        self.x = self.builder.add(self.name("add"), first, second, self.qtype(self.tensor.qtype), (gains[0], gains[1]))

    def maximum(self) -> None:
        self.x = self.builder.maximum(self.name("maximum"), *self.fork(self.qtype(self.tensor.qtype)))

    def multiply(self) -> None:
        first, second = self.fork(self.qtype(self.tensor.qtype))
        self.x = self.builder.multiply(self.name("product"), first, second)

    def lookup(self) -> None:
        source, target = self.tensor.qtype, self.qtype()
        if source.bits > 8:
            return
        table = self.rng.integers(target.qmin, target.qmax + 1, size=1 << source.bits)
        self.x = self.builder.lookup(self.name("table"), self.x, IntArray.of(table), target)

    def affine(self) -> None:
        shared, branches, splits, even, wraps = (bool(flag) for flag in self.rng.integers(2, size=5))
        self.x = self.builder.affine(
            self.name("affine"), self.x, self.qtype(), bits=int(self.rng.integers(1, 30)), shared=shared,
            branches=branches, splits=splits, even=even, wraps=wraps,
        )  # fmt: skip

    def pad(self) -> None:
        sides = tuple(int(each) for each in self.rng.integers(0, 3, size=4))
        qtype = self.tensor.qtype
        value = int(self.rng.integers(qtype.qmin, qtype.qmax + 1))
        self.x = self.builder.pad(self.name("pad"), self.x, (sides[0] + 1, *sides[1:]), value)

    def crop(self) -> None:
        if min(self.tensor.shape[:2]) > 2:
            self.x = self.builder.crop(self.name("crop"), self.x, (1, 0, 0, 1))

    def resize_nearest(self) -> None:
        self.x = self.builder.resize_nearest(self.name("nearest"), self.x, (1 + self.count % 2, 2))

    def resize_bilinear(self) -> None:
        self.x = self.builder.resize_bilinear(self.name("bilinear"), self.x, (2, 1 + self.count % 2))
        self.requant()

    def depth_to_space(self) -> None:
        channels = self.tensor.shape[2]
        if channels % 2 == 0:
            self.x = self.builder.depth_to_space(self.name("space"), self.x, (1, 2))

    def graph(self, steps: int) -> Graph:
        """Return the network after some steps; some end with a class map, some with a sigmoid, and some with a mask."""
        last = ("argmax", "smallest_area")
        ops: list[Callable[[], None]] = [getattr(self, stem) for stem in stems(computes=True) if stem not in last]
        for op in self.rng.permutation(np.array(ops, dtype=object))[:steps]:
            op()
            if self.tensor.shape[0] * self.tensor.shape[1] > 200 or self.tensor.qtype.bits > 8:
                self.x = self.builder.maxpool2d(self.name("smaller"), self.x, self.kernel(), (2, 2))
                self.requant()
        head = self.builder.matrix(Conv2d, "head", self.x, 3 if self.end == 0 else 1, 1, 4, QType(6, True, 3))
        if self.end == 0:
            self.builder.argmax("classes", head)
        elif self.end == 1 or self.tensor.shape[0] * self.tensor.shape[1] < 2:
            self.builder.sigmoid("sigmoid", head)
        else:
            cut = self.builder.lookup("cut", head, IntArray.of([0] * 32 + [1] * 32), MASK_TYPE)
            self.builder.smallest_area("mask", cut, 2)
        return self.builder.build()


def test_networks_of_every_op_come_back(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        graph = Growing(seed).graph(12)
        assert round_trip(graph, tmp_path) == graph, f"seed {seed}"
        seen.update(node.op for node in graph.nodes)
    assert set(seen) == set(stems(computes=True))
    assert min(seen.values()) >= 3


@pytest.mark.parametrize("seed", range(3))
def test_unets_come_back(seed: int, tmp_path: Path) -> None:
    graph = random_unet(base=4, depth=2, size=16, seed=seed)
    assert round_trip(graph, tmp_path) == graph


@pytest.mark.parametrize("name", ["enc0_conv0", "pool0", "up0", "skip0_requant", "concat0", "head", "sigmoid"])
def test_a_layer_alone_comes_back(name: str, tmp_path: Path) -> None:
    graph = random_unet().layer(name)
    assert round_trip(graph, tmp_path) == graph


def test_names_that_hls4ml_or_cpp_cannot_have_come_back(tmp_path: Path) -> None:
    builder = GraphBuilder("double", 4, 4, 1, INPUT_TYPE, 0)
    x = builder.matrix(Conv2d, "Conv", "image", 2, 3, 4, QType(4, False, 3))
    y = builder.matrix(Conv2d, "conv", x, 2, 3, 4, QType(4, False, 3))
    y = builder.requant("class", y, QType(4, False, 3))
    z = builder.requant("input", y, QType(4, False, 3))
    builder.concat("Conv_out_2", z, x)
    graph = builder.build()
    assert round_trip(graph, tmp_path) == graph


def test_a_branch_that_no_input_takes_comes_back(tmp_path: Path) -> None:
    builder = GraphBuilder("bent", 2, 2, 2, QType(4, True, 2), 0)
    builder.affine("affine", "image", QType(4, True, 2))
    graph = builder.build()
    (node,) = graph.nodes
    far = dataclasses.replace(graph, nodes=(dataclasses.replace(node, split=IntArray.of([-1000, 1 << 40])),))
    assert round_trip(check(far), tmp_path) == far


def test_what_hls4ml_has_no_place_for_comes_back(tmp_path: Path) -> None:
    """Scales that are no powers of two, the meaning of a byte, and what the output stands for."""
    graph = random_unet(base=2, depth=1, size=8)
    units = tuple(
        dataclasses.replace(tensor, unit=Fraction(1, 3) if tensor.name == graph.nodes[0].output else None)
        for tensor in graph.tensors
    )
    pixels = Pixels(Fraction(1, 255), (Fraction(2),), (Fraction(-1, 7),), narrow=True)
    reading = Reading((Fraction(5, 3),), (Fraction(1, 9),))
    rich = check(dataclasses.replace(graph, tensors=units, pixels=pixels, reading=reading))
    assert rich != graph
    assert round_trip(rich, tmp_path) == rich


@pytest.mark.parametrize(("variable", "change"), [("accum", "width"), ("bias", "width"), ("result", "rounding_mode")])
def test_an_edited_type_is_refused(variable: str, change: str, tmp_path: Path) -> None:
    graph = random_unet(base=2, depth=1, size=8)
    model = model_graph(graph, tmp_path, backend="QuantUNet")
    layer = next(layer for layer in model.get_layers() if layer.name == "up0")
    precision = layer.get_attr(f"{variable}_t").precision
    setattr(precision, change, "TRN" if change == "rounding_mode" else getattr(precision, change) - 1)
    with pytest.raises(UnsupportedOpError, match=rf"up0: expected the {variable} precision .*u?fixed.* got"):
        from_model_graph(model)
