"""The paper's network with random weights: its size, its structure, and that every layer of it is alive."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
from helpers.qonnx_graph import write_qonnx

from quantunet import golden, packed, zoo
from quantunet.errors import ImageError, ModelError
from quantunet.golden.histogram import histogram, histograms
from quantunet.graph_check import check
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, IntArray, Lookup, MatrixNode, QType
from quantunet.model.config import PRESETS, UNetConfig
from quantunet.model.phantoms import generate
from quantunet.model.untrained import NAME_SUFFIX, untrained_unet
from quantunet.pixels import OWN_SCALE, Pixels
from quantunet.qonnx_import import load
from quantunet.zoo import load_network

SMALL = UNetConfig(base=2, depth=4, size=32)


def image(size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return generate(1, size, 2025)[0][0]


def matrices(graph: Graph) -> list[Conv2d | ConvTranspose2d]:
    return [node for node in graph.nodes if isinstance(node, MatrixNode)]


@pytest.fixture(scope="module")
def pattern() -> Graph:
    return load_network("wearable")


@pytest.fixture(scope="module")
def small(pattern: Graph) -> Graph:
    return untrained_unet("small", SMALL, pattern, image(32))


@pytest.fixture(scope="module")
def paper() -> Graph:
    return load_network("paper")


def test_paper_has_the_size_of_the_paper(paper: Graph, pattern: Graph) -> None:
    nodes = matrices(paper)
    assert len(nodes) == 23
    assert sum(node.weight.array.size + node.bias.array.size for node in nodes) == 31_030_593
    macs = sum(node.weight.array.size * paper.input_of(node).shape[0] * paper.input_of(node).shape[1] for node in nodes)
    assert macs == 12_022_972_416 == sum(shape.macs for shape in PRESETS["paper"].conv_layers())
    assert [(node.op, node.name, node.inputs) for node in paper.nodes] == [
        (node.op, node.name, node.inputs) for node in pattern.nodes
    ]
    assert paper.tensor("bottleneck_conv1_out").shape == (8, 8, 1024)
    assert paper.pixels == Pixels(OWN_SCALE)


def test_every_layer_of_the_paper_network_is_alive(paper: Graph) -> None:
    found = histograms(paper, golden.run(paper, image(128)))
    assert [each.name for each in found] == [tensor.name for tensor in paper.tensors]
    for each in found:
        assert each.distinct >= min(8, 1 << each.qtype.bits), each.name
        assert each.zero_share < 0.7, each.name
        assert each.saturated_share < 0.2, each.name
        assert each.constant_channels == 0, each.name


def test_types_and_widths_are_the_trained_ones(small: Graph, pattern: Graph) -> None:
    assert [tensor.qtype for tensor in small.tensors] == [tensor.qtype for tensor in pattern.tensors]
    for node, trained in zip(matrices(small), matrices(pattern), strict=True):
        assert (node.weight_type.bits, node.weight_type.signed) == (trained.weight_type.bits, True)
        assert np.abs(node.weight.array).max() <= node.weight_type.qmax
        assert len(np.unique(node.weight.array)) > min(node.weight_type.qmax, node.weight.array.size // 8)
    assert small.logits.qtype.frac <= 6
    assert isinstance(small.nodes[-1], Lookup)


def test_the_name_and_the_log_say_that_nothing_is_trained(pattern: Graph, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        graph = untrained_unet("small", SMALL, pattern, image(32))
    assert graph.name == "small" + NAME_SUFFIX == "small_random_weights"
    assert "small_random_weights: the weights are random integers, not trained" in caplog.text


def test_it_is_read_back_from_a_file(small: Graph, tmp_path: Path) -> None:
    assert load(write_qonnx(small, tmp_path)) == small


@pytest.mark.slow
def test_the_paper_network_is_read_back_from_a_file(paper: Graph, tmp_path: Path) -> None:
    path = write_qonnx(paper, tmp_path)
    assert path.stat().st_size > 4 * 31_000_000
    assert load(path) == paper


def test_the_seed_decides(small: Graph, pattern: Graph) -> None:
    assert untrained_unet("small", SMALL, pattern, image(32)) == small
    assert untrained_unet("small", SMALL, pattern, image(32), seed=1) != small


def test_a_trained_paper_network_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: Graph) -> None:
    packed.write(small, tmp_path / "paper.qun")
    monkeypatch.setattr(zoo, "_folder", lambda: tmp_path)
    assert zoo.load_network("paper") == small


def test_another_depth_is_refused(pattern: Graph) -> None:
    with pytest.raises(ModelError, match="wearable: expected the layers enc0_conv0, .*Take a trained network"):
        untrained_unet("small", UNetConfig(base=2, depth=2, size=32), pattern, image(32))
    with pytest.raises(ImageError, match="expected an image of 32x32x1"):
        untrained_unet("small", SMALL, pattern, image(16))


def test_a_dead_layer_is_seen(small: Graph) -> None:
    """A bias far below every sum leaves zeros behind the rectifier."""
    assert not any(each.dead for each in histograms(small, golden.run(small, image(32))))
    nodes = list(small.nodes)
    index, node = next((i, n) for i, n in enumerate(nodes) if n.name == "dec1_conv0")
    assert isinstance(node, Conv2d)
    nodes[index] = dataclasses.replace(node, bias=IntArray.of(node.bias.array - 100_000))
    broken = check(dataclasses.replace(small, nodes=tuple(nodes)))
    found = {each.name: each for each in histograms(broken, golden.run(broken, image(32)))}
    dead = found["dec1_conv0_out"]
    assert dead.dead
    assert (dead.distinct, dead.zero_share, dead.constant_channels) == (1, 1.0, dead.channels)


def test_histogram_of_a_signed_type() -> None:
    values = np.array([[[-2, -2]], [[1, 0]], [[1, -1]]])
    found = histogram("y", values, QType(2, True, 0))
    assert (found.values, found.distinct, found.constant_channels) == (6, 4, 0)
    assert (found.zero_share, found.saturated_share) == (1 / 6, 4 / 6)
    assert found.counts.tolist() == [2, 1, 1, 2]
    assert found.shades() == "@**@"
    assert len(histogram("y", values, QType(8, True, 0)).shades(16)) == 16
